"""Tasks around a plan: what it is made from, and its storage. Logic: ``records``."""

from datetime import UTC, datetime

from prefect import get_run_logger, task
from prefect.artifacts import create_table_artifact
from prefect.cache_policies import NO_CACHE

from schemas.answers.scenarios import MadeBy, PlanReport
from schemas.documents.plan import Plan, PlanRequest
from schemas.names import Artifact
from schemas.refs import PlanRef, PlanSource
from tasks.scenarios import records
from tasks.store.artifact_keys import artifact_key
from tasks.store.files.artifacts import open_ref
from tasks.store.home import Home, current_home
from tasks.store.runs.ids import new_scenario_id
from tasks.store.runs.plan_sources import find_planned_run, open_source
from tasks.store.runs.standing import list_objections
from tasks.store.tracking import experiments
from tasks.store.tracking.plans import PlanLog, log_plan
from tasks.store.warehouse.connection import writing
from tasks.store.warehouse.plans import write_plan


@task(name="begin-plan", cache_policy=NO_CACHE)
def begin_plan(request: PlanRequest) -> str:
    """Return the id of a new plan."""
    return new_scenario_id([m.dataset_id for m in request.models], datetime.now(UTC))


@task(name="resolve-sources", cache_policy=NO_CACHE, retries=2, retry_delay_seconds=2)
def resolve_sources(request: PlanRequest) -> list[PlanSource]:
    """Return the runs that a plan speaks for: those it names, else the champions'.

    Raises
    ------
    UnknownRunError
        If there is no such run or champion, or the run was not accepted.
    """
    home = current_home()
    runs = [find_planned_run(home, model) for model in request.models]
    get_run_logger().info("planning from %s", ", ".join(run.run_id for run in runs))
    return [
        open_source(home, run).model_copy(update={"against": list_objections(home, run)})
        for run in runs
    ]


@task(
    name="publish-plan",
    retries=2,
    retry_delay_seconds=5,
    cache_policy=NO_CACHE,
    timeout_seconds=300,
)
def publish_plan(ref: PlanRef, made_by: MadeBy) -> PlanReport:
    """Publish one plan: MLflow, then the warehouse in one transaction.

    A retry finds what is done already.
    """
    home = current_home()
    plan = _open_plan(home, ref)
    path = open_ref(home, ref.file)
    client = experiments.open_store(home)
    mlflow_run_id = log_plan(
        client,
        home,
        PlanLog(
            dataset_id=plan.models[0].dataset_id,
            scenario_id=plan.scenario_id,
            name=f"plan {plan.name}",
            note=records.render_note(plan),
            params=records.plan_params(plan),
            metrics=records.plan_metrics(plan),
            tags=records.plan_tags(plan, made_by),
            document=path,
        ),
    )
    with writing(home) as con:
        earlier = write_plan(con, plan, made_by, mlflow_run_id)
    get_run_logger().info("saved plan %s: %s", plan.scenario_id, plan.advice.name)
    return PlanReport(
        scenario_id=plan.scenario_id,
        name=plan.name,
        advice=plan.advice,
        reason=plan.reason,
        dataset_ids=[model.dataset_id for model in plan.models],
        run_ids=[model.run_id for model in plan.models],
        plan_file=str(path),
        mlflow_run_id=mlflow_run_id,
        took_name_from=earlier,
        metrics=ref.metrics,
    )


@task(name="describe-plan", cache_policy=NO_CACHE)
def describe_plan(ref: PlanRef) -> None:
    """Show the channel plan in the Prefect UI; a key per dataset keeps its history."""
    plan = _open_plan(current_home(), ref)
    for model in plan.models:
        create_table_artifact(
            key=artifact_key(Artifact.PLAN.partition(".")[0], model.dataset_id),
            table=records.channel_rows(plan),
            description=" ".join(
                [f"{plan.advice.name}: plan {plan.name}. {plan.reason}", *model.against]
            ),
        )


def _open_plan(home: Home, ref: PlanRef) -> Plan:
    return Plan.model_validate_json(open_ref(home, ref.file).read_text(encoding="utf-8"))
