"""Channel features of kind ``log_student_t``: fixed adstock, fixed Hill curve, z-score."""

from collections.abc import Mapping

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from schemas.documents.features import ChannelFeatures, FeatureMetadata
from schemas.names import CHANNEL_DIM, DATE_DIM, ENTITY_DIM
from schemas.spec.channels import SaturationKind
from schemas.spec.ridge import Pooling
from tasks.mathematics.carryover import carry_back, recursive_adstock
from tasks.mathematics.saturation import saturation_shape, saturation_slope
from tasks.models.pooling import effective_pooling


def pooling_of(metadata: FeatureMetadata) -> Pooling:
    """Return the pooling of a fit; complete where the spec says nothing."""
    return effective_pooling(metadata.pooling or Pooling.COMPLETE, len(metadata.entities))


def transform_media(
    panel: xr.Dataset, metadata: FeatureMetadata, scales: xr.Dataset
) -> NDArray[np.float64]:
    """Adstocked and saturated media before standardization, ``(entity, channel, date)``.

    The Hill curve's ``K`` is on adstocked activity divided by its maximum in the fit
    (``adstock_scale``), so 0.5 means half of the largest adstocked week. Without saturation the
    adstocked activity is returned in its own unit.

    Parameters
    ----------
    panel
        ``media (entity, channel, date)`` in units of activity.
    metadata
        Its fixed adstock and saturation of this kind.
    scales
        ``adstock_scale (entity, channel)`` of the fit.
    """
    config = metadata.fixed_transforms
    adstocked = adstock_media(panel, metadata)
    if not config.saturation.enabled:
        return adstocked
    relative = adstocked / scales["adstock_scale"].to_numpy()[:, :, None]
    curve = {"slope": config.saturation.S, "kappa": config.saturation.K}
    return saturation_shape(SaturationKind.HILL, relative, curve)


def adstock_media(panel: xr.Dataset, metadata: FeatureMetadata) -> NDArray[np.float64]:
    """Adstocked media in their own unit, ``(entity, channel, date)``.

    Parameters
    ----------
    panel
        ``media (entity, channel, date)`` in units of activity.
    metadata
        Its fixed adstock and saturation of this kind.
    """
    max_lag = metadata.fixed_transforms.adstock.max_lag
    media = panel["media"].transpose(ENTITY_DIM, CHANNEL_DIM, DATE_DIM).to_numpy()
    carried = [
        recursive_adstock(media[:, index], decay=decay, max_lag=max_lag)
        for index, decay in enumerate(_decays(metadata))
    ]
    return np.stack(carried, axis=1)


def media_slopes(
    panel: xr.Dataset,
    weights: NDArray[np.float64],
    metadata: FeatureMetadata,
    scales: xr.Dataset,
) -> NDArray[np.float64]:
    """Gradient of the weighted sum of ``standardize_media`` by the media.

    Parameters
    ----------
    weights
        Weight of every standardized value, ``(entity, channel, date)``.

    Returns
    -------
    NDArray
        ``(entity, channel, date)``.
    """
    config = metadata.fixed_transforms
    passed_on = weights / scales["channel_std"].to_numpy()[:, None]
    if config.saturation.enabled:
        peak = scales["adstock_scale"].to_numpy()[:, :, None]
        curve = {"slope": config.saturation.S, "kappa": config.saturation.K}
        relative = adstock_media(panel, metadata) / peak
        passed_on = passed_on * saturation_slope(SaturationKind.HILL, relative, curve) / peak
    lags = np.arange(config.adstock.max_lag + 1, dtype=float)
    back = [
        carry_back(passed_on[:, index], decay**lags)
        for index, decay in enumerate(_decays(metadata))
    ]
    return np.stack(back, axis=1)


def _decays(metadata: FeatureMetadata) -> list[float]:
    """Decay of every channel, in their order."""
    config = metadata.fixed_transforms.adstock
    return [
        _decay_of(channel, config.per_channel, config.decay_default)
        for channel in metadata.channels
    ]


def _decay_of(channel: ChannelFeatures, per_channel: Mapping[str, float], default: float) -> float:
    """Decay by channel name, or by the source or canonical column that the spec may have used."""
    names = [channel.name, channel.input_column, channel.input_source or ""]
    return next((per_channel[name] for name in names if name in per_channel), default)


def standardize_media(
    panel: xr.Dataset, metadata: FeatureMetadata, scales: xr.Dataset
) -> NDArray[np.float64]:
    """Channel features as the model sees them: z-scores, ``(entity, channel, date)``.

    Parameters
    ----------
    panel
        ``media (entity, channel, date)`` in units of activity.
    metadata
        Its fixed adstock and saturation of this kind.
    scales
        ``adstock_scale (entity, channel)`` of the fit, ``channel_mean (channel)`` and
        ``channel_std (channel)``.
    """
    raw = transform_media(panel, metadata, scales)
    mean = scales["channel_mean"].to_numpy()[:, None]
    return (raw - mean) / scales["channel_std"].to_numpy()[:, None]


def compute_media_scales(
    panel: xr.Dataset, metadata: FeatureMetadata, window: NDArray[np.bool_]
) -> xr.Dataset:
    """Scales of the channel features.

    Parameters
    ----------
    panel
        ``media (entity, channel, date)`` in units of activity.
    metadata
        Its fixed adstock and saturation of this kind.
    window
        ``(date,)``, true where a period counts in the fit.

    Returns
    -------
    xr.Dataset
        ``adstock_scale (entity, channel)``: maximum over all periods; ``channel_mean``,
        ``channel_std (channel)``: of the transformed feature over the fitted periods.
    """
    adstocked = adstock_media(panel, metadata)
    peak = adstocked.max(axis=-1)
    coords = {ENTITY_DIM: panel[ENTITY_DIM].values, CHANNEL_DIM: panel[CHANNEL_DIM].values}
    scales = xr.Dataset(
        {"adstock_scale": ((ENTITY_DIM, CHANNEL_DIM), np.where(peak > 0, peak, 1.0))}, coords=coords
    )
    features = transform_media(panel, metadata, scales)[:, :, window]
    std = features.std(axis=(0, 2))
    scales["channel_mean"] = ((CHANNEL_DIM,), features.mean(axis=(0, 2)))
    scales["channel_std"] = ((CHANNEL_DIM,), np.where(std > 0, std, 1.0))
    return scales
