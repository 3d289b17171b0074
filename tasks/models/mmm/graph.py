"""The PyMC graph of kind ``mmm``, in share coordinates: it says what the model is.

    response[c, e, t] = saturation(adstock(x))          computed once; either order
    share[c, e]    = exp(mu_c + contrast[e] tau_c z) log-normal; contrasts between entities pooled
    beta[c, e]     = share * mean_t KPI / mean_t response
    contribution   = sign_c * beta * response
    mu[e, t]       = level[e] + sum_c (contribution - its mean over t) + centered design @ gamma[e]

Usual parameterizations put a prior on ``beta``; contribution is then a ridge of coefficient,
half-saturation and slope that NUTS crawls along. Here the data speak directly about ``share``.
Centering makes ``level`` the mean KPI, which the data fix at once; the baseline is what media leave
of it. Without it baseline and media pull against each other in every draw.

``kernel`` computes the same log density and its gradient without PyTensor; tests hold both equal.
"""

from typing import Any, cast

import numpy as np
import pymc as pm
import pytensor.tensor as pt
import xarray as xr

from schemas.names import CHANNEL_DIM, ENTITY_DIM, TERM_DIM
from tasks.mathematics.carryover import adstock_weights
from tasks.mathematics.saturation import saturation_shape
from tasks.models.contract import ModelInputs
from tasks.models.mmm.constants import (
    BASELINE_SOFTNESS,
    SAFE,
    FitConstants,
    design_means,
    fit_constants,
)
from tasks.models.mmm.design import MediaDesign
from tasks.models.mmm.lift import lift_of_segments
from tasks.models.mmm.own_graph import in_graph
from tasks.models.mmm.own_transform import FAMILY
from tasks.models.mmm.parameters import (
    Parameter,
    PooledParameter,
    PriorKind,
    SizeParameter,
    contrasts,
)

Values = dict[str, Any]
"""Values of the free parameters by name, as PyTensor variables."""
_FITTED_DIM = "fitted_date"
_CONTRAST_DIM = "contrast"


def build_graph(panel: xr.Dataset, inputs: ModelInputs) -> pm.Model:
    """Build the model of one panel.

    Parameters
    ----------
    panel
        As ``tasks.mathematics.panel.build_panel`` makes it.
    inputs
        Feature metadata and scales.

    Returns
    -------
    pm.Model
        Free variables in sampling coordinates; deterministics carry the published names
        (``saturation_beta``, ``intercept_contribution``, ...), in units of scaled KPI and media.
    """
    return graph_of(fit_constants(panel, inputs))


def graph_of(constants: FitConstants) -> pm.Model:
    """Build the model of constants that are already fixed."""
    n_entities, n_periods = constants.kpi.shape
    own = {_FITTED_DIM: np.arange(n_periods), _CONTRAST_DIM: np.arange(n_entities - 1)}
    coords = {**constants.table.coords, **own}
    with pm.Model(coords=coords) as model:
        values = _free_variables(constants)
        media_sum = _media_sum(constants, values)
        media_mean = _own_mean(media_sum, constants)
        level = values["level"]
        mu = level[:, None] + media_sum - media_mean[:, None]
        baseline = level - media_mean
        if constants.design.shape[1]:
            gamma = _coefficients(constants, values)
            means = design_means(constants)
            centered = constants.design - means[..., None]
            mu = mu + (gamma[:, :, None] * centered).sum(axis=1)
            baseline = baseline - (gamma * means).sum(axis=-1)
        pm.Deterministic("intercept_contribution", baseline, dims=ENTITY_DIM)
        if constants.non_negative_baseline:
            width = BASELINE_SOFTNESS * constants.kpi_mean
            pm.Potential("baseline_wall", pt.log(pm.math.sigmoid(baseline / width)).sum())
        _observe(constants, mu, values)
        if len(constants.lift.test):
            _observe_lift(constants, values)
    return model


def _free_variables(constants: FitConstants) -> Values:
    values: Values = {}
    for entry in constants.table.entries:
        if isinstance(entry, PooledParameter):
            values[entry.name] = _pooled_variable(entry, values)
        elif isinstance(entry, SizeParameter):
            values[entry.name] = _size_variable(entry, values)
        else:
            values[entry.name] = _variable(entry)
    return values


def _variable(entry: Parameter) -> Any:
    first, second, dims = entry.first, entry.second, entry.dims
    if entry.prior is PriorKind.NORMAL:
        return pm.Normal(entry.name, mu=first, sigma=second, dims=dims)
    if entry.prior is PriorKind.LOG_NORMAL:
        return pm.LogNormal(entry.name, mu=first, sigma=second, dims=dims)
    if entry.prior is PriorKind.HALF_NORMAL:
        return pm.HalfNormal(entry.name, sigma=first, dims=dims)
    if entry.prior is PriorKind.GAMMA:
        return pm.Gamma(entry.name, alpha=first, beta=second, dims=dims)
    return pm.Beta(entry.name, alpha=first, beta=second, dims=dims)


def _size_variable(entry: SizeParameter, values: Values) -> Any:
    """Log sizes: normal where stated, else those of gammas, in units of the common factor."""
    location = pt.as_tensor(entry.first)
    if entry.follows.any():
        location = location + entry.follows * pt.log(values[entry.common])
    return pm.CustomDist(
        entry.name,
        location,
        entry.second,
        entry.is_gamma,
        logp=_size_density,
        support_point=_size_center,
        dims=entry.dims,
    )


def _size_density(value: Any, location: Any, second: Any, is_gamma: Any) -> Any:
    scaled = value - location
    gamma = second * scaled - pt.exp(scaled) - pt.gammaln(second)
    normal = pm.logp(pm.Normal.dist(location, second), value)
    return pt.where(is_gamma, gamma, normal)


def _size_center(rv: Any, size: Any, location: Any, second: Any, is_gamma: Any) -> Any:
    del rv, size
    return location + pt.where(is_gamma, pt.log(second), 0.0)


def _pooled_variable(entry: PooledParameter, values: Values) -> Any:
    spread = (values[entry.spread] * entry.unit)[:, None]
    weight = entry.weight[:, None]
    dims = (entry.dims[entry.group_axis], _CONTRAST_DIM)
    z = pm.Normal(entry.z_name, mu=0.0, sigma=spread**weight, dims=dims)
    deviations = (spread ** (1 - weight) * z) @ contrasts(entry.n_entities).T
    cells = values[entry.mean][:, None] + deviations + entry.offset
    return pm.Deterministic(
        entry.name, cells if entry.group_axis == 0 else cells.T, dims=entry.dims
    )


def _media_sum(constants: FitConstants, values: Values) -> Any:
    """Contribution of all channels together in scaled KPI units, ``(entity, date)``."""
    media, window = constants.media, constants.window
    responses = [_channel_shape(media, i, values)[:, window] for i in range(len(media.names))]
    response = pt.stack(responses)
    log_share = values["log_share"]
    if log_share.ndim == 1:
        log_share = log_share[:, None]
    by_share = constants.by_share[:, None]
    mean = pt.where(by_share, _own_mean(response, constants) + SAFE, 1.0)
    beta = pt.exp(log_share) * constants.reference / mean
    values["saturation_beta"] = pm.Deterministic(
        "saturation_beta", beta.T, dims=(ENTITY_DIM, CHANNEL_DIM)
    )
    total = (beta[:, :, None] * response).sum(axis=0)
    return total if not len(constants.curve) else total * _multiplier(constants, values)


def _own_mean(values: Any, constants: FitConstants) -> Any:
    """Mean over the periods in which each entity is open."""
    if constants.observed.all():
        return values.mean(axis=-1)
    weights = constants.observed / constants.lengths[:, None]
    return (values * weights).sum(axis=-1)


def _multiplier(constants: FitConstants, values: Values) -> Any:
    """Factor of all media over time with mean one, ``(date,)``."""
    log_growth = (values["media_curve_scale"] * values["media_curve_weight"]) @ constants.curve
    growth = pt.exp(log_growth)
    return growth / growth.mean()


def _channel_shape(media: MediaDesign, index: int, values: Values) -> Any:
    """Saturated adstock of one channel over the whole panel, ``(entity, date)``."""
    channel = media.transforms[index]
    if channel.own is not None:
        own = channel_parameters(media, index, FAMILY, values)
        return in_graph(channel.own, media.with_past(index), own)[:, channel.n_lags - 1 :]
    curve = channel_parameters(media, index, "saturation", values)
    series: Any = media.values[index]
    if channel.saturation.before_adstock:
        series = media.with_level(index) if channel.n_lags > 1 else series
        series = saturation_shape(channel.saturation.kind, series, curve, xp=pt)
    if channel.n_lags > 1:
        kernel = channel_parameters(media, index, "adstock", values)
        weights = adstock_weights(channel.adstock.kind, kernel, l_max=channel.n_lags, xp=pt)
        series = _carry(series, weights, media, index)
    if not channel.saturation.before_adstock:
        series = saturation_shape(channel.saturation.kind, series, curve, xp=pt)
    return pt.as_tensor(series)


def _carry(series: Any, weights: Any, media: MediaDesign, index: int) -> Any:
    if isinstance(series, np.ndarray):
        return (weights[:, None, None] * media.lagged(index)).sum(axis=0)
    lead, n_periods = media.transforms[index].n_lags - 1, media.values.shape[2]
    padded = pt.concatenate([pt.repeat(series[:, :1], lead, axis=1), series[:, 1:]], axis=1)
    return sum(
        weights[lag] * padded[:, lead - lag : lead - lag + n_periods] for lag in range(lead + 1)
    )


def channel_parameters(
    media: MediaDesign, index: int, family: str, values: Values
) -> dict[str, Any]:
    """Parameters of one channel's ``adstock`` or ``saturation``, scalars by short name."""
    names = cast(tuple[str, ...], getattr(media.transforms[index], f"{family}_parameters"))
    return {
        name: values[f"{family}_{name}"][media.users(family, name).index(index)] for name in names
    }


def _coefficients(constants: FitConstants, values: Values) -> Any:
    """Coefficients ``(entity, term)``; a signed one is sampled as the logarithm of its size."""
    signs = constants.term_signs
    if not signs.any():
        gamma = values["gamma_linear"]
        return gamma[None, :] if gamma.ndim == 1 else gamma
    raw = values["gamma_raw"]
    size = pt.exp(pt.where(signs == 0, 0.0, raw))
    gamma = pt.where(signs == 0, raw, signs * size)
    dims = (TERM_DIM,) if gamma.ndim == 1 else (ENTITY_DIM, TERM_DIM)
    gamma = pm.Deterministic("gamma_linear", gamma, dims=dims)
    return gamma[None, :] if gamma.ndim == 1 else gamma


def _observe(constants: FitConstants, mu: Any, values: Values) -> None:
    if constants.autocorrelated:
        _observe_autocorrelated(constants, mu, values)
    else:
        _observe_independent(constants, mu, values["y_sigma"][:, None], values)


def _observe_independent(constants: FitConstants, mu: Any, sigma: Any, values: Values) -> None:
    """Independent noise around means, of the periods in which entities are open."""
    kpi = constants.kpi
    dims: tuple[str, str] | None = (ENTITY_DIM, _FITTED_DIM)
    if not constants.observed.all():
        open_cells = np.flatnonzero(constants.observed)
        mu, sigma = (pt.broadcast_to(v, kpi.shape).ravel()[open_cells] for v in (mu, sigma))
        kpi, dims = kpi.ravel()[open_cells], None
    if constants.student_t:
        pm.StudentT("y", nu=values["y_nu"], mu=mu, sigma=sigma, observed=kpi, dims=dims)
    else:
        pm.Normal("y", mu=mu, sigma=sigma, observed=kpi, dims=dims)


def _observe_autocorrelated(constants: FitConstants, mu: Any, values: Values) -> None:
    """AR(1) noise: innovations are independent, the first on the scale that noise has for long.

    An innovation is ``y[t]`` less its mean given ``y[t - 1]``, so a density of the KPI itself.
    """
    rho, kpi = values["y_rho"][:, None], constants.kpi
    lasting = rho * (kpi[:, :-1] - mu[:, :-1])
    given = pt.concatenate([mu[:, :1], mu[:, 1:] + lasting], axis=1)
    first = np.arange(kpi.shape[1]) == constants.starts[:, None]
    if not constants.observed.all():
        given = pt.where(first, mu, given)
    sigma = values["y_sigma"][:, None] / pt.where(first, pt.sqrt(1 - rho**2), 1.0)
    _observe_independent(constants, given, sigma, values)


def _observe_lift(constants: FitConstants, values: Values) -> None:
    """Measured lifts, each a difference of two responses of this very model."""
    design = constants.lift
    curves = ("adstock_", "saturation_")
    parameters = {name: value for name, value in values.items() if name.startswith(curves)}
    beta = parameters.pop("saturation_beta")
    multiplier = None
    if len(constants.curve):
        # Dates of segments count from the start of the panel.
        skipped = int(np.argmax(constants.window))
        multiplier = pt.concatenate([np.ones(skipped), _multiplier(constants, values)])
    expected = lift_of_segments(design, parameters, beta, multiplier=multiplier, xp=pt)
    pm.Normal("lift", mu=expected, sigma=design.standard_error, observed=design.delta_kpi)
