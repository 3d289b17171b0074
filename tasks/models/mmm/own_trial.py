"""A transform of somebody else on the real media, before any fit."""

from collections.abc import Mapping
from itertools import product

import numpy as np
import scipy
from numpy.typing import NDArray

from tasks.models.foreign import cut_off, output_problem
from tasks.models.mmm.own_graph import evaluate, parameter_slopes
from tasks.models.mmm.own_transform import OWN_KEY, OwnTransform
from tasks.models.mmm.parameters import PriorKind

Array = NDArray[np.float64]

_TRIED = (0.05, 0.5, 0.95)
"""Quantiles of every prior at which a transform is tried out."""


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
    rows, earlier, cut = cut_off(scaled)
    points = _points(transform)
    try:
        whole, past = (evaluate(transform, series, points) for series in (rows, earlier))
        slopes = (
            parameter_slopes(transform, rows, points) if whole.shape[2:] == rows.shape[1:] else {}
        )
    except Exception as error:  # whatever foreign code raises, the spec is what has to change
        return [f"{OWN_KEY}: {transform.name} stops: {type(error).__name__}: {error}"]
    found: dict[str, None] = {}
    for place, said in enumerate(_describe(points)):
        for row, one, before in zip(rows, whole[place], past[place], strict=True):
            problem = output_problem(row, one, before, cut)
            if problem is not None:
                found[f"{OWN_KEY}: {transform.name} with {said} {problem}"] = None
                break
    return list(found) or _slope_problems(transform, slopes)


def _slope_problems(transform: OwnTransform, slopes: Mapping[str, Array]) -> list[str]:
    return [
        f"{OWN_KEY}: {transform.name}: its slope by {name} is no number on these media; most often "
        "a root or logarithm of zero input, so add something small under it"
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
