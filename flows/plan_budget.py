"""A budget plan on any day: the champion's posterior in, a judged and saved plan out; no refit."""

from prefect import flow

from schemas.answers.scenarios import MadeBy, PlanReport
from schemas.spec.plan_request import PlanRequest
from tasks.optimize.task import plan_spend
from tasks.scenarios.task import begin_plan, describe_plan, publish_plan, resolve_sources
from tasks.store.home import current_home
from tasks.store.redaction import filter_states

filter_states()


@flow(name="plan-budget", flow_run_name="plan-{request.models[0].dataset_id}")
def plan_budget(request: PlanRequest) -> PlanReport:
    """Plan the coming spend, or evaluate a hand-written plan, and save it as a scenario.

    Parameters
    ----------
    request
        Datasets or runs, budget or target or hand-written plan, settings and bounds.

    Returns
    -------
    PlanReport
        Advice WITHHELD is an answer, too: spend as today.

    Raises
    ------
    UnknownRunError
        If there is no accepted run to plan from.
    SpecError
        If bounds or budget cannot be met, or a channel or entity is unknown; nothing is saved.
    """
    sources = resolve_sources(request)
    scenario_id = begin_plan(request)
    folder = str(current_home().plan_dir(scenario_id))
    plan = plan_spend(sources, request, scenario_id, folder)
    made_by = MadeBy.PLAN if request.what_if is None else MadeBy.WHAT_IF
    report = publish_plan(plan, made_by)
    describe_plan(plan)
    return report
