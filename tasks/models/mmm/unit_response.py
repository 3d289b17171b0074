"""Shapes of channels and the media curve for many draws at once, in NumPy."""

from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from schemas.documents.base import stated
from schemas.documents.features import FeatureMetadata, FittedTrend
from schemas.names import DATE_DIM, SAMPLE_DIM
from tasks.mathematics.carryover import adstock_weights, carry_back, n_early, stack_lags
from tasks.mathematics.saturation import saturation_shape, saturation_slope
from tasks.mathematics.trend import RELATIVE_SD, trend_columns, trend_relative_sds
from tasks.models.linear import periods_since
from tasks.models.mmm.design import MediaDesign
from tasks.models.mmm.own_transform import FAMILY

Array = NDArray[np.float64]


def unit_response(
    samples: xr.Dataset, media: MediaDesign, index: int, weights: Array | None = None
) -> Array:
    """Shape of one channel for every sample, ``(sample, entity, date)``, no unit.

    Parameters
    ----------
    samples
        Draws, ``(sample, ...)`` each.
    media
        Media of a panel.
    index
        Position of the channel.
    weights
        Its ``lag_weights``, of whoever has kept them.
    """
    channel, series = media.transforms[index], media.values[index]
    if channel.own is not None:
        from tasks.models.mmm.own_graph import evaluate

        drawn = _parameters(samples, media, index, FAMILY)
        return evaluate(channel.own, media.with_past(index), drawn)[..., channel.n_lags - 1 :]
    curve = _curve(samples, media, index)
    first = channel.saturation.before_adstock
    if channel.n_lags == 1:
        response = saturation_shape(channel.saturation.kind, series, curve)
        return np.broadcast_to(response, (samples.sizes[SAMPLE_DIM], *series.shape))
    if weights is None:
        weights = lag_weights(samples, media, index)
    if not first:
        carried = _carried(media, index, weights)
        return saturation_shape(channel.saturation.kind, carried, curve)
    # The shape of the level before the first period goes along as if it were a period.
    whole = media.with_level(index)
    saturated = saturation_shape(channel.saturation.kind, whole, curve)
    saturated = np.broadcast_to(saturated, (weights.shape[0], *whole.shape))
    lagged = stack_lags(saturated[..., 1:], channel.n_lags, saturated[..., 0])
    return np.einsum("sl,selt->set", weights, lagged)


def unit_response_gradient(
    samples: xr.Dataset, media: MediaDesign, index: int, weights: Array
) -> Array:
    """Gradient of the weighted sum of ``unit_response`` by one channel's scaled input.

    Parameters
    ----------
    samples, media, index
        As ``unit_response`` takes them.
    weights
        Weight of every value of the response, ``(sample, entity, date)``.

    Returns
    -------
    NDArray
        ``(entity, date)``.
    """
    channel, series = media.transforms[index], media.values[index]
    if channel.own is not None:
        return _own_gradient(samples, media, index, weights)
    kind, curve = channel.saturation.kind, _curve(samples, media, index)
    if channel.n_lags == 1:
        return np.asarray((weights * saturation_slope(kind, series, curve)).sum(axis=0))
    kernel = lag_weights(samples, media, index)
    if channel.saturation.before_adstock:
        lead = channel.n_lags - 1
        back = carry_back(np.pad(weights, ((0, 0), (0, 0), (lead, 0))), kernel[:, None])
        own = (back[..., lead:] * saturation_slope(kind, series, curve)).sum(axis=0)
        level = saturation_slope(kind, media.before[index][:, None], curve)
        earlier = (back[..., :lead].sum(axis=-1, keepdims=True) * level).sum(axis=(0, 2))
        return _with_earlier(np.asarray(own), earlier, media, index)
    slope = saturation_slope(kind, _carried(media, index, kernel), curve)
    weighted = (weights * slope).reshape(len(kernel), -1)
    by_lag = (kernel.T @ weighted).reshape(-1, *series.shape)
    # Entry [lag, entity, t] reaches the input of period t - lag.
    gradient = by_lag[0].copy()
    for lag in range(1, min(len(by_lag), series.shape[-1])):
        gradient[:, :-lag] += by_lag[lag][:, lag:]
    earlier = sum(part[:, :lag].sum(axis=1) for lag, part in enumerate(by_lag))
    return _with_earlier(gradient, np.asarray(earlier), media, index)


def _own_gradient(samples: xr.Dataset, media: MediaDesign, index: int, weights: Array) -> Array:
    """The same for a transform of somebody else, by PyTensor."""
    from tasks.models.mmm.own_graph import pull_back

    channel = media.transforms[index]
    if channel.own is None:
        raise AssertionError(f"{media.names[index]} goes through no transform of somebody else")
    lead = channel.n_lags - 1
    drawn = _parameters(samples, media, index, FAMILY)
    padded = np.pad(weights, ((0, 0), (0, 0), (lead, 0)))
    gradient = pull_back(channel.own, media.with_past(index), drawn, padded)
    return _with_earlier(gradient[:, lead:].copy(), gradient[:, :lead].sum(axis=1), media, index)


def _with_earlier(gradient: Array, earlier: Array, media: MediaDesign, index: int) -> Array:
    """Hand on what the level before the first period gets, ``(entity,)``, to what it is made of."""
    if media.runs_before:
        first = gradient[:, : n_early(media.transforms[index].n_lags)]
        first += earlier[:, None] / first.shape[1]
    return gradient


def _curve(samples: xr.Dataset, media: MediaDesign, index: int) -> dict[str, Array]:
    parameters = _parameters(samples, media, index, "saturation")
    return {name: value[:, None, None] for name, value in parameters.items()}


def lag_weights(samples: xr.Dataset, media: MediaDesign, index: int) -> Array:
    """Weights of one channel's lags, ``(sample, lag)``; the same for every panel of a fit."""
    parameters = _parameters(samples, media, index, "adstock")
    channel = media.transforms[index]
    return np.asarray(adstock_weights(channel.adstock.kind, parameters, l_max=channel.n_lags))


def _carried(media: MediaDesign, index: int, kernel: Array) -> Array:
    """Scaled input with carryover, ``(sample, entity, date)``."""
    flat = media.lagged(index).reshape(kernel.shape[1], -1)
    return np.asarray((kernel @ flat).reshape(-1, *media.values[index].shape))


def _parameters(
    samples: xr.Dataset, media: MediaDesign, index: int, family: str
) -> dict[str, Array]:
    """One channel's parameters by short name, ``(sample,)`` each."""
    names = getattr(media.transforms[index], f"{family}_parameters")
    places = {name: media.users(family, name).index(index) for name in names}
    return {
        name: samples.variables[f"{family}_{name}"].transpose(SAMPLE_DIM, ...).to_numpy()[:, place]
        for name, place in places.items()
    }


def trend_basis(position: Array, curve: FittedTrend) -> Array:
    """Basis of the media curve at unit amplitude, ``(basis, date)``; ``curve`` as in metadata."""
    scales = np.array(trend_relative_sds(curve)) / RELATIVE_SD
    return trend_columns(position, curve) * scales[:, None]


def media_multiplier(
    scale: Array, weights: Array, dates: NDArray[Any], metadata: FeatureMetadata
) -> Array:
    """Factor of all media over time; its mean over the fitted window is one.

    Parameters
    ----------
    scale, weights
        ``media_curve_scale (sample,)`` and ``media_curve_weight (sample, basis)``.
    dates
        Period starts, of the fit or later.
    metadata
        Feature metadata.

    Returns
    -------
    NDArray
        ``(sample, date)``.
    """
    curve, skipped = stated(metadata.media_curve, "media_curve"), metadata.n_carryover_periods
    fitted = np.arange(skipped, skipped + metadata.n_estimation_periods, dtype=float)
    wanted = periods_since(pd.DatetimeIndex(dates), metadata.first_period, metadata.grain)
    sized = scale[:, None] * weights
    mean = np.exp(sized @ trend_basis(fitted, curve)).mean(axis=-1, keepdims=True)
    return np.exp(sized @ trend_basis(wanted, curve)) / mean


def sampled_multiplier(
    samples: xr.Dataset, panel: xr.Dataset, metadata: FeatureMetadata
) -> Array | None:
    """Media multiplier of every draw over a panel, ``(sample, date)``; None without a curve."""
    if "media_curve_weight" not in samples:
        return None
    weights = samples["media_curve_weight"].transpose(SAMPLE_DIM, ...).to_numpy()
    scale = samples["media_curve_scale"].to_numpy()
    return media_multiplier(scale, weights, panel[DATE_DIM].values, metadata)
