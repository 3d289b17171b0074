"""From fitted models and a request to a plan: lay out, bound, search, evaluate, advise."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from schemas.documents.plan import Advice, Plan
from schemas.errors import SpecError
from schemas.spec.optimizer import (
    ChannelBounds,
    GroupBounds,
    OptimizerSpec,
    PlanBounds,
    Utility,
)
from schemas.spec.plan_request import PlanRequest
from tasks.optimize.advice import give_advice
from tasks.optimize.bounds import build_limits, with_budget
from tasks.optimize.document import Asked, Found, Judged, build_document
from tasks.optimize.gains import (
    OwnPlans,
    compare_with,
    measure_gains,
    search_own_plans,
    todays_mix,
)
from tasks.optimize.limits import TOLERANCE, Limits, require_reachable
from tasks.optimize.methods import find_method
from tasks.optimize.outcome import Horizon, PlannedFit, build_horizon
from tasks.optimize.problem import Problem
from tasks.optimize.response import PanelResponse, TabulatedResponse, tabulate
from tasks.optimize.search import search_plan
from tasks.optimize.space import PlanSpace, build_space
from tasks.optimize.what_if import apply_rows, asks_for_entities, asks_for_periods

Array = NDArray[np.float64]

SEEN, UNSEEN = slice(None, None, 2), slice(1, None, 2)
"""Draws that a search looks at, and those that its plan's gain is judged on: a plan that looks best
on some draws looks worse on others."""
LEAST_DRAWS_SPLIT = 200
"""With fewer, half of them say less than what looking twice would flatter."""
N_DRAWS_EVALUATED, N_STARTS_EVALUATED = 250, 4
"""Draws and starts of a search whose curves are not separate: every step evaluates the models."""


def make_plan(
    fits: Sequence[PlannedFit],
    request: PlanRequest,
    settings: OptimizerSpec,
    *,
    scenario_id: str,
    created_at: datetime,
) -> Plan:
    """Plan the periods after the fits' panels.

    Parameters
    ----------
    fits
        One model, or several that share a budget.
    request
        Budget, target or hand-written plan, and bounds.
    settings
        Horizon, utility, method: the request's, or those of the run spec.
    scenario_id, created_at
        Identity of the plan.

    Raises
    ------
    SpecError
        If bounds, budget or target cannot be met, or a channel or entity is unknown.
    """
    space = lay_out(fits, request, settings)
    exact = PanelResponse(space.pieces)
    bounds = request.bounds or stated_bounds(fits, request)
    # A plan by hand is judged as it is: bounds are reported beside it, and bind nothing.
    free = settings if request.what_if is None else _beyond_observed(settings)
    limits = build_limits(space, bounds, free)
    found = (
        _optimize(space, exact, limits, request, settings)
        if request.what_if is None
        else Found(apply_rows(space, request.what_if), limits, None, None)
    )
    against = compare_with(space, found.money, request, settings)
    gains = measure_gains(exact, space, found.money, against)
    if found.is_judged_unseen:
        gains = gains.of_draws(UNSEEN)
    if request.what_if is not None:
        advice, reason = Advice.EVALUATED, "A hand-written plan, evaluated as it is."
    else:
        kpi = sum(piece.horizon.kpi for piece in space.pieces)
        advice, reason = give_advice(gains, found.money, against, settings, kpi=kpi)
        withheld = [fit.why_withheld for fit in fits if fit.why_withheld]
        if withheld and advice is Advice.FOLLOW:
            advice = Advice.WITHHELD
            reason = " ".join([*dict.fromkeys(withheld), "Spend as today."])
    asked = Asked(request, settings, bounds, scenario_id, created_at)
    judged = Judged(gains, against.words, advice, reason)
    return build_document(fits, asked, space, found, judged)


def _beyond_observed(settings: OptimizerSpec) -> OptimizerSpec:
    return settings.model_copy(update={"beyond_observed": True})


def lay_out(fits: Sequence[PlannedFit], request: PlanRequest, settings: OptimizerSpec) -> PlanSpace:
    """Lay out the variables of a plan.

    Raises
    ------
    SpecError
        If a model has no channel with spend, or models cannot share a plan.
    """
    horizons: dict[str, Horizon] = {}
    for fit in fits:
        dataset = fit.about.dataset_id
        horizons[dataset] = build_horizon(
            fit.model, fit.panel, fit.metadata, horizon=settings.horizon, weight=fit.about.weight
        )
        if not horizons[dataset].channels:
            raise SpecError(
                f"{dataset} has no channel with spend, so there is no budget to plan; name spend "
                "columns in the run spec (channels[].spend)."
            )
    rows = request.what_if or []
    return build_space(
        horizons,
        {fit.about.dataset_id: fit.prior_driven for fit in fits},
        unclear={fit.about.dataset_id: fit.unclear for fit in fits},
        confounded={fit.about.dataset_id: fit.confounded for fit in fits},
        separate=request.separate,
        by_entity=settings.by_entity or asks_for_entities(rows),
        flighting=settings.flighting or asks_for_periods(rows),
    )


def stated_bounds(fits: Sequence[PlannedFit], request: PlanRequest) -> PlanBounds:
    """Bounds of the run specs together; the first spec that names a channel decides."""
    channels: dict[str, ChannelBounds] = {}
    groups: list[GroupBounds] = []
    for fit in reversed(fits):
        prefix = f"{fit.about.dataset_id}/" if request.separate and len(fits) > 1 else ""
        channels |= {f"{prefix}{name}": stated for name, stated in fit.bounds.channels.items()}
        groups += [
            group.model_copy(update={"channels": [f"{prefix}{c}" for c in group.channels]})
            for group in fit.bounds.groups
        ]
    return PlanBounds(channels=channels, groups=groups)


def _optimize(
    space: PlanSpace,
    exact: PanelResponse,
    limits: Limits,
    request: PlanRequest,
    settings: OptimizerSpec,
) -> Found:
    """Search the best plan within the limits."""
    if settings.utility is Utility.SHARPE and request.target_mroas is not None:
        raise SpecError(
            "Utility 'sharpe' is a ratio and no money that a target mROAS could be set against; "
            "use mean, var or cvar."
        )
    has_target = request.target_roas is not None or request.target_mroas is not None
    budget = request.budget or float(space.current.sum())
    today = todays_mix(space, budget)
    if not has_target:
        limits = with_budget(limits, budget)
    require_reachable(limits, space.labels)
    table = tabulate(space.pieces, limits.lower, limits.upper)
    # A target is met by all draws together.
    is_split = table is not None and exact.n_draws >= LEAST_DRAWS_SPLIT and not has_target
    seen = table.of_draws(SEEN) if table and is_split else table
    problem = Problem(
        response=seen if seen else exact.thinned(N_DRAWS_EVALUATED),
        limits=limits,
        utility=settings.utility,
        risk_level=settings.risk_level,
        price=request.target_mroas or 0.0,
        least_return=request.target_roas,
    )
    search = search_plan(
        problem,
        today,
        find_method(settings.method),
        method_name=settings.method,
        n_starts=settings.n_starts if table else min(settings.n_starts, N_STARTS_EVALUATED),
        seed=request.random_seed,
    )
    money = _no_worse_than_today(search.money, problem, exact, today)
    own = _own_plans(table, problem, money, exact.n_draws)
    return Found(money, limits, search.certificate, own, is_judged_unseen=is_split)


def _no_worse_than_today(
    found: Array, problem: Problem, exact: PanelResponse, today: Array
) -> Array:
    """Keep today's mix where it is valid and the exact response does not see it beaten."""
    if problem.limits.violation(today) > TOLERANCE or problem.least_return is not None:
        return found
    judged = replace(problem, response=exact)
    return today if judged.value(today).value >= judged.value(found).value else found


def _own_plans(
    table: TabulatedResponse | None, problem: Problem, money: Array, n_samples: int
) -> OwnPlans | None:
    if table is None or problem.least_return is not None:
        return None
    return search_own_plans(table, problem, money, n_samples)
