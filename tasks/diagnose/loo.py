"""PSIS-LOO by ArviZ, where what it warns of is part of the answer."""

import warnings
from typing import Any

import arviz as az
import numpy as np
import xarray as xr
from numpy.typing import NDArray


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
