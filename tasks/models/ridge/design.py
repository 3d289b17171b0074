"""Columns of kind ``ridge``: media through carryover and saturation, then the linear terms."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Protocol

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from schemas.documents.features import FeatureMetadata
from schemas.names import DATE_DIM, ENTITY_DIM, ComponentKind
from schemas.spec.channels import AdstockKind, ChannelKind, SaturationKind
from schemas.spec.ridge import RidgePenalty, RidgeSpec
from tasks.mathematics.carryover import adstock_weights, carry_back, stack_lags
from tasks.mathematics.panel import IS_ESTIMATION
from tasks.mathematics.saturation import saturation_shape, saturation_slope
from tasks.mathematics.scaling import scale_media
from tasks.models.contract import ModelInputs
from tasks.models.linear import describe_terms, linear_design
from tasks.models.ridge.custom import find_transform

Array = NDArray[np.float64]
Values = tuple[float, ...]
"""One channel's hyperparameters, in the order of its grids."""

GROUPS = tuple(RidgePenalty.model_fields)
"""Groups of coefficients that share a penalty."""
_GROUP_OF = {ComponentKind.TREND: "trend", ComponentKind.SEASONALITY: "seasonality"}


class MediaTransform(Protocol):
    """What becomes of a channel's input before it gets a coefficient."""

    @property
    def grids(self) -> Mapping[str, Sequence[float]]:
        """Values of each hyperparameter that are searched."""
        ...

    @property
    def n_lags(self) -> int:
        """Periods in which an input is felt."""
        ...

    def apply(self, scaled: Array, values: Values) -> Array:
        """Transform scaled input ``(..., period)``, not negative, without changing its shape."""
        ...

    def pull_back(self, scaled: Array, values: Values, weights: Array) -> Array:
        """Gradient of the sum of ``weights * apply(scaled, values)`` by ``scaled``."""
        ...


@dataclass(frozen=True)
class AdstockHill:
    """Geometric carryover with weights that sum to one, then a Hill curve."""

    grids: Mapping[str, Sequence[float]]
    n_lags: int

    def apply(self, scaled: Array, values: Values) -> Array:
        """Half of the effect is reached where the carried input is ``half_saturation``."""
        carried = self._carried(scaled, values[0])
        return np.asarray(saturation_shape(SaturationKind.HILL, carried, _curve(values)))

    def pull_back(self, scaled: Array, values: Values, weights: Array) -> Array:
        """Analytic."""
        carried = self._carried(scaled, values[0])
        slope = saturation_slope(SaturationKind.HILL, carried, _curve(values))
        return carry_back(weights * slope, self._lag_weights(values[0]))

    def _carried(self, scaled: Array, decay: float) -> Array:
        lagged = stack_lags(scaled, self.n_lags)
        return np.asarray(np.einsum("...lt,l->...t", lagged, self._lag_weights(decay)))

    def _lag_weights(self, decay: float) -> Array:
        alpha = {"alpha": np.array(decay)}
        return np.asarray(adstock_weights(AdstockKind.GEOMETRIC, alpha, l_max=self.n_lags))


def _curve(values: Values) -> dict[str, float]:
    return {"kappa": values[1], "slope": values[2]}


def media_transforms(metadata: FeatureMetadata) -> list[MediaTransform]:
    """Return the transform of every channel, in their order.

    Raises
    ------
    SpecError
        As ``find_transform``, where the spec names a class of its own.
    """
    settings = read_settings(metadata)
    if settings.transform is not None:
        return [find_transform(settings.transform)] * len(metadata.channels)
    grids = {name: getattr(settings, name) for name in ("decay", "half_saturation", "slope")}
    return [AdstockHill(grids, c.learned_adstock.l_max) for c in metadata.channels]


def read_settings(metadata: FeatureMetadata) -> RidgeSpec:
    """Return what the spec says to this kind."""
    return RidgeSpec.model_validate(metadata.kind_settings or {})


@dataclass(frozen=True)
class Design:
    """A panel as columns, over its fitted periods, in units of the scaled KPI."""

    kpi: Array
    """``(entity, fitted period)``."""
    linear: Array
    """Linear terms, ``(term, entity, fitted period)``."""
    media: Array
    """Scaled input over every period, ``(channel, entity, period)``."""
    window: NDArray[np.bool_]
    """Fitted periods, ``(period,)``: the last ones."""
    transforms: Sequence[MediaTransform]
    signs: Array
    """Of the coefficients, media first, ``(column,)``; 0 where either sign may be."""
    groups: NDArray[np.intp]
    """Place in ``GROUPS`` of every column, ``(column,)``."""

    @property
    def n_channels(self) -> int:
        """Number of channels."""
        return len(self.media)

    def candidates(self, channel: int) -> list[Values]:
        """Every combination of one channel's hyperparameters."""
        return list(product(*self.transforms[channel].grids.values()))

    def column(self, channel: int, values: Values) -> Array:
        """One channel's column, ``(entity, fitted period)``."""
        transformed = self.transforms[channel].apply(self.media[channel], values)
        return np.ascontiguousarray(transformed[:, self.window])

    def columns(self, chosen: Sequence[Values]) -> Array:
        """All columns, media first, ``(column, entity, fitted period)``."""
        media = [self.column(channel, values) for channel, values in enumerate(chosen)]
        return np.concatenate([np.array(media), self.linear])


def build_design(panel: xr.Dataset, inputs: ModelInputs) -> Design:
    """Arrange a panel as columns.

    Parameters
    ----------
    panel
        As ``tasks.mathematics.panel.build_panel`` makes it, without gaps.
    inputs
        Feature metadata and scales.
    """
    window = panel[IS_ESTIMATION].to_numpy()
    scaled = (panel["kpi"] / inputs.scales["kpi_scale"]).transpose(ENTITY_DIM, DATE_DIM).to_numpy()
    terms = describe_terms(inputs.metadata)
    groups = [_GROUP_OF.get(term.component.kind, "controls") for term in terms]
    settings = read_settings(inputs.metadata)
    return Design(
        kpi=np.ascontiguousarray(scaled[:, window]),
        linear=np.moveaxis(linear_design(panel, inputs)[:, :, window], 1, 0),
        media=np.moveaxis(scale_media(panel, inputs.scales), 1, 0),
        window=window,
        transforms=media_transforms(inputs.metadata),
        signs=np.array(
            [
                *(_sign(channel.kind, settings) for channel in inputs.metadata.channels),
                *(float(term.sign) for term in terms),
            ]
        ),
        groups=np.array(
            [GROUPS.index("media")] * len(inputs.metadata.channels)
            + [GROUPS.index(group) for group in groups]
        ),
    )


def _sign(kind: ChannelKind, settings: RidgeSpec) -> float:
    if kind is ChannelKind.COMPETITOR:
        return -1.0
    return 1.0 if settings.non_negative else 0.0
