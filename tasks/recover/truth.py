"""What is true of a simulated KPI: contributions, lift tests, and what a plan would bring."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import scipy
import xarray as xr
from numpy.typing import NDArray

from schemas.answers.recovery import TrueResponse, Truth
from schemas.documents.features import FeatureMetadata
from schemas.documents.plan import Advice, Plan
from schemas.names import CHANNEL_DIM, DATE_DIM, ENTITY_DIM
from schemas.spec.lift_tests import LiftTest
from tasks.mathematics.horizon_panel import extend_panel
from tasks.mathematics.panel import IS_ESTIMATION, estimation_window
from tasks.models.lift_placement import change_input, place_tests
from tasks.models.lookback import longest_carryover
from tasks.models.returns import value_of_units
from tasks.recover.law import MANY_LAGS, Law
from tasks.recover.worlds import World

Array = NDArray[np.float64]

MULTIPLES = (0.0, 0.25, 0.5, 0.7, 0.85, 1.0, 1.15, 1.3, 1.6, 2.0, 3.0)
"""Spend at which true responses are known, over today's."""
_N_STARTS = 5


def describe_truth(
    world: World, panel: xr.Dataset, metadata: FeatureMetadata, horizon: int
) -> Truth:
    """Evaluate the law of a world.

    Parameters
    ----------
    world
        The simulated KPI and its law.
    panel, metadata
        Of the fit.
    horizon
        Planned periods.
    """
    window = panel[IS_ESTIMATION].to_numpy()
    known = panel.assign(kpi=((ENTITY_DIM, DATE_DIM), world.kpi))
    return Truth(
        contribution={
            name: float(world.law.contribution(name, panel)[:, window].sum())
            for name in world.law.channels
        },
        kpi=float(np.nansum(world.kpi[:, window])),
        responses=tabulate_responses(
            TrueCurves(
                world.law.contribution,
                world.law.channels,
                MANY_LAGS if world.law.own is not None else longest_carryover(metadata),
            ),
            panel,
            metadata,
            horizon,
        ),
        kpi_of_horizon=kpi_of_last(known, metadata, horizon),
    )


def kpi_of_last(panel: xr.Dataset, metadata: FeatureMetadata, horizon: int) -> float:
    """Return the KPI of the last periods of a panel, in the unit of a plan's gain."""
    recent = panel.isel({DATE_DIM: slice(-horizon, None)})
    unit = recent["unit_value"].transpose(ENTITY_DIM, DATE_DIM).to_numpy()
    kpi = recent["kpi"].transpose(ENTITY_DIM, DATE_DIM).to_numpy()
    return float(np.nansum(np.abs(kpi) * value_of_units(unit, metadata)))


class TrueCurves(NamedTuple):
    """What channels truly bring, as far as a plan is judged by it."""

    bring: Callable[[str, xr.Dataset], Array]
    """Contribution of a channel on any panel, ``(entity, date)``, KPI units."""
    channels: Sequence[str]
    """In the order of the panel."""
    n_lags: int
    """Periods in which an input is felt."""


def tabulate_responses(
    curves: TrueCurves, panel: xr.Dataset, metadata: FeatureMetadata, horizon: int
) -> dict[str, TrueResponse]:
    """Tabulate what each channel brings over the horizon and after it, at multiples of its spend.

    One that rests is reopened as a plan does it, see ``_reopen``.

    Parameters
    ----------
    curves
        The truth.
    panel, metadata
        Of the fit.
    horizon
        Planned periods.

    Returns
    -------
    dict
        By channel that has cost money in the fitted window.
    """
    start = panel.sizes[DATE_DIM]
    periods = horizon + curves.n_lags - 1
    longer = extend_panel(panel, metadata.grain, periods, like_last=horizon)
    longer, spent = _reopen(longer, panel, horizon)
    unit = longer["unit_value"].transpose(ENTITY_DIM, DATE_DIM).to_numpy()[:, start:]
    value = value_of_units(unit, metadata)
    found = {}
    for place, name in enumerate(curves.channels):
        if not spent[place] > 0:
            continue
        outcomes = []
        for times in MULTIPLES:
            planned = _at(longer, name, times, start, horizon)
            outcomes.append(float((curves.bring(name, planned)[:, start:] * value).sum()))
        money = [float(times * spent[place]) for times in MULTIPLES]
        found[name] = TrueResponse(money=money, outcome=outcomes)
    return found


def _reopen(longer: xr.Dataset, panel: xr.Dataset, horizon: int) -> tuple[xr.Dataset, Array]:
    """Let channels that rest run in the horizon; return what each channel spends there, money.

    As in a plan, the money of one that rests is even over periods and over entities as ever spent,
    at the price of all history. It spends in each period the most that it was seen to.
    """
    start, cube = panel.sizes[DATE_DIM], (ENTITY_DIM, CHANNEL_DIM, DATE_DIM)
    coming = slice(start, start + horizon)
    spend = np.nan_to_num(longer["spend"].transpose(*cube).to_numpy())
    spent = spend[:, :, coming].sum(axis=(0, 2))
    fitted = estimation_window(panel)
    paid = np.nan_to_num(fitted["spend"].transpose(*cube).to_numpy()).sum(axis=0)
    bought = fitted["media"].transpose(*cube).to_numpy().sum(axis=2)
    media = longer["media"].transpose(*cube).copy(deep=True)
    for place in np.flatnonzero((spent <= 0) & (paid.sum(axis=1) > 0)):
        most = float(paid[place].max())
        media.values[:, place, coming] = (bought[:, place] / paid[place].sum() * most)[:, None]
        spent[place] = most * horizon
    return longer.assign(media=media), spent


def _at(panel: xr.Dataset, channel: str, times: float, start: int, horizon: int) -> xr.Dataset:
    """Multiply a channel's input over the horizon, and switch it off afterwards."""
    media = panel["media"].transpose(ENTITY_DIM, CHANNEL_DIM, DATE_DIM).copy(deep=True)
    index = [str(c) for c in panel[CHANNEL_DIM].values].index(channel)
    media.values[:, index, start : start + horizon] *= times
    media.values[:, index, start + horizon :] = 0.0
    return panel.assign(media=media)


def measure_tests(
    law: Law,
    panel: xr.Dataset,
    metadata: FeatureMetadata,
    tests: Sequence[LiftTest],
    rng: np.random.Generator,
) -> list[LiftTest]:
    """Return lift tests with the results that they would have had in a world.

    Parameters
    ----------
    law
        Of the world.
    panel, metadata
        Of the fit.
    tests
        Of the spec.
    rng
        Draws their errors, as large as they are stated.
    """
    if not tests:
        return []
    before = sum(law.contribution(c, panel) for c in law.channels)
    measured = []
    for test, placed in zip(tests, place_tests(panel, metadata.grain, tests), strict=True):
        changed = change_input(panel, placed)
        lift = sum(law.contribution(c, changed) for c in law.channels) - before
        found = float(np.sum(lift)) + rng.normal(0, test.standard_error)
        measured.append(test.model_copy(update={"delta_kpi": found}))
    return measured


class TrueOutcome:
    """What a plan truly brings, from tabulated responses.

    Parameters
    ----------
    responses
        By channel.
    """

    def __init__(self, responses: Mapping[str, TrueResponse]) -> None:
        self._curves = {
            name: scipy.interpolate.PchipInterpolator(row.money, row.outcome)
            for name, row in responses.items()
        }

    def of(self, plan: Mapping[str, float]) -> float:
        """Return the outcome of money by channel."""
        return float(sum(curve(min(plan[n], curve.x[-1])) for n, curve in self._of(plan)))

    def _of(
        self, plan: Mapping[str, float]
    ) -> Iterator[tuple[str, scipy.interpolate.PchipInterpolator]]:
        return ((name, self._curves[name]) for name in plan)

    def best(self, low: Array, high: Array, names: Sequence[str], budget: float) -> float:
        """Return the largest outcome of a budget within bounds, money, ``(channel,)``.

        From several starts: true curves may be S-shaped.
        """
        rng = np.random.default_rng(0)
        total = scipy.optimize.LinearConstraint(np.ones((1, len(names))), budget, budget)
        scale = max(abs(self.of(dict(zip(names, high, strict=True)))), 1e-300)

        def loss(money: Array) -> float:
            return -self.of(dict(zip(names, money, strict=True))) / scale

        found = []
        for _ in range(_N_STARTS):
            share = rng.uniform(size=len(names)) * (high - low)
            start = low + share * (budget - low.sum()) / max(share.sum(), 1e-300)
            solved = scipy.optimize.minimize(
                loss,
                np.clip(start, low, high),
                method="SLSQP",
                bounds=scipy.optimize.Bounds(low, high),
                constraints=[total],
            )
            off = abs(float(solved.x.sum()) - budget)
            if off <= 1e-6 * budget:
                found.append(-solved.fun * scale)
        return max(found, default=-np.inf)


class TrueGain(NamedTuple):
    """What following the advice of a plan would have meant, in the unit of its gain."""

    gain: float
    """Beyond the same money in today's mix; 0 where the advice is to stay."""
    regret: float
    """What the best plan within the same bounds would have brought beyond the advice."""


def judge_plan(plan: Plan, responses: Mapping[str, TrueResponse]) -> TrueGain:
    """Hold a plan against the truth.

    Parameters
    ----------
    plan
        As a refit of the simulated KPI makes it: all of its channels have cost money.
    responses
        What is true of them.
    """
    names = list(plan.channels)
    outcome = TrueOutcome(responses)
    today = {name: plan.channels[name].current for name in names}
    times = plan.budget / max(sum(today.values()), 1e-300)
    mix = outcome.of({name: money * times for name, money in today.items()})
    follows = plan.advice is Advice.FOLLOW
    advised = outcome.of({n: plan.channels[n].candidate for n in names}) if follows else mix
    low, high = (
        np.array([getattr(plan.channels[name], end) for name in names]) for end in ("low", "high")
    )
    best = max(outcome.best(low, high, names, plan.budget), mix, advised)
    return TrueGain(advised - mix, best - advised)
