"""Draws from the priors of kind ``mmm``, in NumPy: what is believed before the KPI is seen.

They have the published names and dims of a fit, so that whatever reads a posterior reads them too.
The priors are those of the parameter table, which the graph and the kernel are made from.
"""

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.special import gammaincinv, logit, ndtri

from tasks.models.contract import ModelInputs
from tasks.models.mmm.constants import FitConstants, fit_constants
from tasks.models.mmm.derive import publish_points
from tasks.models.mmm.parameters import Parameter, PriorKind, SizeParameter

Array = NDArray[np.float64]


def draw_prior(panel: xr.Dataset, inputs: ModelInputs, n_draws: int, seed: int) -> xr.Dataset:
    """Draw from the priors of one panel.

    Parameters
    ----------
    panel
        As ``tasks.mathematics.panel.build_panel`` makes it.
    inputs
        Feature metadata and scales.
    n_draws
        Draws, in one chain.
    seed
        Seed; the same one gives the same draws.

    Returns
    -------
    xr.Dataset
        Dims ``(chain, draw, ...)``; names and dims of a fit's posterior.
    """
    constants = fit_constants(panel, inputs)
    return publish_points(prior_points(constants, n_draws, seed)[None], constants)


def prior_points(constants: FitConstants, n_draws: int, seed: int) -> Array:
    """Draw unconstrained points ``(draw, position)`` from the priors."""
    rng = np.random.default_rng(seed)
    drawn: dict[str, Array] = {}
    for entry in constants.table.entries:
        if isinstance(entry, Parameter):
            drawn[entry.name] = _draw(entry, n_draws, rng)
            continue
        if isinstance(entry, SizeParameter):
            common = drawn[entry.common] if entry.follows.any() else np.zeros(n_draws)
            drawn[entry.name] = _draw_sizes(entry, common, rng)
            continue
        spread = np.exp(drawn[entry.spread]) * entry.unit
        z = rng.standard_normal((n_draws, *entry.shape))
        drawn[entry.name] = (spread**entry.weight)[:, :, None] * z
    return np.concatenate([values.reshape(n_draws, -1) for values in drawn.values()], axis=1)


def _draw(entry: Parameter, n_draws: int, rng: np.random.Generator) -> Array:
    first, second, shape = entry.first, entry.second, (n_draws, *entry.shape)
    if entry.prior in (PriorKind.NORMAL, PriorKind.LOG_NORMAL):
        return first + second * np.asarray(ndtri(_quantiles(shape, rng)))
    if entry.prior is PriorKind.HALF_NORMAL:
        return np.log(first * ndtri(0.5 + 0.5 * _quantiles(shape, rng)))
    if entry.prior is PriorKind.GAMMA:
        return np.log(rng.gamma(first, 1 / second, shape))
    return np.asarray(logit(rng.beta(first, second, shape)))


def _draw_sizes(entry: SizeParameter, common: Array, rng: np.random.Generator) -> Array:
    """Logarithms of sizes, ``(draw, ...)``, given that of the common factor ``(draw, ...)``."""
    u = _quantiles((len(common), *entry.shape), rng)
    shape = np.where(entry.is_gamma, entry.second, 1.0)
    sizes = np.log(gammaincinv(shape, u)) + np.where(entry.follows, common[:, None], 0.0)
    return np.asarray(entry.first + np.where(entry.is_gamma, sizes, entry.second * ndtri(u)))


def _quantiles(shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    """Uniform draws, one in every slice of equal mass, so that intervals are as stated."""
    ranks = np.broadcast_to(np.arange(shape[0]).reshape(-1, *[1] * (len(shape) - 1)), shape)
    return (rng.permuted(ranks, axis=0) + 0.5) / shape[0]
