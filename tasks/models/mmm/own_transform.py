"""A transform of media of somebody else in kind ``mmm``: what it has to be, and its trial.

It takes the place of carryover and saturation. ``transform`` is written in PyTensor, once: the
graph that is sampled, the evaluation of draws and the gradient of a plan are all made of it
(``own_graph``). How a class is found and permitted stands in ``tasks.models.foreign``.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import product
from math import isfinite
from typing import Any, Protocol

import numpy as np
import scipy
from numpy.typing import NDArray

from schemas.errors import SpecError
from tasks.models.foreign import lags_problem, make_foreign, output_problem
from tasks.models.mmm.parameters import PriorKind

Array = NDArray[np.float64]

KEY = "model.transform"
FAMILY = "transform"
"""Before the names of its parameters: ``transform_power``."""
_TRIED = (0.05, 0.5, 0.95)
"""Quantiles of every prior at which a transform is tried out."""
_MOST_PARAMETERS = 4


class Transform(Protocol):
    """What a class has to be, whose instances are made without arguments."""

    priors: Mapping[str, tuple[str, float, float]]
    """Prior of each parameter of a channel: a family of ``PriorKind`` with its two arguments."""
    l_max: int
    """Periods in which an input is felt, its own included."""

    def transform(self, x: Any, **parameters: Any) -> Any:
        """Return what input ``(period,)`` becomes: as long, not negative, of the past alone.

        Input is a vector of PyTensor, parameters are scalars of it.
        """
        ...


@dataclass(frozen=True)
class OwnTransform:
    """A class of somebody else that passed ``find_transform``."""

    name: str
    made: Transform

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of its parameters."""
        return tuple(self.made.priors)

    @property
    def l_max(self) -> int:
        """Periods in which an input is felt."""
        return self.made.l_max

    def prior(self, parameter: str) -> tuple[PriorKind, float, float]:
        """Return family and arguments of one parameter's prior."""
        family, first, second = self.made.priors[parameter]
        return PriorKind(family), float(first), float(second)


@cache
def find_transform(name: str) -> OwnTransform:
    """Return the transform that a spec names.

    Raises
    ------
    SpecError
        If this machine does not permit its module, it cannot be imported, or it is no transform.
    """
    made = make_foreign(name, KEY)
    problems = list(_shape_problems(made))
    if problems:
        raise SpecError(f"{KEY}: {name}: {'; '.join(problems)}.", problems)
    return OwnTransform(name, made)


def try_out(transform: OwnTransform, scaled: Array) -> list[str]:
    """Say what is wrong with what a transform makes of real input; nothing where all is well.

    It is tried at low, middle and high values of its priors, on input as it is and with its last
    third taken away, and its slopes by its parameters as well: a sampler needs them.

    Parameters
    ----------
    transform
        From ``find_transform``.
    scaled
        Scaled input of every channel, ``(channel, entity, period)``.
    """
    from tasks.models.mmm.own_graph import evaluate, parameter_slopes

    rows = np.reshape(scaled, (-1, scaled.shape[-1]))
    cut = rows.shape[1] - rows.shape[1] // 3
    earlier = np.where(np.arange(rows.shape[1]) < cut, rows, 0.0)
    points = _points(transform)
    try:
        whole, past = (evaluate(transform, series, points) for series in (rows, earlier))
        slopes = (
            parameter_slopes(transform, rows, points) if whole.shape[2:] == rows.shape[1:] else {}
        )
    except Exception as error:  # whatever foreign code raises, the spec is what has to change
        return [f"{KEY}: {transform.name} stops: {type(error).__name__}: {error}"]
    found: dict[str, None] = {}
    for place, said in enumerate(_describe(points)):
        for row, one, before in zip(rows, whole[place], past[place], strict=True):
            problem = output_problem(row, one, before, cut)
            if problem is not None:
                found[f"{KEY}: {transform.name} with {said} {problem}"] = None
                break
    return list(found) or _slope_problems(transform, slopes)


def _slope_problems(transform: OwnTransform, slopes: Mapping[str, Array]) -> list[str]:
    return [
        f"{KEY}: {transform.name}: its slope by {name} is no number on these media; most often a "
        "root or logarithm of zero input, so add something small under it"
        for name, slope in slopes.items()
        if not np.isfinite(slope).all()
    ]


def _points(transform: OwnTransform) -> dict[str, Array]:
    """Every combination of low, middle and high values of its parameters, by name."""
    values = [_quantiles(*transform.prior(name)) for name in transform.parameters]
    combined = np.array(list(product(*values))).reshape(-1, len(values))
    return {name: combined[:, place] for place, name in enumerate(transform.parameters)}


def _quantiles(family: PriorKind, first: float, second: float) -> Array:
    stats = scipy.stats
    distribution = {
        PriorKind.NORMAL: lambda: stats.norm(first, second),
        PriorKind.LOG_NORMAL: lambda: stats.lognorm(second, scale=np.exp(first)),
        PriorKind.HALF_NORMAL: lambda: stats.halfnorm(scale=first),
        PriorKind.GAMMA: lambda: stats.gamma(first, scale=1 / second),
        PriorKind.BETA: lambda: stats.beta(first, second),
    }[family]()
    return np.asarray(distribution.ppf(_TRIED))


def _describe(points: Mapping[str, Array]) -> list[str]:
    rows = zip(*points.values(), strict=True)
    return [", ".join(f"{k} {v:.3g}" for k, v in zip(points, row, strict=True)) for row in rows]


def _shape_problems(made: Any) -> Iterator[str]:
    if not callable(getattr(made, "transform", None)):
        yield "it has no method transform(x, **parameters)"
    lags = lags_problem(made)
    if lags is not None:
        yield lags
    priors = getattr(made, "priors", None)
    if not isinstance(priors, Mapping) or not 1 <= len(priors) <= _MOST_PARAMETERS:
        yield f"priors is no mapping of one to {_MOST_PARAMETERS} parameter names to priors"
        return
    for name, prior in priors.items():
        if not _is_prior(prior):
            yield (
                f"priors[{name!r}] is {prior!r}; write (family, first, second), as in "
                f"('beta', 2, 2), with a family of {', '.join(PriorKind)}"
            )


def _is_prior(prior: Any) -> bool:
    """Whether it is a family with arguments that it can have."""
    if not isinstance(prior, Sequence) or isinstance(prior, str) or len(prior) != 3:
        return False
    family, *numbers = prior
    if family not in set(PriorKind) or not all(_is_number(value) for value in numbers):
        return False
    first, second = numbers
    if family == PriorKind.HALF_NORMAL:
        return bool(first > 0)
    needs_positive_first = family in (PriorKind.GAMMA, PriorKind.BETA)
    return bool(second > 0 and (first > 0 or not needs_positive_first))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)
