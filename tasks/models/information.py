"""How well a fit predicts what it was fitted to: PSIS-LOO by ArviZ, and WAIC.

What either warns of is part of the answer: a number that says less than it seems to.
"""

import warnings
from typing import Any, NamedTuple

import arviz as az
import numpy as np
import xarray as xr
from numpy.typing import NDArray

from tasks.mathematics.panel import IS_ESTIMATION, observed_of
from tasks.models.contract import FittedModel

BAD_K = 0.7
"""Pareto k from which smoothing does not help: leaving the value out changes the fit too much."""
BAD_VARIANCE = 0.4
"""Posterior variance of a log density above which WAIC is off (Vehtari, Gelman and Gabry 2017)."""
Array = NDArray[np.float64]


class Information(NamedTuple):
    """Expected log predictive density of the values that a fit was made of."""

    n: int
    """Observed values: entities times fitted periods."""
    elpd_loo: float
    """Sum over them by PSIS-LOO; NaN where there are too few draws."""
    p_loo: float
    """Effective number of parameters."""
    n_bad_k: int
    """Values whose Pareto k is above ``BAD_K``."""
    elpd_waic: float
    """Sum over them by WAIC."""
    n_bad_variance: int
    """Values whose posterior variance of the log density is above ``BAD_VARIANCE``."""


def measure_information(model: FittedModel, panel: xr.Dataset) -> Information:
    """Measure a fit of a posterior on its own panel.

    Where noise lasts, a value is predicted given the one before it; leaving it out does not take it
    out of the prediction of the one after it.

    Parameters
    ----------
    model
        Its draws are of a posterior; others cannot be reweighted to leave a value out.
    panel
        Of the fit.
    """
    pointwise = log_densities(model, panel, model.expected(panel))
    loo = compute_loo(pointwise, ("cell",), model.draws.sizes["chain"])
    density, variance = _waic_terms(pointwise)
    return Information(
        n=pointwise.shape[1],
        elpd_loo=float("nan") if loo is None else float(loo.elpd),
        p_loo=float("nan") if loo is None else float(loo.p),
        n_bad_k=0 if loo is None else count_bad_k(loo),
        elpd_waic=float((density - variance).sum()),
        n_bad_variance=int((variance > BAD_VARIANCE).sum()),
    )


def log_densities(model: FittedModel, panel: xr.Dataset, expected: Array) -> Array:
    """Return the log density of every observed value of the fitted periods, ``(sample, value)``.

    Parameters
    ----------
    model, panel
        A fitted model and the panel of its fit.
    expected
        Expected KPI under every draw, ``(sample, entity, date)``.
    """
    window = panel[IS_ESTIMATION].to_numpy()
    cells = observed_of(panel)[:, window]
    return model.log_likelihood(panel, expected)[:, :, window][:, cells]


def count_bad_k(loo: Any) -> int:
    """Count the values that ArviZ's ``ELPDData`` could not leave out by weighting draws."""
    return int((np.asarray(loo.pareto_k) > BAD_K).sum())


def _waic_terms(pointwise: Array) -> tuple[Array, Array]:
    """Log of the mean density, and variance of the log density, of every value.

    WAIC (Watanabe 2010) is the sum of the first less that of the second; ArviZ 1 has no WAIC.
    """
    highest = pointwise.max(axis=0)
    density = highest + np.log(np.exp(pointwise - highest).mean(axis=0))
    return density, pointwise.var(axis=0, ddof=1)


def compute_loo(
    log_likelihood: NDArray[np.float64], dims: tuple[str, ...], n_chains: int
) -> Any | None:
    """Compute pointwise PSIS-LOO (Vehtari, Gelman and Gabry 2017).

    Parameters
    ----------
    log_likelihood
        Shape ``(sample, *dims)``, chains one after another.
    dims
        Names of the axes after the first.
    n_chains
        Number of chains.

    Returns
    -------
    Any or None
        ArviZ's ``ELPDData``; None where there are too few draws or equal ones, so that there is no
        tail to smooth. A large Pareto k is no warning here: it is in ``pareto_k``, and judged.
    """
    shaped = log_likelihood.reshape(n_chains, -1, *log_likelihood.shape[1:])
    total = shaped.sum(axis=tuple(range(2, shaped.ndim)))
    tree = xr.DataTree.from_dict(
        {
            "posterior": xr.Dataset({"lp": (("chain", "draw"), total)}),
            "log_likelihood": xr.Dataset({"y": (("chain", "draw", *dims), shaped)}),
        }
    )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            return az.loo(tree, var_name="y", pointwise=True)
    except ValueError:
        return None
