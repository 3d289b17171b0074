"""Utilities: one number for many draws of an outcome, and its gradient by every draw."""

import numpy as np
import scipy
from numpy.typing import NDArray

from schemas.spec.optimizer import Utility

Array = NDArray[np.float64]


def compute_utility(totals: Array, utility: Utility, *, risk_level: float) -> tuple[float, Array]:
    """Value of a utility and its gradient by the draws.

    Parameters
    ----------
    totals
        Draws of the outcome, ``(sample,)``.
    utility, risk_level
        Which utility; the tail share of ``var`` and ``cvar``.

    Returns
    -------
    tuple
        The utility in the unit of ``totals`` (none for ``sharpe``), and weights ``(sample,)``: its
        derivative by every draw.

    References
    ----------
    Rockafellar and Uryasev (2000) for CVaR over draws; Harrell and Davis (1982) for the quantile: a
    weighted mean of all ordered draws, whose gradient does not jump from one draw to another.
    """
    if utility is Utility.MEAN:
        weights = np.full(len(totals), 1.0 / len(totals))
    elif utility is Utility.SHARPE:
        return _sharpe(totals)
    else:
        ordered = _cvar_weights if utility is Utility.CVAR else _quantile_weights
        weights = np.empty(len(totals))
        weights[np.argsort(totals, kind="stable")] = ordered(len(totals), risk_level)
    return float(weights @ totals), weights


def _cvar_weights(n: int, risk_level: float) -> Array:
    """Weights of ordered draws: even over the worst ``risk_level`` share, the last one in part."""
    filled = np.clip(n * risk_level - np.arange(n), 0.0, 1.0)
    return np.asarray(filled / filled.sum())


def _quantile_weights(n: int, risk_level: float) -> Array:
    edges = scipy.stats.beta.cdf(
        np.arange(n + 1) / n, (n + 1) * risk_level, (n + 1) * (1 - risk_level)
    )
    return np.asarray(np.diff(edges))


def _sharpe(totals: Array) -> tuple[float, Array]:
    n, mean = len(totals), totals.mean()
    # An outcome that no draw doubts has no risk to weigh; the floor keeps the ratio finite.
    sd = max(float(totals.std()), 1e-12 * max(1.0, abs(float(mean))))
    weights = 1.0 / (n * sd) - mean * (totals - mean) / (n * sd**3)
    return float(mean / sd), weights
