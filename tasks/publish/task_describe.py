"""What Prefect's pages show of a refit: verdict, returns, and every check of data and fit."""

from prefect import task
from prefect.artifacts import create_markdown_artifact, create_table_artifact
from prefect.cache_policies import NO_CACHE

from schemas.documents.data import ValidationSummary
from schemas.documents.refit_outcome import Outcome
from schemas.names import Artifact
from schemas.spec.run_spec import RunSpec
from tasks.publish import records
from tasks.publish.task import open_outputs
from tasks.store.artifact_keys import artifact_key
from tasks.store.files.artifacts import parse_document
from tasks.store.home import Home, current_home
from tasks.store.tracking.experiments import open_store
from tasks.store.tracking.server import run_address


@task(name="describe-run", cache_policy=NO_CACHE)
def describe_run(outcome: Outcome, spec: RunSpec) -> None:
    """Show verdict, returns and checks in the Prefect UI; a key per dataset keeps their history."""
    home, run_id, publication = current_home(), outcome.report.run_id, outcome.publication
    outputs = open_outputs(home, run_id, spec, outcome)
    mlflow_run_id = publication.mlflow_run_id
    experiment_id = open_store(home).get_run(mlflow_run_id).info.experiment_id
    links = records.render_links(run_address(home, experiment_id, mlflow_run_id))
    create_markdown_artifact(
        key=artifact_key("verdict", spec.dataset_id),
        markdown=f"# Refit {run_id}\n\n{records.render_note(outputs, publication.promotion)}\n\n"
        f"Champion: {publication.champion or 'none yet'} · {links}",
        description=f"{outcome.diagnostics.verdict}: {spec.dataset_id} to {outputs.last_period}",
    )
    create_table_artifact(
        key=artifact_key("roas", spec.dataset_id),
        table=records.roas_rows(outputs),
        description=f"Returns with 94 % intervals, {spec.dataset_id} to {outputs.last_period}",
    )
    create_table_artifact(
        key=artifact_key("diagnostics", spec.dataset_id),
        table=[*_data_rows(home, run_id), *records.diagnostics_rows(outputs)],
        description=f"Checks of data and fit, {spec.dataset_id} to {outputs.last_period}",
    )


def _data_rows(home: Home, run_id: str) -> list[dict[str, str]]:
    path = home.run_dir(run_id) / Artifact.VALIDATION_SUMMARY
    return records.data_rows(parse_document(path, ValidationSummary)) if path.is_file() else []
