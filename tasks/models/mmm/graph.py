"""The lean PyMC graph of kind ``mmm``, sampled in share coordinates.

    shape[c, e, t] = saturation(adstock(x))          computed once
    share[c, e]    = exp(mu_c + tau_c z)             log-normal, pooled over entities
    beta[c, e]     = share * mean_t KPI / mean_t shape
    contribution   = sign_c * beta * shape
    mu[e, t]       = level[e] + sum_c (contribution - its mean over t) + centered design @ gamma[e]

Usual parameterizations put a prior on ``beta``; contribution is then a ridge of coefficient,
half-saturation and slope that NUTS crawls along. Here the data speak directly about ``share``.
Centering makes ``level`` the mean KPI, which the data fix at once; the baseline is what media leave
of it. Without it baseline and media pull against each other in every draw.
Axes are ordered ``(channel, entity, date)`` so that sums run over the last axis.
"""

from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt
import xarray as xr

from schemas.channels import AdstockKind, SaturationKind
from schemas.names import CHANNEL_DIM, DATE_DIM, ENTITY_DIM
from tasks.mmm.carryover import ADSTOCK_PARAMETERS, adstock_weights
from tasks.mmm.panel import IS_ESTIMATION
from tasks.mmm.saturation import SATURATION_PARAMETERS, saturation_shape
from tasks.models.contract import ModelInputs
from tasks.models.linear import linear_design, linear_terms
from tasks.models.mmm import priors
from tasks.models.mmm.design import MediaDesign, media_design
from tasks.models.mmm.geometry import Resolution, centering, pooled_normal, resolve

TERM_DIM = "term"
"""Controls, trend and Fourier columns of the linear design."""
_SAFE = 1e-12


def build_graph(panel: xr.Dataset, inputs: ModelInputs) -> pm.Model:
    """Build the model of one panel.

    Parameters
    ----------
    panel
        As ``tasks.mmm.panel.build_panel`` makes it.
    inputs
        Feature metadata and scales.

    Returns
    -------
    pm.Model
        Free variables in sampling coordinates; deterministics carry the published names
        (``saturation_beta``, ``intercept_contribution``, ...), in units of scaled KPI and media.
    """
    window = panel[IS_ESTIMATION].values
    kpi = (panel["kpi"] / inputs.scales["kpi_scale"]).transpose(ENTITY_DIM, DATE_DIM).to_numpy()
    kpi = kpi[:, window]
    media = media_design(panel, inputs)
    design = linear_design(panel, inputs)[:, :, window]
    coords = {
        ENTITY_DIM: panel[ENTITY_DIM].values,
        CHANNEL_DIM: panel["channel"].values,
        TERM_DIM: [term.name for term in linear_terms(inputs)],
        DATE_DIM: panel[DATE_DIM].values[window],
    }
    with pm.Model(coords=coords) as model:
        shares = priors.share_priors(panel, inputs)
        resolution = resolve(media, window, kpi, design, np.exp(shares.log_median))
        contribution = _media(media, window, kpi, _log_share(shares, resolution))
        level = _level(kpi)
        media_sum = contribution.sum(axis=0)
        media_mean = media_sum.mean(axis=-1)
        mu = level[:, None] + media_sum - media_mean[:, None]
        baseline = level - media_mean
        if design.shape[1]:
            means = design.mean(axis=-1)
            gamma = _linear_coefficients(design, kpi, resolution)
            mu = mu + (gamma[:, :, None] * (design - means[..., None])).sum(axis=1)
            baseline = baseline - (gamma * means).sum(axis=-1)
        pm.Deterministic("intercept_contribution", baseline, dims=ENTITY_DIM)
        spread = kpi.std(axis=-1)
        sigma = pm.HalfNormal("y_sigma", sigma=np.maximum(spread, 1e-3), dims=ENTITY_DIM)
        pm.Normal("y", mu=mu, sigma=sigma[:, None], observed=kpi, dims=(ENTITY_DIM, DATE_DIM))
    return model


def _media(media: MediaDesign, window: Any, kpi: Any, log_share: Any) -> Any:
    """Contribution of every channel in scaled KPI units, ``(channel, entity, date)``."""
    n_entities = kpi.shape[0]
    stacked = media.lagged[..., window]
    if media.adstock.kind is AdstockKind.NONE:
        carried = stacked[:, 0]
    else:
        weights = adstock_weights(
            media.adstock.kind, _adstock_parameters(media.adstock.kind), l_max=media.n_lags, xp=pt
        )
        flat = stacked.reshape(*stacked.shape[:2], -1)
        carried = (
            (weights[:, :, None] * flat)
            .sum(axis=1)
            .reshape((stacked.shape[0], n_entities, stacked.shape[-1]))
        )
    kind = media.saturation.kind
    curve = {k: v[:, None, None] for k, v in _saturation_parameters(kind).items()}
    shape = saturation_shape(kind, carried, curve, xp=pt)
    share = pt.exp(log_share)
    active = stacked.sum(axis=(1, 3)) > 0
    amplitude = share * kpi.mean(axis=-1) * active / (shape.mean(axis=-1) + _SAFE)
    beta = media.signs[:, None] * amplitude
    pm.Deterministic("saturation_beta", beta.T, dims=(ENTITY_DIM, CHANNEL_DIM))
    return beta[:, :, None] * shape


def _adstock_parameters(kind: AdstockKind) -> dict[str, Any]:
    parameters: dict[str, Any] = {}
    for name in ADSTOCK_PARAMETERS[kind]:
        label = f"adstock_{name}"
        if name == "alpha":
            a, b = priors.RETENTION_PRIOR
            parameters[name] = pm.Beta(label, alpha=a, beta=b, dims=CHANNEL_DIM)
        elif name == "theta":
            parameters[name] = pm.HalfNormal(label, sigma=priors.THETA_SIGMA, dims=CHANNEL_DIM)
        else:
            mean, spread = priors.WEIBULL_PRIOR
            parameters[name] = pm.Gamma(label, mu=mean, sigma=spread, dims=CHANNEL_DIM)
    return parameters


def _saturation_parameters(kind: SaturationKind) -> dict[str, Any]:
    log_normal = {
        "slope": priors.SLOPE_PRIOR,
        "kappa": priors.HALF_SATURATION_PRIOR,
        "lam": priors.LOGISTIC_PRIOR
        if kind is SaturationKind.LOGISTIC
        else priors.HALF_SATURATION_PRIOR,
    }
    return {
        name: pm.LogNormal(
            f"saturation_{name}",
            mu=log_normal[name][0],
            sigma=log_normal[name][1],
            dims=CHANNEL_DIM,
        )
        for name in SATURATION_PARAMETERS[kind]
    }


def _log_share(shares: priors.SharePriors, resolution: Resolution) -> Any:
    """``log(share)``, ``(channel, entity)``: own per entity, pooled to the channel's mean."""
    mu, sigma = shares.log_median, shares.spread
    if resolution.share.values.shape[1] == 1:
        log_share = pm.Normal("log_share", mu=mu, sigma=sigma, dims=CHANNEL_DIM)
        return log_share[:, None]
    mean = pm.Normal("log_share_mean", mu=mu, sigma=sigma, dims=CHANNEL_DIM)
    location, scale = priors.ENTITY_SPREAD_PRIOR
    spread = pm.LogNormal("log_share_spread", mu=location, sigma=scale, dims=CHANNEL_DIM)
    return pooled_normal(
        "log_share",
        mean=mean[:, None],
        spread=spread[:, None],
        weight=centering(resolution.share, np.exp(location)),
        dims=(CHANNEL_DIM, ENTITY_DIM),
    )


def _level(kpi: Any) -> Any:
    """Mean KPI per entity: known up to the noise of the mean, so a weak prior suffices."""
    spread = np.maximum(kpi.std(axis=-1), 1e-3)
    return pm.Normal("level", mu=kpi.mean(axis=-1), sigma=spread, dims=ENTITY_DIM)


def _linear_coefficients(design: Any, kpi: Any, resolution: Resolution) -> Any:
    """Coefficients ``(entity, term)`` per unit of the term, pooled over entities."""
    term_spread = design.std(axis=(0, 2))
    unit = kpi.std(axis=-1).mean() / np.where(term_spread > 0, term_spread, 1.0)
    sigma = priors.LINEAR_SIGMA * unit
    if kpi.shape[0] == 1:
        gamma = pm.Normal("gamma_linear", mu=0.0, sigma=sigma, dims=TERM_DIM)
        return gamma[None, :]
    mean = pm.Normal("gamma_linear_mean", mu=0.0, sigma=sigma, dims=TERM_DIM)
    location, scale = priors.LINEAR_SPREAD_PRIOR
    spread = pm.LogNormal("gamma_linear_spread", mu=location, sigma=scale, dims=TERM_DIM)
    return pooled_normal(
        "gamma_linear",
        mean=mean[None, :],
        spread=(spread * unit)[None, :],
        weight=centering(resolution.gamma, np.exp(location) * unit).T,
        dims=(ENTITY_DIM, TERM_DIM),
    )
