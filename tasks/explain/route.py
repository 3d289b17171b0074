"""Ways from an earlier fit to a later one, one factor at a time, and the parts they give.

A way has a state for every set of factors that was let in: the earlier run's, those of auxiliary
fits, the later run's. Several fits of one state differ by chance alone, so their average stands for
it, and what lies between a fit and that average is sampling noise. What a factor changed depends on
which were let in before it, so its part is the average over the orders (Shapley's value): parts add
up to the change, and no factor is favoured by its place.

References
----------
Shapley (1953), A value for n-person games.
"""

import itertools
import math
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from schemas.documents.changes import Factor, Part
from tasks.explain.orders import State, name_state

BEFORE, AFTER = "before", "after"
"""Names of the two runs' own fits."""

type Weights = Mapping[str, float]


class Estimate(NamedTuple):
    """A return of one fit."""

    value: float
    mcse: float


class Stop(NamedTuple):
    """A place on the way: an average of fits, and the factors let in since the stop before."""

    weights: Weights
    factors: tuple[Factor, ...]


class Split(NamedTuple):
    """Parts of one change; ``unsplit`` is due to all of ``unsplit_of``."""

    parts: dict[Factor, Part]
    unsplit: Part | None
    unsplit_of: tuple[Factor, ...]
    ranges: dict[Factor, tuple[float, float]]
    """Least and most that a factor changed over the orders; empty with one order."""


def choose_noise_state(
    changed: Sequence[Factor], *, before_is_current: bool, after_is_current: bool
) -> State | None:
    """Return where another seed is tried: a state that today's code can repeat.

    Parameters
    ----------
    changed
        Factors that differ, in the order of ``STEPS``.
    before_is_current, after_is_current
        Whether a run was made by today's code.

    Returns
    -------
    State or None
        Factors let in there. None where it needs no fit, since nothing differs and the
        runs repeat each other, or where no fit can tell, since both runs are of older code.
    """
    if not changed:
        return None
    if before_is_current:
        return frozenset()
    if after_is_current:
        return frozenset(changed)
    return frozenset(changed[:1]) if len(changed) > 1 else None


def plan_route(
    order: Sequence[Factor],
    fitted: Collection[State],
    repeats: Sequence[str],
    noise_at: State | None,
) -> list[Stop]:
    """Lay the way out over the fits that there are.

    Parameters
    ----------
    order
        Factors that differ, in the order in which they are let in.
    fitted
        States between the runs that have a fit, which is named by ``orders.name_state``.
    repeats
        Names of the fits with other seeds.
    noise_at
        State of the ``repeats``.
    """
    if not order:
        return [Stop({BEFORE: 1.0}, ()), Stop({AFTER: 1.0}, (Factor.NOISE,))]
    stops: list[Stop] = []
    pending: tuple[Factor, ...] = ()
    for n_let_in in range(len(order) + 1):
        state = frozenset(order[:n_let_in])
        pending = (*pending, *order[max(n_let_in - 1, 0) : n_let_in])
        is_last = n_let_in == len(order)
        places = _places(
            _own_fit(state, fitted, is_last=is_last),
            repeats if state == noise_at else [],
            is_last=is_last,
        )
        stops += [
            Stop(weights, (Factor.NOISE,) if place else pending)
            for place, weights in enumerate(places)
        ]
        pending = () if places else pending
    return stops


def split_change(routes: Sequence[Sequence[Stop]], fits: Mapping[str, Estimate]) -> Split:
    """Return the parts of a change, averaged over ways; they add up to the whole of it.

    Parameters
    ----------
    routes
        At least one way, each from the earlier run to the later one.
    fits
        Returns by name of the fit.
    """
    moves: dict[tuple[Factor, ...], list[Weights]] = {}
    for stops in routes:
        for before, after in itertools.pairwise(stops):
            moves.setdefault(after.factors, []).append(_minus(after.weights, before.weights))
    parts: dict[Factor, Part] = {}
    unsplit: Part | None = None
    unsplit_of: tuple[Factor, ...] = ()
    ranges: dict[Factor, tuple[float, float]] = {}
    for factors, weights in moves.items():
        part = _evaluate(_sum(weights, 1.0 / len(routes)), fits)
        if len(factors) > 1:
            unsplit, unsplit_of = part, factors
            continue
        parts[factors[0]] = part
        single = [_evaluate(one, fits).value for one in weights]
        if factors[0] is not Factor.NOISE and len(routes) > 1:
            ranges[factors[0]] = (min(single), max(single))
    return Split(parts, unsplit, unsplit_of, ranges)


def name_main_cause(split: Split) -> str:
    """Return the largest part that is more than sampling noise; ``noise`` where there is none."""
    named: list[tuple[str, Part]] = [(factor.value, part) for factor, part in split.parts.items()]
    if split.unsplit is not None:
        named.append(("unsplit", split.unsplit))
    clear = [(abs(part.value), name) for name, part in named if part.is_clear]
    _, largest = max(clear, default=(0.0, Factor.NOISE.value))
    return largest


def _own_fit(state: State, fitted: Collection[State], *, is_last: bool) -> list[str]:
    if not state:
        return [BEFORE]
    if is_last:
        return [AFTER]
    return [name_state(state)] if state in fitted else []


def _places(own: Sequence[str], repeats: Sequence[str], *, is_last: bool) -> list[Weights]:
    """Stops of one state: its own fit and the average of all its fits, the later run's fit last."""
    single: list[Weights] = [{name: 1.0} for name in own]
    if not repeats:
        return single
    pooled = _average([*own, *repeats])
    return [pooled, *single] if is_last else [*single, pooled]


def _average(names: Sequence[str]) -> dict[str, float]:
    return {name: 1.0 / len(names) for name in names}


def _minus(after: Weights, before: Weights) -> Weights:
    return {n: after.get(n, 0.0) - before.get(n, 0.0) for n in {**before, **after}}


def _sum(many: Sequence[Weights], factor: float) -> Weights:
    names = dict.fromkeys(name for weights in many for name in weights)
    return {n: factor * math.fsum(weights.get(n, 0.0) for weights in many) for n in names}


def _evaluate(weights: Weights, fits: Mapping[str, Estimate]) -> Part:
    return Part(
        value=math.fsum(weight * fits[name].value for name, weight in weights.items()),
        mcse=math.sqrt(math.fsum((w * fits[name].mcse) ** 2 for name, w in weights.items())),
    )
