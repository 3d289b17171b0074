"""Tasks that publish a run. Logic: ``promotion.decide``, ``records``, ``figures``."""

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from prefect import get_run_logger, task
from prefect.artifacts import create_markdown_artifact, create_table_artifact
from prefect.cache_policies import NO_CACHE

from schemas.errors import CorruptArtifactError
from schemas.names import Artifact
from schemas.outcomes import Verdict
from schemas.refs import (
    AttributionRef,
    DiagnosticsRef,
    FeaturesRef,
    FileRef,
    PosteriorRef,
    PublicationRef,
    SnapshotRef,
)
from schemas.results import RunStatus
from schemas.run_spec import RunSpec
from tasks.publish import records
from tasks.publish.figures import build_figures
from tasks.publish.outputs import RunOutputs
from tasks.publish.promotion import Alias, Decision, decide
from tasks.store import tracking
from tasks.store.artifacts import open_ref, read_json, read_parquet
from tasks.store.fingerprint import code_fingerprint, library_versions, lock_fingerprint
from tasks.store.home import Home, current_home
from tasks.store.run_status import advance_run
from tasks.store.warehouse import writing
from tasks.store.warehouse_runs import write_gate_results, write_marts

if TYPE_CHECKING:
    from mlflow import MlflowClient


@task(
    name="publish-run", retries=2, retry_delay_seconds=5, cache_policy=NO_CACHE, timeout_seconds=900
)
def publish_run(
    run_id: str,
    spec: RunSpec,
    snapshot: SnapshotRef,
    features: FeaturesRef,
    posterior: PosteriorRef,
    diagnostics: DiagnosticsRef,
    attribution: AttributionRef,
    timings: dict[str, float],
) -> PublicationRef:
    """Publish one judged fit: MLflow, warehouse, alias, in this order.

    The run must be TRAINED; it becomes OUTPUTS_READY. A crash before the last step leaves the old
    champion; a retry finds what is done already.
    """
    home = current_home()
    outputs = _open_outputs(home, run_id, spec, snapshot, diagnostics, attribution, posterior)
    client = tracking.open_store(home)
    champion = tracking.version_with_alias(client, spec.dataset_id, Alias.CHAMPION)
    decision = decide(
        diagnostics.verdict,
        promote_on_review=spec.gates.promote_on_review,
        has_champion=champion is not None,
    )
    record = tracking.RefitLog(
        dataset_id=spec.dataset_id,
        run_id=run_id,
        name=records.run_name(outputs),
        note=records.render_note(outputs, decision),
        params=records.refit_params(
            outputs,
            fingerprints={"code": code_fingerprint(), "lock": lock_fingerprint()},
            versions=library_versions(),
        ),
        metrics=records.refit_metrics(outputs, timings),
        tags=records.refit_tags(
            outputs, decision, {"model_kind": posterior.kind, "sampler": posterior.sampler}
        ),
        folder=home.run_dir(run_id),
        figures=build_figures(outputs),
    )
    model = _model_files(home, features, posterior) if decision.register else None
    logged = tracking.log_refit(client, home, record, model)
    _write_warehouse(home, outputs, logged)
    _move_aliases(client, spec.dataset_id, decision, logged.model_version)
    champion = tracking.version_with_alias(client, spec.dataset_id, Alias.CHAMPION)
    get_run_logger().info("%s", decision.reason)
    return PublicationRef(
        mlflow_run_id=logged.mlflow_run_id,
        model_version=logged.model_version,
        champion=f"{spec.dataset_id}@{champion}" if champion is not None else None,
    )


@task(name="describe-run", cache_policy=NO_CACHE)
def describe_run(
    run_id: str,
    spec: RunSpec,
    snapshot: SnapshotRef,
    diagnostics: DiagnosticsRef,
    attribution: AttributionRef,
    publication: PublicationRef,
) -> None:
    """Show verdict, returns and gates in the Prefect UI; a key per dataset keeps their history."""
    outputs = _open_outputs(current_home(), run_id, spec, snapshot, diagnostics, attribution)
    decision = decide(
        diagnostics.verdict,
        promote_on_review=spec.gates.promote_on_review,
        has_champion=publication.champion is not None,
    )
    create_markdown_artifact(
        key=artifact_key("verdict", spec.dataset_id),
        markdown=f"# Refit {run_id}\n\n{records.render_note(outputs, decision)}\n\n"
        f"Champion: {publication.champion or 'none yet'} · "
        f"MLflow run `{publication.mlflow_run_id}`",
        description=f"{diagnostics.verdict}: {spec.dataset_id} to {outputs.last_period}",
    )
    create_table_artifact(
        key=artifact_key("roas", spec.dataset_id),
        table=records.roas_rows(outputs),
        description=f"Returns with 94 % intervals, {spec.dataset_id} to {outputs.last_period}",
    )
    create_table_artifact(
        key=artifact_key("diagnostics", spec.dataset_id),
        table=records.diagnostics_rows(outputs),
        description=f"Gates, worst first, {spec.dataset_id} to {outputs.last_period}",
    )


def artifact_key(kind: str, dataset_id: str) -> str:
    """Return a Prefect artifact key (lowercase, digits, dashes); two datasets never share one."""
    plain = "".join(c if c.isascii() and c.isalnum() else "-" for c in dataset_id.lower())
    suffix = (
        "" if plain == dataset_id else f"-{hashlib.sha256(dataset_id.encode()).hexdigest()[:6]}"
    )
    return f"{kind}-{plain}{suffix}"


def _open_outputs(
    home: Home,
    run_id: str,
    spec: RunSpec,
    snapshot: SnapshotRef,
    diagnostics: DiagnosticsRef,
    attribution: AttributionRef,
    posterior: PosteriorRef | None = None,
) -> RunOutputs:
    prior = posterior.prior_predictive if posterior else None
    return RunOutputs(
        run_id=run_id,
        spec=spec,
        snapshot=snapshot,
        diagnostics=diagnostics,
        attribution=attribution,
        contributions=read_parquet(home, attribution.contributions),
        fitted=read_parquet(home, attribution.fitted),
        roas=read_json(home, _named(attribution.files, Artifact.ROI_METRICS)),
        gates=read_json(home, diagnostics.file)["gates"],
        quantiles=read_json(home, _named(attribution.files, Artifact.CHANNEL_QUANTILES)),
        curves=read_json(home, _named(attribution.files, Artifact.RESPONSE_CURVES)),
        prior=read_json(home, prior) if prior else {},
    )


def _named(files: list[FileRef], name: Artifact) -> FileRef:
    for ref in files:
        if Path(ref.path).name == name:
            return ref
    raise CorruptArtifactError(f"the attribution has no {name}; run the refit again.")


def _model_files(home: Home, features: FeaturesRef, posterior: PosteriorRef) -> tracking.ModelFiles:
    metadata = read_json(home, features.metadata)
    return tracking.ModelFiles(
        code=Path(__file__).with_name("kpi_model.py"),
        artifacts={
            "posterior": open_ref(home, posterior.posterior),
            "feature_metadata": open_ref(home, features.metadata),
            "feature_scaler": open_ref(home, features.scaler),
            "model_metadata": open_ref(home, posterior.metadata),
        },
        input_columns=list(metadata["input_columns"]),
    )


def _write_warehouse(home: Home, outputs: RunOutputs, logged: tracking.Logged) -> None:
    """Write everything of the run in one transaction; a rejected fit leaves no rows in ``mart``."""
    verdict = outputs.diagnostics.verdict
    with writing(home) as con:
        if verdict in {Verdict.PASS, Verdict.REVIEW}:
            write_marts(
                con,
                outputs.run_id,
                outputs.spec.dataset_id,
                contributions=outputs.contributions,
                fitted=outputs.fitted,
                roas=outputs.roas,
            )
        for battery in ("sampling", "fit"):
            write_gate_results(con, outputs.run_id, battery, records.gate_rows(outputs, battery))
        advance_run(
            home,
            outputs.run_id,
            RunStatus.OUTPUTS_READY,
            con=con,
            verdict=verdict,
            snapshot_id=outputs.snapshot.snapshot_id,
            mlflow_run_id=logged.mlflow_run_id,
            model_version=logged.model_version,
        )


def _move_aliases(
    client: "MlflowClient", dataset_id: str, decision: Decision, version: int | None
) -> None:
    if version is None or decision.alias is None:
        return
    tracking.move_alias(client, dataset_id, version, decision.alias)
    if decision.alias is Alias.CHAMPION:
        # The challenger of an earlier week has been overtaken.
        tracking.drop_alias(client, dataset_id, Alias.CHALLENGER)
