"""How much the data of single entities know about their own parameters, before any sampling.

A pooled parameter samples best centered where the entities' data are informative and non-centered
where they are not. Between the two lies a continuum (Gorinova, Moore & Hoffman 2020, eq. 6):

    z ~ Normal(0, spread^w),   deviation = spread^(1 - w) * z

with ``w = 1`` centered and ``w = 0`` non-centered: the same prior for every ``w``. The weight of a
group is the share of the standard deviation between entities that a least-squares fit per entity
resolves. The share of the variance leans too far to the non-centered side where two entities leave
the spread to its prior: a wide spread then meets a likelihood that pins the contrast.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from schemas.spec.channels import AdstockKind, SaturationKind
from tasks.mathematics.carryover import RETENTION_PRIOR, adstock_weights
from tasks.mathematics.saturation import HALF_SATURATION_PRIOR, saturation_shape
from tasks.models.mmm.design import MediaDesign
from tasks.models.regression import regress


class Estimates(NamedTuple):
    """Least-squares estimates of one parameter in every entity, entities on the last axis."""

    values: NDArray[np.float64]
    errors: NDArray[np.float64]


class TypicalShares(NamedTuple):
    """About the prior median shares."""

    values: NDArray[np.float64]
    """``(channel, entity)``."""
    follows: NDArray[np.bool_]
    """``(channel,)``: they count in a common return that the prior does not know."""


class Resolution(NamedTuple):
    """What each entity's own least-squares fit knows."""

    share: Estimates
    """``(channel, entity)``, relative to the prior's typical share."""
    gamma: Estimates
    """``(term, entity)``, in scaled KPI per unit of the term."""


def resolve(
    media: MediaDesign,
    window: NDArray[np.bool_],
    kpi: NDArray[np.float64],
    design: NDArray[np.float64],
    typical: TypicalShares,
) -> Resolution:
    """Fit each entity by ridge regression at typical carryover and saturation.

    Parameters
    ----------
    media
        Lag-stacked media.
    window
        Fitted periods, ``(date,)``.
    kpi
        Scaled KPI, ``(entity, fitted date)``, NaN where an entity was not open.
    design
        Linear terms, ``(entity, term, fitted date)``.
    typical
        About the prior median shares; where a common return is part of them, the fits say about
        what it is.
    """
    response = _typical_shape(media)[..., window]
    n_channels, n_entities, _ = response.shape
    values = np.zeros((n_channels + design.shape[1], n_entities))
    errors = np.full_like(values, np.inf)
    for entity in range(n_entities):
        known = np.isfinite(kpi[entity])
        own, seen = kpi[entity, known], response[:, entity, known]
        means = seen.mean(axis=-1, keepdims=True)
        relative = np.divide(seen, means, out=np.zeros_like(seen), where=means > 0)
        size = np.abs(own).mean() if np.nanmin(kpi) < 0 else own.mean()
        columns = np.concatenate([relative * size, design[entity][:, known]])
        values[:, entity], errors[:, entity] = regress(columns.T, own)
    unit = typical.values * _learned_level(values[:n_channels], typical)
    return Resolution(
        share=Estimates(values[:n_channels] / unit, errors[:n_channels] / unit),
        gamma=Estimates(values[n_channels:], errors[n_channels:]),
    )


def _learned_level(shares: NDArray[np.float64], typical: TypicalShares) -> NDArray[np.float64]:
    """Factor of typical shares that a common return explains, ``(channel, 1)``."""
    follows = typical.follows
    if not follows.any():
        return np.ones((len(shares), 1))
    believed = typical.values[follows].sum(axis=1)
    level = float(np.median(shares[follows].sum(axis=1) / believed))
    return np.where(follows, level if level > 0 else 1.0, 1.0)[:, None]


def _typical_shape(media: MediaDesign) -> NDArray[np.float64]:
    """Shape of every channel at typical parameters, ``(channel, entity, date)``."""
    a, b = RETENTION_PRIOR.first, RETENTION_PRIOR.second
    alpha = np.full(1, a / (a + b))
    kappa = np.exp(HALF_SATURATION_PRIOR.first)
    responses = []
    for index, channel in enumerate(media.transforms):
        carried = media.values[index]
        if channel.n_lags > 1:
            weights = adstock_weights(AdstockKind.GEOMETRIC, {"alpha": alpha}, l_max=channel.n_lags)
            carried = np.einsum("l,let->et", weights[0], media.lagged(index))
        peak = max(float(media.values[index].max()), 1e-12)
        half = {"lam": kappa * peak}
        responses.append(saturation_shape(SaturationKind.MICHAELIS_MENTEN, carried, half))
    return np.stack(responses)


def centering(
    estimates: Estimates, prior_spread: NDArray[np.float64] | float
) -> NDArray[np.float64]:
    """Weight of centering per group, in [0, 1]: share of the spread between entities resolved.

    Parameters
    ----------
    estimates
        ``(group, entity)``.
    prior_spread
        Typical standard deviation between entities under the prior, ``(group,)``.

    Notes
    -----
    The variance between entities is the method-of-moments one (variance of the estimates less
    their mean squared error), kept within a factor of four of the prior's typical spread.
    """
    known = np.isfinite(estimates.errors)
    n = np.maximum(known.sum(axis=-1), 1)
    mean = np.where(known, estimates.values, 0.0).sum(axis=-1) / n
    deviations = np.where(known, estimates.values - mean[:, None], 0.0)
    error = (np.where(known, estimates.errors, 0.0) ** 2).sum(axis=-1) / n
    moment = (deviations**2).sum(axis=-1) / np.maximum(n - 1, 1) - error
    typical = np.broadcast_to(np.asarray(prior_spread, dtype=float) ** 2, moment.shape)
    variance = np.clip(moment, typical / 16, typical * 16)
    return np.where(known.any(axis=-1), np.sqrt(variance / (variance + error)), 0.0)
