"""Which one adstock and saturation a stock pymc-marketing ``MMM`` needs to hold a fit.

A stock ``MMM`` has one adstock and one saturation for all channels. Channels without either still
fit in: every kernel has parameters that keep all weight on lag zero, and every curve has some that
make it a line, to within rounding (a half-saturation far beyond all input). Everything else that
differs between channels cannot be held by a stock ``MMM``.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from schemas.documents.features import FeatureMetadata
from schemas.spec.channels import AdstockKind, AdstockSpec, SaturationKind
from tasks.models.mmm.design import ChannelTransforms, channel_transforms


@dataclass(frozen=True)
class StockForm:
    """Transforms of all channels of a stock model."""

    adstock: AdstockSpec
    saturation: SaturationKind
    before_adstock: bool
    """Saturation comes first."""


def stock_obstacle(metadata: FeatureMetadata) -> str | None:
    """Say why a stock ``MMM`` cannot hold fits of these features, or None where it can."""
    transforms = channel_transforms(metadata)
    if metadata.transform is not None:
        return "channels go through a transform that it does not have"
    if metadata.is_ragged:
        return "entities do not cover the same periods"
    if metadata.media_curve is not None:
        return "media vary over time along a curve that it does not have"
    if len(_adstocks(transforms)) > 1:
        return f"channels differ in adstock ({_listed(_adstocks(transforms))})"
    if len(_saturations(transforms)) > 1:
        return (
            f"channels differ in saturation ({_listed(s.value for s in _saturations(transforms))})"
        )
    if len(_orders(transforms)) > 1:
        return "channels differ in whether saturation comes before adstock"
    return None


def stock_form(metadata: FeatureMetadata) -> StockForm:
    """Return the transforms of the stock model; there must be no ``stock_obstacle``."""
    transforms = channel_transforms(metadata)
    adstocks, saturations = _adstocks(transforms), _saturations(transforms)
    return StockForm(
        adstock=adstocks[0] if adstocks else AdstockSpec(kind=AdstockKind.NONE),
        saturation=saturations[0] if saturations else SaturationKind.NONE,
        before_adstock=any(_orders(transforms)),
    )


def _adstocks(transforms: Iterable[ChannelTransforms]) -> list[AdstockSpec]:
    """Carryover of the channels that have any, each once."""
    return list(dict.fromkeys(channel.adstock for channel in transforms if channel.n_lags > 1))


def _saturations(transforms: Iterable[ChannelTransforms]) -> list[SaturationKind]:
    """Saturation of the channels that have any, each once."""
    kinds = (channel.saturation.kind for channel in transforms)
    return list(dict.fromkeys(kind for kind in kinds if kind is not SaturationKind.NONE))


def _orders(transforms: Iterable[ChannelTransforms]) -> set[bool]:
    """Whether saturation comes first, of the channels for which that makes a difference."""
    return {
        channel.saturation.before_adstock
        for channel in transforms
        if channel.n_lags > 1 and channel.saturation.kind is not SaturationKind.NONE
    }


def _listed(items: Iterable[object]) -> str:
    names = [f"{i.kind.value} over {i.l_max}" if isinstance(i, AdstockSpec) else i for i in items]
    return ", ".join(map(str, names))
