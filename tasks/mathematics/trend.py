"""The trend beyond a straight line: bends at fixed dates, or a smooth curve.

What shapes the columns is computed once, from the fitted periods, and kept with the feature
metadata, so that a later date continues the same trend.
"""

import numpy as np
from numpy.typing import NDArray

from schemas.documents.features import FittedTrend
from schemas.spec.baseline import TrendKind, TrendSpec

BOUNDARY_FACTOR = 1.5
"""Half width of the smooth curve's domain over half the fitted window, at least."""
LENGTHS_BEYOND = 2.0
"""How far the domain goes beyond the fitted window, in length scales, at least. The basis is zero
at its ends: a nearer one pulls the curve back there, and what comes would seem known too well."""
RELATIVE_SD = 0.5
"""Prior size of all bends together, or of the smooth curve, against that of a straight line."""
_SMALLEST_SD = 1e-4
"""A basis function that the length scale rules out keeps a scale that can be divided by."""


def fix_trend(trend: TrendSpec, fitted: NDArray[np.float64]) -> FittedTrend:
    """Return the trend's settings with what the fitted window decides.

    Parameters
    ----------
    trend
        As the spec has it.
    fitted
        Positions of the fitted periods, in periods, ascending.

    Returns
    -------
    FittedTrend
        The settings; ``piecewise`` adds ``knots``, ``hinge_mean``, ``hinge_std`` (one per
        changepoint), ``gp`` adds ``centre`` and ``boundary``; all positions are in periods.

    References
    ----------
    Riutort-Mayol et al. (2022), Statistics and Computing 33:17: how wide a domain the
    approximation needs.
    """
    kept: dict[str, list[float] | float] = {}
    first, last = float(fitted[0]), float(fitted[-1])
    if trend.kind is TrendKind.PIECEWISE:
        knots = np.linspace(first, last, trend.changepoints + 2)[1:-1]
        hinges = _hinges(fitted, knots)
        std = hinges.std(axis=-1)
        kept |= {
            "knots": knots.tolist(),
            "hinge_mean": hinges.mean(axis=-1).tolist(),
            "hinge_std": np.where(std > 0, std, 1.0).tolist(),
        }
    if trend.kind is TrendKind.GP:
        half_range = (last - first) / 2 or 1.0
        beyond = half_range + LENGTHS_BEYOND * trend.length_scale
        boundary = max(BOUNDARY_FACTOR * half_range, beyond)
        kept |= {"centre": (first + last) / 2, "boundary": boundary}
    return FittedTrend.model_validate(trend.model_dump() | kept)


def trend_columns(position: NDArray[np.float64], trend: FittedTrend) -> NDArray[np.float64]:
    """Columns of the trend beside the straight line.

    Parameters
    ----------
    position
        Shape ``(n_dates,)``, in periods, on the axis of the fit.
    trend
        As ``fix_trend`` returned it.

    Returns
    -------
    NDArray
        Shape ``(n_columns, n_dates)``, no unit: ``piecewise`` has one z-scored hinge
        ``max(0, t - knot)`` per changepoint; ``gp`` one basis function
        ``sin(k pi (x + 1) / 2)`` per ``k``, with ``x`` the position over the boundary. Beyond the
        boundary the smooth curve has come back to zero and stays there.

    References
    ----------
    Riutort-Mayol et al. (2022), Statistics and Computing 33:17 (Hilbert-space Gaussian process),
    on a domain of half width one, as in ``pymc.gp.hsgp_approx``.
    """
    if trend.kind is TrendKind.PIECEWISE:
        mean, std = np.array(trend.hinge_mean), np.array(trend.hinge_std)
        return (_hinges(position, np.array(trend.knots)) - mean[:, None]) / std[:, None]
    if trend.kind is TrendKind.GP:
        centre, boundary = trend.domain
        x = np.clip((position - centre) / boundary, -1.0, 1.0)
        return np.sin(_frequencies(trend)[:, None] * (x + 1.0))
    return np.empty((0, len(position)))


def trend_relative_sds(trend: FittedTrend) -> list[float]:
    """Prior standard deviation of each column of ``trend_columns`` against a straight line's.

    Bends share theirs evenly. The smooth curve's are the square roots of the spectral density of
    an exponentiated-quadratic kernel with the stated ``length_scale``.
    """
    if trend.kind is TrendKind.PIECEWISE:
        return [RELATIVE_SD / float(np.sqrt(trend.changepoints))] * trend.changepoints
    if trend.kind is TrendKind.GP:
        _, boundary = trend.domain
        length_scale = trend.length_scale / boundary
        exponent = -0.25 * (_frequencies(trend) * length_scale) ** 2
        sds = RELATIVE_SD * (2 * np.pi) ** 0.25 * np.sqrt(length_scale) * np.exp(exponent)
        return [float(sd) for sd in np.maximum(sds, _SMALLEST_SD)]
    return []


def _hinges(position: NDArray[np.float64], knots: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.maximum(0.0, position - knots[:, None])


def _frequencies(trend: FittedTrend) -> NDArray[np.float64]:
    return 0.5 * np.pi * np.arange(1, trend.basis + 1, dtype=float)
