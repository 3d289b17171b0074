"""Plans without Prefect's engine and server: somebody waits for them at a terminal.

The steps are those of ``flows.plan_budget``, and what they leave in the home is the same.
"""

from schemas.answers.scenarios import MadeBy, PlanReport
from schemas.documents.plan import Plan
from schemas.refs import PlanRef
from schemas.spec.plan_request import PlanRequest
from tasks.optimize.task_evaluate import find_plan, write_plan
from tasks.scenarios.task_save import find_sources, log_and_save_plan, name_plan, save_plan
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
    return save_plan(_write(request), MadeBy.WHAT_IF, None)


def plan_at_once(request: PlanRequest) -> PlanReport:
    """Plan the coming spend, log the plan to MLflow and save it as a scenario.

    Parameters
    ----------
    request
        Without ``what_if``; everything else as ``flows.plan_budget`` takes it.

    Raises
    ------
    UnknownRunError
        If there is no accepted run to plan from.
    SpecError
        If bounds or budget cannot be met, or a channel or entity is unknown; nothing is saved.
    ResourceUnavailableError
        If MLflow's store or the warehouse is locked, or its server does not answer.
    """
    return log_and_save_plan(_write(request), MadeBy.PLAN)


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


def _write(request: PlanRequest) -> PlanRef:
    sources = find_sources(request)
    scenario_id = name_plan(request)
    folder = str(current_home().plan_dir(scenario_id))
    plan, _ = write_plan(sources, request, scenario_id, folder)
    return plan
