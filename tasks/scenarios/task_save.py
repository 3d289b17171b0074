"""What a plan is made from, and its place in MLflow and the warehouse: without an engine."""

from datetime import UTC, datetime

from schemas.answers.scenarios import MadeBy, PlanReport
from schemas.documents.plan import Plan
from schemas.refs import PlanRef, PlanSource
from schemas.spec.plan_request import PlanRequest
from tasks.scenarios import records
from tasks.store.files.artifacts import open_ref
from tasks.store.home import current_home
from tasks.store.runs.ids import new_scenario_id
from tasks.store.runs.plan_sources import find_planned_run, open_source
from tasks.store.runs.standing import list_objections
from tasks.store.tracking import experiments
from tasks.store.tracking.plans import PlanLog, log_plan
from tasks.store.warehouse.connection import writing
from tasks.store.warehouse.plans import owner_of, write_plan


def name_plan(request: PlanRequest) -> str:
    """Return the id of a new plan."""
    return new_scenario_id([m.dataset_id for m in request.models], datetime.now(UTC))


def find_sources(request: PlanRequest) -> list[PlanSource]:
    """Return the runs that a plan speaks for: those it names, else the champions'.

    Raises
    ------
    UnknownRunError
        If there is no such run or champion, or the run was not accepted.
    """
    home = current_home()
    runs = [find_planned_run(home, model) for model in request.models]
    return [
        open_source(home, run).model_copy(update={"against": list_objections(home, run)})
        for run in runs
    ]


def log_and_save_plan(ref: PlanRef, made_by: MadeBy) -> PlanReport:
    """Log one plan to MLflow, then save it; a second call finds what is done already.

    Parameters
    ----------
    ref
        The plan that was written.
    made_by
        Whether it was searched for, or written by hand.

    Raises
    ------
    ResourceUnavailableError
        If MLflow's store or the warehouse is locked, or its server does not answer.
    """
    home = current_home()
    plan = open_plan(ref)
    mlflow_run_id = log_plan(
        experiments.open_store(home),
        home,
        PlanLog(
            dataset_id=plan.models[0].dataset_id,
            scenario_id=plan.scenario_id,
            name=f"plan {plan.name}",
            note=records.render_note(plan),
            params=records.plan_params(plan),
            metrics=records.plan_metrics(plan),
            tags=records.plan_tags(plan, made_by),
            document=open_ref(home, ref.file),
        ),
    )
    return save_plan(ref, made_by, mlflow_run_id)


def save_plan(ref: PlanRef, made_by: MadeBy, mlflow_run_id: str | None) -> PlanReport:
    """Save one plan as a scenario, in one transaction.

    Parameters
    ----------
    ref
        The plan that was written.
    made_by
        Whether it was searched for, or written by hand.
    mlflow_run_id
        Its run in MLflow; None where it was not logged there.
    """
    plan = open_plan(ref)
    with writing(current_home(), owner_of(plan)) as con:
        earlier = write_plan(con, plan, made_by, mlflow_run_id)
    return PlanReport(
        scenario_id=plan.scenario_id,
        name=plan.name,
        advice=plan.advice,
        reason=plan.reason,
        dataset_ids=[model.dataset_id for model in plan.models],
        run_ids=[model.run_id for model in plan.models],
        plan_file=str(open_ref(current_home(), ref.file)),
        mlflow_run_id=mlflow_run_id,
        took_name_from=earlier,
        metrics=ref.metrics,
    )


def open_plan(ref: PlanRef) -> Plan:
    """Read a plan that was written."""
    return Plan.model_validate_json(open_ref(current_home(), ref.file).read_text(encoding="utf-8"))
