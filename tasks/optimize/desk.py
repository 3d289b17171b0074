"""A desk for plans by hand: a model opened once, and plans judged while somebody drags.

The same numbers as ``planning.make_plan`` has for a hand-written plan: parts of an additive model
come from a table of their curves, of other models from the model itself, on fewer draws.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from schemas.answers.plans import DeskChannel, EvaluatedChannel, PlanDesk, PlanEvaluation
from schemas.spec.optimizer import OptimizerSpec, Utility
from schemas.spec.plan_request import PlanRequest, SpendRow
from tasks.mathematics.draws import hdi, summarize
from tasks.optimize.bounds import build_limits
from tasks.optimize.document import units_of
from tasks.optimize.gains import compare_with, measure_gains
from tasks.optimize.outcome import PlannedFit
from tasks.optimize.planning import N_DRAWS_EVALUATED, lay_out, stated_bounds
from tasks.optimize.response import PanelResponse, Response, TabulatedResponse, tabulate
from tasks.optimize.space import PlanSpace
from tasks.optimize.utility import compute_utility
from tasks.optimize.what_if import apply_rows

Array = NDArray[np.float64]

REACH = 3.0
"""Curves are tabulated up to this multiple of current spend, or of what was observed if more."""


@dataclass(frozen=True)
class Desk:
    """An opened model with everything that a plan by hand needs."""

    facts: PlanDesk
    space: PlanSpace
    request: PlanRequest
    settings: OptimizerSpec
    exact: PanelResponse
    table: TabulatedResponse | None
    """None where the model multiplies its parts."""
    most: Array
    """As far as the table reaches, money, ``(variable,)``."""


def open_desk(fits: Sequence[PlannedFit], request: PlanRequest, settings: OptimizerSpec) -> Desk:
    """Open models for plans by hand, one variable per channel.

    Parameters
    ----------
    fits
        One model, or several that share a budget.
    request, settings
        What a plan of them would be asked; aims and rows do not matter.

    Raises
    ------
    SpecError
        If a model has no channel with spend.
    """
    settings = settings.model_copy(update={"by_entity": False, "flighting": False})
    space = lay_out(fits, request, settings)
    most = REACH * np.maximum(space.current, space.observed[1])
    table = tabulate(space.pieces, np.zeros_like(most), most)
    exact = PanelResponse(space.pieces)
    if table is None and exact.n_draws > N_DRAWS_EVALUATED:
        exact = exact.thinned(N_DRAWS_EVALUATED)
    facts = _facts(fits, space, request, settings, most)
    return Desk(facts, space, request, settings, exact, table, most)


def judge_by_hand(
    desk: Desk, rows: Sequence[SpendRow], utility: Utility, risk_level: float
) -> PlanEvaluation:
    """Return what a plan by hand brings.

    Parameters
    ----------
    desk
        The opened model.
    rows
        Money or change per channel; channels that no row names stay as they are.
    utility, risk_level
        What is to be large, and the tail share of ``var`` and ``cvar``.

    Raises
    ------
    SpecError
        If a channel is unknown, or named twice.
    """
    space = desk.space
    money = apply_rows(space, rows)
    against = compare_with(space, money, desk.request, desk.settings)
    response = _response(desk, money, against.money)
    gains = measure_gains(response, space, money, against)
    budget = float(money.sum())
    return PlanEvaluation(
        budget=budget,
        current_budget=float(space.current.sum()),
        **summarize(gains.gain, "gain"),
        prob_gain=float((gains.gain > 0).mean()),
        expected_regret=float(np.maximum(-gains.gain, 0.0).mean()),
        **summarize(gains.change, "change"),
        **summarize(gains.total, "incremental"),
        return_mean=float(gains.total.mean()) / budget if budget > 0 else None,
        utility=utility,
        risk_level=risk_level,
        utility_value=compute_utility(gains.total, utility, risk_level=risk_level)[0],
        utility_rival=compute_utility(gains.total - gains.gain, utility, risk_level=risk_level)[0],
        channels=_channels(desk, money),
    )


def _response(desk: Desk, *plans: Array) -> Response:
    """Return the table where every plan is within its reach, else the model itself."""
    within = all((money <= desk.most).all() for money in plans)
    return desk.table if desk.table is not None and within else desk.exact


def _channels(desk: Desk, money: Array) -> dict[str, EvaluatedChannel]:
    space = desk.space
    current, planned = space.by_channel(space.current), space.by_channel(money)
    table = desk.table
    parts = None if table is None else table.parts(money)
    today = None if table is None else table.parts(space.current).mean(axis=1)
    even = np.full(desk.exact.n_draws, 1 / desk.exact.n_draws)
    slopes = None if table is None else table.pull(money, even)
    found = {}
    for name in desk.facts.channels:
        place = space.channels.index(name)
        mine = space.channel_of == place
        # A plan beyond the table's reach has no part of its own.
        is_known = parts is not None and bool((money[mine] <= desk.most[mine]).all())
        draws = parts[mine].sum(axis=0) if parts is not None and is_known else None
        low, high = hdi(draws) if draws is not None else (None, None)
        fact = desk.facts.channels[name]
        slack = 1e-6 * max(fact.observed_high, 1.0)
        found[name] = EvaluatedChannel(
            current=float(current[place]),
            planned=float(planned[place]),
            brings_today=None if today is None else float(today[mine].sum()),
            brings_mean=None if draws is None else float(draws.mean()),
            brings_low=None if low is None else float(low),
            brings_high=None if high is None else float(high),
            next_return=float(slopes[mine].mean()) if slopes is not None and is_known else None,
            is_beyond_observed=not (
                fact.observed_low - slack <= planned[place] <= fact.observed_high + slack
            ),
        )
    return found


def _facts(
    fits: Sequence[PlannedFit],
    space: PlanSpace,
    request: PlanRequest,
    settings: OptimizerSpec,
    most: Array,
) -> PlanDesk:
    bounds = request.bounds or stated_bounds(fits, request)
    limits = build_limits(space, bounds, settings)
    current = space.by_channel(space.current)
    observed = [space.by_channel(end) for end in space.observed]
    reach = space.by_channel(most)
    words = units_of([fit.metadata for fit in fits])
    horizon = space.pieces[0].horizon
    channels = {}
    for place in np.argsort(-current, kind="stable"):
        name = space.channels[place]
        low, high = limits.range_of(space.row([name]))
        channels[name] = DeskChannel(
            current=float(current[place]),
            low=low,
            high=high,
            observed_low=float(observed[0][place]),
            observed_high=float(observed[1][place]),
            most=float(reach[place]),
            is_held=bool(space.held[place]),
        )
    return PlanDesk(
        model=fits[0].about,
        unit=words.unit,
        kpi_name=words.kpi,
        return_word=words.word,
        first_period=horizon.starts[0],
        last_period=horizon.starts[-1],
        horizon=settings.horizon,
        settings=settings,
        channels=channels,
        groups=bounds.groups,
    )
