"""Draws and their summaries: the one place that decides what a published interval is.

Every interval is the 94 % highest-density interval. ArviZ 1.x defaults to another kind and width,
so both are passed and recorded here.
"""

from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from schemas.names import HDI_PROB, SAMPLE_DIM


def stack_samples(draws: xr.Dataset) -> xr.Dataset:
    """Stack ``chain`` and ``draw`` into ``sample``, chain by chain, sample first.

    Parameters
    ----------
    draws
        Dims ``(chain, draw, ...)``.

    Returns
    -------
    xr.Dataset
        Dims ``(sample, ...)``, no index on ``sample``.
    """
    stacked = draws.stack({SAMPLE_DIM: ("chain", "draw")}, create_index=False)
    return stacked.transpose(SAMPLE_DIM, ...)


def hdi(values: NDArray[np.float64], *, prob: float = HDI_PROB) -> tuple[Any, Any]:
    """Highest-density interval over the first axis.

    Parameters
    ----------
    values
        Shape ``(n_samples, ...)``.
    prob
        Mass of the interval.

    Returns
    -------
    tuple
        Lower and upper end, each of shape ``(...)``: the narrowest window that holds
        ``floor(prob * n)`` steps of the sorted draws, as ``arviz.hdi`` has it (kept equal by a
        test; ArviZ loops in Python over the other axes, which takes minutes on a panel).
    """
    ordered = np.sort(values, axis=0)
    n = ordered.shape[0]
    width_index = int(np.floor(prob * n))
    widths = ordered[width_index:] - ordered[: n - width_index]
    start = np.argmin(widths, axis=0, keepdims=True)
    low = np.take_along_axis(ordered, start, axis=0)[0]
    high = np.take_along_axis(ordered, start + width_index, axis=0)[0]
    return low, high


def summarize(values: NDArray[np.float64], name: str) -> dict[str, Any]:
    """Mean and interval of a scalar's draws as ``{name}_mean``, ``{name}_low``, ``{name}_high``.

    Parameters
    ----------
    values
        Draws of one number, ``(sample,)``.
    name
        Stem of the keys.

    Returns
    -------
    dict
        In the unit of the draws; the interval is the 94 % HDI.
    """
    low, high = hdi(values)
    return {
        f"{name}_mean": float(np.mean(values)),
        f"{name}_low": float(low),
        f"{name}_high": float(high),
    }


def convergence(posterior: xr.Dataset) -> dict[str, xr.Dataset]:
    """R-hat and effective sample sizes of every parameter, as ArviZ computes them.

    Parameters
    ----------
    posterior
        Draws with dims ``(chain, draw, ...)``.

    Returns
    -------
    dict
        ``r_hat``, ``ess_bulk`` and ``ess_tail``, each a Dataset without ``chain`` and ``draw``.
    """
    # Takes longer to import than all else that plans and reports need of this module.
    import arviz as az

    # A constant has no R-hat: NaN, which no gate takes for a pass, is the answer and no warning.
    with np.errstate(invalid="ignore", divide="ignore"):
        return {
            "r_hat": az.rhat(posterior),
            "ess_bulk": az.ess(posterior, method="bulk"),
            "ess_tail": az.ess(posterior, method="tail"),
        }
