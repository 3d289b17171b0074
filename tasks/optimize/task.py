"""Plan spend: read draws and panels, call, write. Logic: ``tasks.optimize.planning``."""

import logging

from prefect import task
from prefect.cache_policies import NO_CACHE

from schemas.errors import SpecError
from schemas.refs import PlanRef, PlanSource, StepKey, WeeklyPlan
from schemas.spec.plan_request import PlannedModel, PlanRequest
from tasks.optimize.task_evaluate import write_plan
from tasks.store.home import current_home
from tasks.store.runs.resume import fit_dir, resumable

log = logging.getLogger(__name__)


@task(name="plan-spend", cache_policy=NO_CACHE, timeout_seconds=1800)
def plan_spend(
    sources: list[PlanSource], request: PlanRequest, scenario_id: str, folder: str
) -> PlanRef:
    """Write ``plan.json`` into ``folder``: the plan of one or several models.

    Sources are in the order of ``request.models``.

    Raises
    ------
    SpecError
        If bounds, budget or target cannot be met, or a channel or entity is unknown.
    """
    plan, _ = write_plan(sources, request, scenario_id, folder)
    return plan


@task(name="plan-week", cache_policy=NO_CACHE, timeout_seconds=1800)
@resumable
def plan_week(key: StepKey, source: PlanSource) -> WeeklyPlan:
    """Write the plan of a refit: as much money as today, by the settings of its spec.

    A plan that cannot be made, for want of spend or because bounds exclude each other, is
    reported, and does not fail a good fit.
    """
    return _plan_as_today(source, key.run_id, str(current_home().run_dir(key.run_id)))


@task(name="plan-auxiliary-fit", cache_policy=NO_CACHE, timeout_seconds=1800)
@resumable
def plan_auxiliary_fit(key: StepKey, source: PlanSource) -> WeeklyPlan:
    """Write the plan that a refit would have made of an auxiliary fit, among its steps."""
    return _plan_as_today(source, key.run_id, str(fit_dir(current_home(), key)))


def _plan_as_today(source: PlanSource, scenario_id: str, folder: str) -> WeeklyPlan:
    model = PlannedModel(dataset_id=source.spec.dataset_id, run_id=source.run_id)
    seed = source.spec.sampler.random_seed
    request = PlanRequest(models=[model], random_seed=seed)
    try:
        plan, reason = write_plan([source], request, scenario_id, folder)
    except SpecError as error:
        log.warning("no plan: %s", error)
        return WeeklyPlan(plan=None, note=str(error))
    return WeeklyPlan(plan=plan, note=reason)
