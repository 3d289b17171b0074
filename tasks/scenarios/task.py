"""Tasks around a plan: what it is made from, and its storage. Logic: ``records``."""

from prefect import get_run_logger, task
from prefect.artifacts import create_table_artifact
from prefect.cache_policies import NO_CACHE

from schemas.answers.scenarios import MadeBy, PlanReport
from schemas.names import Artifact
from schemas.refs import PlanRef, PlanSource
from schemas.spec.plan_request import PlanRequest
from tasks.scenarios import records
from tasks.scenarios.task_save import find_sources, log_and_save_plan, name_plan, open_plan
from tasks.store.artifact_keys import artifact_key


@task(name="begin-plan", cache_policy=NO_CACHE)
def begin_plan(request: PlanRequest) -> str:
    """Return the id of a new plan."""
    return name_plan(request)


@task(name="resolve-sources", cache_policy=NO_CACHE, retries=2, retry_delay_seconds=2)
def resolve_sources(request: PlanRequest) -> list[PlanSource]:
    """Return the runs that a plan speaks for: those it names, else the champions'.

    Raises
    ------
    UnknownRunError
        If there is no such run or champion, or the run was not accepted.
    """
    sources = find_sources(request)
    get_run_logger().info("planning from %s", ", ".join(s.run_id for s in sources))
    return sources


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
    report = log_and_save_plan(ref, made_by)
    get_run_logger().info("saved plan %s: %s", report.scenario_id, report.advice.name)
    return report


@task(name="describe-plan", cache_policy=NO_CACHE)
def describe_plan(ref: PlanRef) -> None:
    """Show the channel plan in the Prefect UI; a key per dataset keeps its history."""
    plan = open_plan(ref)
    for model in plan.models:
        create_table_artifact(
            key=artifact_key(Artifact.PLAN.partition(".")[0], model.dataset_id),
            table=records.channel_rows(plan),
            description=" ".join(
                [f"{plan.advice.name}: plan {plan.name}. {plan.reason}", *model.against]
            ),
        )
