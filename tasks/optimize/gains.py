"""What a plan gains: draws of its outcome against today's, and what each channel brings."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from schemas.names import MARGINAL_STEP
from schemas.spec.optimizer import OptimizerSpec, Utility
from schemas.spec.plan_request import PlanRequest
from tasks.mathematics.draws import summarize
from tasks.optimize.methods import find_method
from tasks.optimize.outcome import Horizon
from tasks.optimize.problem import Problem
from tasks.optimize.response import Response, TabulatedResponse
from tasks.optimize.search import best_of_draw
from tasks.optimize.space import PlanSpace

Array = NDArray[np.float64]

N_OWN_PLANS = 64
"""Draws whose own best plan is searched."""


@dataclass(frozen=True)
class Gains:
    """Draws of what a candidate brings, ``(sample,)``, in the unit of the outcome."""

    total: Array
    """What the candidate's spend brings in all."""
    gain: Array
    """Against what the candidate is compared with."""
    change: Array
    """Against today's spend."""

    def of_draws(self, chosen: slice) -> "Gains":
        """Return those of some draws."""
        return Gains(self.total[chosen], self.gain[chosen], self.change[chosen])


@dataclass(frozen=True)
class OwnPlans:
    """Best plans of single draws."""

    money: Array
    """``(draw, variable)``."""
    beyond: Array
    """What each gains, in its own draw, beyond the candidate, ``(draw,)``."""


def todays_mix(space: PlanSpace, budget: float) -> Array:
    """Today's proportions at another budget, money, ``(variable,)``."""
    total = space.current.sum()
    return space.current * (budget / total) if total > 0 else space.current


@dataclass(frozen=True)
class Comparison:
    """What a candidate is compared with."""

    money: Array
    """Spend, ``(variable,)``."""
    price: float
    """What a unit of extra money must return before it counts as a gain."""
    words: str


def compare_with(
    space: PlanSpace, candidate: Array, request: PlanRequest, settings: OptimizerSpec
) -> Comparison:
    """Choose what a candidate's gain is measured against.

    A mix of given money is compared with today's mix of the same money. Where a target decides how
    much is spent, the level is the question: today's spend, and extra money has to earn its target
    (a target ROAS says what all money returns; what the last one must return is ``target_return``).
    """
    if request.target_roas is None and request.target_mroas is None:
        mix = todays_mix(space, float(candidate.sum()))
        return Comparison(mix, 0.0, "the same money in today's mix")
    price = request.target_mroas or settings.target_return
    words = f"today's spend, beyond the {price:g} that each unit of extra money must return"
    return Comparison(space.current, price, words)


def measure_gains(
    response: Response, space: PlanSpace, candidate: Array, against: Comparison
) -> Gains:
    """Evaluate a candidate, what it is compared with, and today's spend, exactly."""
    total, today = response.totals(candidate), response.totals(space.current)
    same = np.allclose(against.money, space.current, rtol=1e-9)
    rival = today if same else response.totals(against.money)
    extra = float(candidate.sum() - against.money.sum())
    return Gains(total=total, gain=total - rival - against.price * extra, change=total - today)


def channel_outcomes(space: PlanSpace, money: Array) -> Array:
    """What each channel brings, carryover included, ``(channel, sample)``.

    The counterfactual without it; of additive models its own part.
    """
    return _per_channel(space, money, lambda own: np.zeros_like(own), sign=-1.0)


def marginal_returns(space: PlanSpace, money: Array) -> Array:
    """Return of the next percent of each channel's spend, ``(channel, sample)``; NaN without spend.

    Unit: that of the outcome per unit of money.
    """
    more = _per_channel(space, money, lambda own: own * (1 + MARGINAL_STEP), sign=1.0)
    step = MARGINAL_STEP * space.by_channel(money)
    return np.asarray(more / np.where(step > 0, step, np.nan)[:, None])


def last_money(space: PlanSpace) -> dict[str, float | None]:
    """Return what the next percent of all spend brings, shared out over channels as today.

    ``last_money_{mean,low,high}``, unit of the outcome per unit of money; None without spend.
    """
    current = space.by_channel(space.current)
    spent = current > 0
    if not spent.any():
        return dict.fromkeys(f"last_money_{end}" for end in ("mean", "low", "high"))
    marginal = marginal_returns(space, space.current)[spent]
    return summarize(np.average(marginal, axis=0, weights=current[spent]), "last_money")


def return_elsewhere(marginal: Array, current: Array, advised: Array, place: int) -> float | None:
    """Spend-weighted mean marginal return where a channel's money comes from or goes to.

    Channels that move the other way; all others where none does, or where the channel stays.
    """
    moves = np.sign(advised - current)
    others = (np.arange(len(current)) != place) & ~np.isnan(marginal).any(axis=1) & (current > 0)
    opposite = others & (moves == -moves[place])
    chosen = opposite if opposite.any() and moves[place] != 0 else others
    if not chosen.any():
        return None
    return float(np.average(marginal[chosen].mean(axis=1), weights=current[chosen]))


def _per_channel(
    space: PlanSpace, money: Array, change: Callable[[Array], Array], *, sign: float
) -> Array:
    """Difference that changing one channel's spend makes, times ``sign``, ``(channel, sample)``."""
    found: Array | None = None
    for piece in space.pieces:
        own = space.channel_of[piece.places[piece.allocation.variable[0, :, 0]]]
        base = piece.spend(money)
        parts = _differences(piece.horizon, base, change(base))
        if found is None:
            found = np.zeros((len(space.channels), parts.shape[1]))
        np.add.at(found, own, sign * parts)
    if found is None:
        raise ValueError("a plan needs at least one model")
    return found


def _differences(horizon: Horizon, base: Array, changed: Array) -> Array:
    if horizon.model.additive:
        before, after = horizon.channel_outcomes(np.stack([base, changed])).sum(axis=3)
        return np.asarray(after - before)
    before = horizon.outcome(base)
    parts = []
    for channel in range(base.shape[1]):
        one = base.copy()
        one[:, channel] = changed[:, channel]
        parts.append(horizon.outcome(one) - before)
    return np.stack(parts)


def search_own_plans(
    table: TabulatedResponse, problem: Problem, candidate: Array, n_samples: int
) -> OwnPlans:
    """Search the best plan of some draws, each on its own: what perfect knowledge would do.

    Parameters
    ----------
    table
        Tabulated response of all draws.
    problem
        The problem that the candidate solves.
    candidate
        The plan of all draws together; every search starts there.
    n_samples
        Number of draws in the table.
    """
    chosen = np.unique(np.linspace(0, n_samples - 1, min(N_OWN_PLANS, n_samples)).astype(int))
    method = find_method("slsqp")
    plans, beyond = [], []
    for sample in chosen:
        own = replace(problem, response=table.draw(int(sample)), utility=Utility.MEAN)
        money = best_of_draw(own, candidate, method)
        plans.append(money)
        beyond.append(max(own.value(money).value - own.value(candidate).value, 0.0))
    return OwnPlans(np.stack(plans), np.array(beyond))
