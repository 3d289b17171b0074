"""Plans without an engine: written by hand and evaluated at once, or made for a reader of a home.

No Prefect engine, no server, no MLflow.
"""

from schemas.answers.scenarios import MadeBy, PlanReport
from schemas.documents.plan import Plan
from schemas.spec.plan_request import PlanRequest
from tasks.optimize.task_evaluate import find_plan, write_plan
from tasks.scenarios.task_save import find_sources, name_plan, save_plan
from tasks.store.home import current_home


def evaluate_by_hand(request: PlanRequest) -> PlanReport:
    """Evaluate a plan that somebody wrote, and save it as a scenario.

    Parameters
    ----------
    request
        With ``what_if``; everything else as ``flows.plan_budget`` takes it.

    Raises
    ------
    UnknownRunError
        If there is no accepted run to plan from.
    SpecError
        If a channel or entity is unknown; nothing is saved.
    """
    sources = find_sources(request)
    scenario_id = name_plan(request)
    folder = str(current_home().plan_dir(scenario_id))
    plan, _ = write_plan(sources, request, scenario_id, folder)
    return save_plan(plan, MadeBy.WHAT_IF, None)


def plan_unsaved(request: PlanRequest) -> Plan:
    """Make or evaluate a plan for somebody who may only read the home: nothing is saved.

    Parameters
    ----------
    request
        As ``flows.plan_budget`` takes it.

    Raises
    ------
    UnknownRunError
        If there is no accepted run to plan from.
    SpecError
        If bounds or budget cannot be met, or a channel or entity is unknown.
    """
    return find_plan(find_sources(request), request, name_plan(request))
