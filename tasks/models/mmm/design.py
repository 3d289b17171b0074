"""Media of kind ``mmm`` as data: scaled series with what the spec says of each channel."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from schemas.documents.features import FeatureMetadata
from schemas.spec.channels import AdstockKind, AdstockSpec, ChannelKind, SaturationSpec
from tasks.mathematics.carryover import ADSTOCKS, early_level, stack_lags
from tasks.mathematics.saturation import SATURATIONS
from tasks.mathematics.scaling import scale_media
from tasks.mathematics.transforms import TransformPrior
from tasks.models.contract import ModelInputs
from tasks.models.mmm.own_transform import OwnTransform, find_transform


@dataclass(frozen=True)
class ChannelTransforms:
    """Carryover and saturation of one channel."""

    adstock: AdstockSpec
    saturation: SaturationSpec
    own: OwnTransform | None = None
    """In place of both, where the spec names a class."""

    @property
    def n_lags(self) -> int:
        """Number of lags, 1 without carryover."""
        if self.own is not None:
            return self.own.l_max
        return 1 if self.adstock.kind is AdstockKind.NONE else self.adstock.l_max

    def priors(self, family: str) -> Mapping[str, TransformPrior]:
        """Priors of the learned parameters of its ``adstock`` or its ``saturation``."""
        if family == "adstock":
            return ADSTOCKS[self.adstock.kind].priors_of(self.adstock.carryover)
        return SATURATIONS[self.saturation.kind].priors_of(self.saturation.slope)

    @property
    def adstock_parameters(self) -> tuple[str, ...]:
        """Learned parameters of the carryover kernel."""
        return () if self.own is not None else ADSTOCKS[self.adstock.kind].parameters

    @property
    def saturation_parameters(self) -> tuple[str, ...]:
        """Learned parameters of the saturation curve."""
        return () if self.own is not None else SATURATIONS[self.saturation.kind].parameters

    @property
    def transform_parameters(self) -> tuple[str, ...]:
        """Learned parameters of a transform of somebody else."""
        return () if self.own is None else self.own.parameters


@dataclass(frozen=True)
class MediaDesign:
    """Scaled media of a panel and the transforms of each channel."""

    names: tuple[str, ...]
    values: NDArray[np.float64]
    """``(channel, entity, date)``, in scaled input units."""
    signs: NDArray[np.float64]
    """``(channel,)``: -1 for a competitor, else 1."""
    transforms: tuple[ChannelTransforms, ...]
    """One per channel."""
    before: NDArray[np.float64]
    """``(channel, entity)``: scaled input of every period before the first one."""
    runs_before: bool
    """Whether that is the mean of the first periods; zero otherwise."""

    @property
    def n_lags(self) -> int:
        """Largest number of lags of any channel."""
        return max((channel.n_lags for channel in self.transforms), default=1)

    def lagged(self, index: int) -> NDArray[np.float64]:
        """Series of one channel stacked with its past, ``(lag, entity, date)``."""
        n_lags = self.transforms[index].n_lags
        stacked = stack_lags(self.values[index], n_lags, self.before[index])
        return np.ascontiguousarray(np.moveaxis(stacked, 1, 0))

    def with_level(self, index: int) -> NDArray[np.float64]:
        """Series of one channel behind its level before, ``(entity, 1 + date)``."""
        return np.concatenate([self.before[index][:, None], self.values[index]], axis=1)

    def with_past(self, index: int) -> NDArray[np.float64]:
        """Series of one channel behind all of its past that is felt, ``(entity, lags + date)``."""
        lead = self.transforms[index].n_lags - 1
        earlier = np.repeat(self.before[index][:, None], lead, axis=1)
        return np.concatenate([earlier, self.values[index]], axis=1)

    def users(self, family: str, name: str) -> list[int]:
        """Positions of the channels whose ``adstock`` or ``saturation`` has a parameter."""
        return np.flatnonzero(has_parameter(self.transforms, f"{family}_{name}")).tolist()


def has_parameter(transforms: Sequence[ChannelTransforms], label: str) -> NDArray[np.bool_]:
    """Say which channels have a parameter, such as ``adstock_theta``, ``(channel,)``."""
    family, _, name = label.partition("_")
    return np.array(
        [name in getattr(channel, f"{family}_parameters") for channel in transforms], bool
    )


def channel_places(transforms: Sequence[ChannelTransforms], label: str) -> NDArray[np.intp]:
    """Position of every channel in a parameter that only some have.

    Channels without the parameter get position 0; whoever computes their response never reads it.
    """
    has = has_parameter(transforms, label)
    return np.where(has, np.cumsum(has) - 1, 0)


def channel_transforms(metadata: FeatureMetadata) -> tuple[ChannelTransforms, ...]:
    """Read carryover and saturation of every channel."""
    own = None if metadata.transform is None else find_transform(metadata.transform)
    return tuple(
        ChannelTransforms(channel.learned_adstock, channel.learned_saturation, own)
        for channel in metadata.channels
    )


def media_design(panel: xr.Dataset, inputs: ModelInputs) -> MediaDesign:
    """Scale the media of a panel, over every period of it."""
    channels = inputs.metadata.channels
    values = np.ascontiguousarray(np.moveaxis(scale_media(panel, inputs.scales), 1, 0))
    transforms = channel_transforms(inputs.metadata)
    return MediaDesign(
        names=tuple(c.name for c in channels),
        values=values,
        signs=np.array([-1.0 if c.kind is ChannelKind.COMPETITOR else 1.0 for c in channels]),
        transforms=transforms,
        before=media_before(values, transforms, inputs.metadata),
        runs_before=bool(inputs.metadata.media_before),
    )


def media_before(
    values: NDArray[np.float64], transforms: Sequence[ChannelTransforms], metadata: FeatureMetadata
) -> NDArray[np.float64]:
    """Scaled input that is assumed of every period before the first, ``(channel, entity)``.

    Parameters
    ----------
    values
        Scaled input, ``(channel, entity, date)``.
    transforms
        One per channel.
    metadata
        Says whether media ran before; runs of earlier versions supposed that they did not.
    """
    if not metadata.media_before:
        return np.zeros(values.shape[:2])
    levels = [early_level(v, t.n_lags) for v, t in zip(values, transforms, strict=True)]
    return np.array(levels).reshape(values.shape[:2])
