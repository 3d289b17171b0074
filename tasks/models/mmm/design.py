"""Media of kind ``mmm`` as data: lag-stacked, scaled, with what the spec says of each channel."""

from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from schemas.channels import AdstockKind, AdstockSpec, ChannelKind, SaturationSpec
from tasks.mmm.carryover import stack_lags
from tasks.mmm.scaling import scale_media
from tasks.models.contract import ModelInputs


@dataclass(frozen=True)
class MediaDesign:
    """Lag-stacked scaled media and what the spec says about each channel."""

    lagged: NDArray[np.float64]
    """``(channel, lag, entity, date)``, periods before the first one count as zero."""
    signs: NDArray[np.float64]
    """``(channel,)``: -1 for a competitor, else 1."""
    adstock: AdstockSpec
    saturation: SaturationSpec

    @property
    def n_lags(self) -> int:
        """Number of lags, 1 without carryover."""
        return self.lagged.shape[1]


def media_design(panel: xr.Dataset, inputs: ModelInputs) -> MediaDesign:
    """Lag-stack the scaled media of a panel, over every period of it."""
    adstock = AdstockSpec.model_validate(inputs.metadata["adstock"])
    l_max = 1 if adstock.kind is AdstockKind.NONE else adstock.l_max
    scaled = scale_media(panel, inputs.scales)
    lagged = np.moveaxis(stack_lags(scaled, l_max), (1, 2, 0), (0, 1, 2))
    kinds = [c["kind"] for c in inputs.metadata["channels"]]
    return MediaDesign(
        lagged=np.ascontiguousarray(lagged),
        signs=np.array([-1.0 if k == ChannelKind.COMPETITOR else 1.0 for k in kinds]),
        adstock=adstock,
        saturation=SaturationSpec.model_validate(inputs.metadata["saturation"]),
    )
