"""Optima found without the product's optimizer: what its plans are compared with.

``allocate_on_grid`` is exact for outcomes that are sums over channels: dynamic programming over a
grid of money sees every allocation, whatever the shape of the curves. ``exchange_search`` is for
utilities that mix channels (CVaR, Sharpe): it moves money along directions that keep the budget,
without a gradient, from many starts.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

N_STEPS = 4000
"""Steps that the money above all lower bounds is cut into."""
FIRST_STEP, LAST_STEP = 0.3, 1e-5
"""Exchange steps, as shares of the mean width of the bounds."""
STALL = 1e-9
"""Relative rise in all directions together below which the step is halved."""


def allocate_on_grid(
    outcome: Callable[[int, Array], Array],
    lower: Array,
    upper: Array,
    budget: float,
    *,
    n_steps: int = N_STEPS,
) -> Array:
    """Return the best allocation of a sum of separate outcomes, on a grid.

    Parameters
    ----------
    outcome
        ``outcome(variable, money)``: what a variable brings at each amount, same shape as money.
    lower, upper
        Bounds, money, ``(variable,)``.
    budget
        Money that is spent, between the sums of the bounds.
    n_steps
        Steps of the grid; every amount is a lower bound plus a whole number of steps.

    Returns
    -------
    NDArray
        Money, ``(variable,)``. Its sum is ``budget`` unless an upper bound lies between two steps.
    """
    step = (budget - lower.sum()) / n_steps
    if step <= 0:
        return lower.copy()
    rooms = np.minimum(np.floor((upper - lower) / step + 1e-9).astype(int), n_steps)
    best = np.full(n_steps + 1, -np.inf)
    best[0] = 0.0
    choices = []
    for variable, room in enumerate(rooms):
        brought = outcome(variable, lower[variable] + step * np.arange(room + 1))
        best, taken = _add_variable(best, brought)
        choices.append(taken)
    left = int(np.flatnonzero(np.isfinite(best))[-1])
    money = lower.copy()
    for variable in reversed(range(len(lower))):
        used = int(choices[variable][left])
        money[variable] += used * step
        left -= used
    return money


def _add_variable(best: Array, brought: Array) -> tuple[Array, NDArray[np.intp]]:
    """Best outcome by steps used so far and, of them, steps of the new variable."""
    after = np.full_like(best, -np.inf)
    taken = np.zeros(len(best), dtype=np.intp)
    for used, gained in enumerate(brought):
        candidate = best[: len(best) - used] + gained
        better = candidate > after[used:]
        after[used:][better] = candidate[better]
        taken[used:][better] = used
    return after, taken


def exchange_search(
    utility: Callable[[Array], float], start: Array, lower: Array, upper: Array, *, seed: int
) -> Array:
    """Climb from one start along exchanges of money, halving the step where none helps.

    Parameters
    ----------
    utility
        What is made large, of money ``(variable,)``.
    start
        Money within the bounds; its sum is kept.
    lower, upper
        Bounds, money, ``(variable,)``.
    seed
        Seed of the directions that mix more than two variables.
    """
    rng = np.random.default_rng(seed)
    width = float((upper - lower).mean())
    pairs = _pairs(len(start))
    money, value, step = start.copy(), utility(start), FIRST_STEP * width
    while step > LAST_STEP * width:
        before = value
        for direction in [*pairs, *_mixtures(rng, len(start))]:
            moved = money + step * _room(money, direction, step, lower, upper) * direction
            moved = np.clip(moved, lower, upper)  # rounding may pass a bound by its last bit
            reached = utility(moved)
            if reached > value:
                money, value = moved, reached
        if not value - before > STALL * abs(before):
            step /= 2
    return money


def _pairs(n: int) -> list[Array]:
    """One unit from one variable to another."""
    unit = np.eye(n)
    return [unit[a] - unit[b] for a in range(n) for b in range(n) if a != b]


def _mixtures(rng: np.random.Generator, n: int) -> list[Array]:
    """As many random directions as variables; they keep the sum."""
    drawn = rng.standard_normal((n, n))
    return list(drawn - drawn.mean(axis=1, keepdims=True))


def _room(money: Array, direction: Array, step: float, lower: Array, upper: Array) -> float:
    """Share of a step that stays within the bounds."""
    wanted = step * direction
    ends = np.where(wanted > 0, upper - money, lower - money)
    moving = np.abs(wanted) > 0
    return float(np.clip((ends[moving] / wanted[moving]).min(initial=1.0), 0.0, 1.0))


def random_starts(
    lower: Array, upper: Array, budget: float, *, n_starts: int, seed: int
) -> list[Array]:
    """Draw allocations between the bounds that add up to the budget."""
    rng = np.random.default_rng(seed)
    starts = []
    for _ in range(n_starts):
        money = rng.uniform(lower, upper)
        missing = budget - money.sum()
        room = upper - money if missing > 0 else lower - money
        total = room.sum()
        starts.append(money + room * (missing / total if total else 0.0))
    return starts
