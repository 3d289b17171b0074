"""How much the data of one entity know about its own parameters, before any sampling.

A pooled parameter samples best centered where its entity's data are informative and non-centered
where they are not. Between the two lies a continuum (Gorinova, Moore & Hoffman 2020, eq. 6):

    z ~ Normal(w * mean, spread^w),   x = mean + spread^(1 - w) * (z - w * mean)

with ``w = 1`` centered and ``w = 0`` non-centered: the same prior for every ``w``. The weight of
each cell is the share of its prior variance that a least-squares fit of its entity resolves.
"""

from typing import Any, NamedTuple

import numpy as np
import pymc as pm
from numpy.typing import NDArray

from schemas.channels import AdstockKind, SaturationKind
from tasks.mmm.carryover import adstock_weights
from tasks.mmm.saturation import saturation_shape
from tasks.models.mmm import priors
from tasks.models.mmm.design import MediaDesign
from tasks.models.regression import regress


class Estimates(NamedTuple):
    """Least-squares estimates of one parameter in every entity, entities on the last axis."""

    values: NDArray[np.float64]
    errors: NDArray[np.float64]


class Resolution(NamedTuple):
    """What each entity's own least-squares fit knows."""

    share: Estimates
    """``(channel, entity)``, relative to the prior's median share."""
    gamma: Estimates
    """``(term, entity)``, in scaled KPI per unit of the term."""


def resolve(
    media: MediaDesign,
    window: NDArray[np.bool_],
    kpi: NDArray[np.float64],
    design: NDArray[np.float64],
    median_share: NDArray[np.float64],
) -> Resolution:
    """Fit each entity by ridge regression at typical carryover and saturation.

    Parameters
    ----------
    media
        Lag-stacked media.
    window
        Fitted periods, ``(date,)``.
    kpi
        Scaled KPI, ``(entity, fitted date)``.
    design
        Linear terms, ``(entity, term, fitted date)``.
    median_share
        Prior median share per channel.
    """
    shape = _typical_shape(media)[..., window]
    means = shape.mean(axis=-1, keepdims=True)
    relative = np.divide(shape, means, out=np.zeros_like(shape), where=means > 0)
    n_channels, n_entities, _ = shape.shape
    values = np.zeros((n_channels + design.shape[1], n_entities))
    errors = np.full_like(values, np.inf)
    for entity in range(n_entities):
        columns = np.concatenate([relative[:, entity] * kpi[entity].mean(), design[entity]])
        values[:, entity], errors[:, entity] = regress(columns.T, kpi[entity])
    unit = median_share[:, None]
    return Resolution(
        share=Estimates(values[:n_channels] / unit, errors[:n_channels] / unit),
        gamma=Estimates(values[n_channels:], errors[n_channels:]),
    )


def _typical_shape(media: MediaDesign) -> NDArray[np.float64]:
    """Shape of every channel at typical parameters, ``(channel, entity, date)``."""
    if media.n_lags == 1:
        carried = media.lagged[:, 0]
    else:
        a, b = priors.RETENTION_PRIOR
        alpha = np.full(1, a / (a + b))
        weights = adstock_weights(AdstockKind.GEOMETRIC, {"alpha": alpha}, l_max=media.n_lags)[0]
        carried = np.einsum("l,clet->cet", weights, media.lagged)
    kappa = np.exp(priors.HALF_SATURATION_PRIOR[0])
    return saturation_shape(SaturationKind.MICHAELIS_MENTEN, carried, {"lam": kappa})


def centering(
    estimates: Estimates, prior_spread: NDArray[np.float64] | float
) -> NDArray[np.float64]:
    """Weight of centering in [0, 1]: share of the variance between entities that the data resolve.

    The spread between entities is the method-of-moments one (variance of the estimates less their
    mean squared error), kept within a factor of four of the prior's typical spread.
    """
    known = np.isfinite(estimates.errors)
    n = known.sum(axis=-1)
    mean = np.where(known, estimates.values, 0.0).sum(axis=-1) / np.maximum(n, 1)
    deviations = np.where(known, estimates.values - mean[:, None], 0.0)
    squared = np.where(known, estimates.errors, 0.0) ** 2
    moment = (deviations**2).sum(axis=-1) / np.maximum(n - 1, 1) - squared.sum(
        axis=-1
    ) / np.maximum(n, 1)
    typical = np.broadcast_to(np.asarray(prior_spread, dtype=float) ** 2, moment.shape)
    variance = np.clip(moment, typical / 16, typical * 16)[:, None]
    return variance / (variance + estimates.errors**2)


def pooled_normal(
    name: str, *, mean: Any, spread: Any, weight: NDArray[np.float64], dims: tuple[str, str]
) -> Any:
    """Normal(mean, spread) as a partially non-centered variable; ``weight`` as in ``centering``."""
    z = pm.Normal(f"{name}_z", mu=weight * mean, sigma=spread**weight, dims=dims)
    return pm.Deterministic(name, mean + spread ** (1 - weight) * (z - weight * mean), dims=dims)
