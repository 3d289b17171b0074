"""The way from an earlier fit to a later one, one factor at a time, and the parts it gives.

The way has a state for every number of factors that were let in: the earlier run's, those of
auxiliary fits, the later run's. Several fits of one state differ by chance alone, so their
average stands for it, and what lies between a fit and that average is sampling noise.
"""

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from schemas.documents.changes import Factor, Part

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


def choose_noise_state(
    changed: Sequence[Factor], *, before_is_current: bool, after_is_current: bool
) -> int | None:
    """Return where another seed is tried: a state that today's code can repeat.

    Parameters
    ----------
    changed
        Factors that differ, in the order in which they are let in.
    before_is_current, after_is_current
        Whether a run was made by today's code.

    Returns
    -------
    int or None
        Number of factors let in there. None where it needs no fit, since nothing differs and the
        runs repeat each other, or where no fit can tell, since both runs are of older code.
    """
    if not changed:
        return None
    if before_is_current:
        return 0
    if after_is_current:
        return len(changed)
    return 1 if len(changed) > 1 else None


def plan_route(
    changed: Sequence[Factor],
    fitted: Sequence[Factor],
    repeats: Sequence[str],
    noise_at: int | None,
) -> list[Stop]:
    """Lay the way out over the fits that there are.

    Parameters
    ----------
    changed
        Factors that differ, in the order in which they are let in.
    fitted
        Those after which there is an auxiliary fit, named like its factor.
    repeats
        Names of the fits with other seeds.
    noise_at
        State of the ``repeats``.
    """
    if not changed:
        return [Stop({BEFORE: 1.0}, ()), Stop({AFTER: 1.0}, (Factor.NOISE,))]
    stops: list[Stop] = []
    pending: tuple[Factor, ...] = ()
    for state in range(len(changed) + 1):
        pending = (*pending, *changed[max(state - 1, 0) : state])
        places = _places(
            _own_fit(state, changed, fitted),
            repeats if state == noise_at else [],
            is_last=state == len(changed),
        )
        stops += [
            Stop(weights, (Factor.NOISE,) if order else pending)
            for order, weights in enumerate(places)
        ]
        pending = () if places else pending
    return stops


def split_change(stops: Sequence[Stop], fits: Mapping[str, Estimate]) -> Split:
    """Return the parts of a change along the way; they add up to the whole of it."""
    parts: dict[Factor, Part] = {}
    unsplit: Part | None = None
    unsplit_of: tuple[Factor, ...] = ()
    for before, after in itertools.pairwise(stops):
        part = _difference(before.weights, after.weights, fits)
        if len(after.factors) == 1:
            parts[after.factors[0]] = part
        else:
            unsplit, unsplit_of = part, after.factors
    return Split(parts, unsplit, unsplit_of)


def name_main_cause(split: Split) -> str:
    """Return the largest part that is more than sampling noise; ``noise`` where there is none."""
    named: list[tuple[str, Part]] = [(factor.value, part) for factor, part in split.parts.items()]
    if split.unsplit is not None:
        named.append(("unsplit", split.unsplit))
    clear = [(abs(part.value), name) for name, part in named if part.is_clear]
    _, largest = max(clear, default=(0.0, Factor.NOISE.value))
    return largest


def _own_fit(state: int, changed: Sequence[Factor], fitted: Sequence[Factor]) -> list[str]:
    if state == 0:
        return [BEFORE]
    if state == len(changed):
        return [AFTER]
    factor = changed[state - 1]
    return [factor.value] if factor in fitted else []


def _places(own: Sequence[str], repeats: Sequence[str], *, is_last: bool) -> list[Weights]:
    """Stops of one state: its own fit and the average of all its fits, the later run's fit last."""
    single: list[Weights] = [{name: 1.0} for name in own]
    if not repeats:
        return single
    pooled = _average([*own, *repeats])
    return [pooled, *single] if is_last else [*single, pooled]


def _average(names: Sequence[str]) -> dict[str, float]:
    return {name: 1.0 / len(names) for name in names}


def _difference(before: Weights, after: Weights, fits: Mapping[str, Estimate]) -> Part:
    weights = {n: after.get(n, 0.0) - before.get(n, 0.0) for n in {**before, **after}}
    return Part(
        value=math.fsum(weight * fits[name].value for name, weight in weights.items()),
        mcse=math.sqrt(math.fsum((w * fits[name].mcse) ** 2 for name, w in weights.items())),
    )
