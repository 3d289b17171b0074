"""The law of one simulated KPI: what every channel truly brings, on any panel.

    KPI = what the model says in one draw, silent channels off + what the world adds + noise

In a world of longer carryover the channels have curves of their own, and bring over the fitted
periods what they brought in the draw.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from schemas.names import CHANNEL_DIM, DATE_DIM, ENTITY_DIM
from tasks.mathematics.carryover import early_level, stack_lags
from tasks.mathematics.panel import IS_ESTIMATION
from tasks.models.contract import FittedModel

Array = NDArray[np.float64]
_CUBE = (ENTITY_DIM, CHANNEL_DIM, DATE_DIM)

MANY_LAGS = 40
"""Periods over which an effect of a world of longer carryover is felt."""
_MOST_BYTES = 400_000_000
"""Of the stacked lags of one channel that are held at once."""


@dataclass(frozen=True)
class OwnCurves:
    """Geometric carryover and Hill curves that are not the model's, by channel."""

    retention: dict[str, float]
    slope: dict[str, float]
    half_saturation: dict[str, Array]
    """Carried input at half of the effect, ``(entity,)``."""
    amplitude: dict[str, Array]
    """KPI units at full saturation, ``(entity,)``."""

    def bring(self, channel: str, media: Array) -> Array:
        """Return what input ``(entity, date)`` brings, same shape, KPI units."""
        carried = np.maximum(_carry(media, self.retention[channel]), 0.0)
        powered = carried ** self.slope[channel]
        half = self.half_saturation[channel][:, None] ** self.slope[channel]
        share = np.divide(powered, powered + half, out=np.zeros_like(powered), where=powered > 0)
        return np.asarray(self.amplitude[channel][:, None] * share)


@dataclass(frozen=True)
class Law:
    """Everything that is true of one world."""

    model: FittedModel
    """One draw."""
    channels: Sequence[str]
    silent: Sequence[str]
    own: OwnCurves | None = None

    def contribution(self, channel: str, panel: xr.Dataset) -> Array:
        """Expected KPI less that without the channel, ``(entity, date)``."""
        if channel in self.silent:
            return np.zeros((panel.sizes[ENTITY_DIM], panel.sizes[DATE_DIM]))
        if self.own is not None:
            return self.own.bring(channel, media_of(panel, channel))
        return np.asarray(self.model.incremental(channel, switch_off(panel, self.silent))[0])

    def expected(self, panel: xr.Dataset) -> Array:
        """Expected KPI, ``(entity, date)``, without what the world adds."""
        if self.own is None:
            return np.asarray(self.model.expected(switch_off(panel, self.silent))[0])
        base = self.model.expected(switch_off(panel, self.channels))[0]
        return np.asarray(base + sum(self.contribution(c, panel) for c in self.channels))


def media_of(panel: xr.Dataset, channel: str) -> Array:
    """Return the input of a channel, ``(entity, date)``."""
    chosen = panel["media"].sel({CHANNEL_DIM: channel})
    return np.asarray(chosen.transpose(ENTITY_DIM, DATE_DIM).to_numpy(), dtype=float)


def switch_off(
    panel: xr.Dataset, channels: Sequence[str], periods: slice = slice(None)
) -> xr.Dataset:
    """Return a panel in which some channels have no input in some periods."""
    media = panel["media"].transpose(*_CUBE).copy(deep=True)
    media.values[:, np.isin(panel[CHANNEL_DIM].values.astype(str), list(channels)), periods] = 0.0
    return panel.assign(media=media)


def longer_curves(law: Law, panel: xr.Dataset, rng: np.random.Generator) -> Law:
    """Return a law in which effects last for months.

    Retention lies between 0.8 and 0.95, slopes between 0.8 and 2, and half of the effect is reached
    at 0.3 to 1.2 of the mean carried input. Every channel brings as much over the fitted periods as
    before.

    Parameters
    ----------
    law
        A law without curves of its own.
    panel
        The panel of the fit.
    rng
        Draws the curves.
    """
    window = panel[IS_ESTIMATION].to_numpy()
    n_entities = panel.sizes[ENTITY_DIM]
    own = OwnCurves({}, {}, {}, {})
    for channel in law.channels:
        media = media_of(panel, channel)
        own.retention[channel] = float(rng.uniform(0.8, 0.95))
        own.slope[channel] = float(rng.uniform(0.8, 2.0))
        carried = _carry(media, own.retention[channel])[:, window].mean(axis=1)
        half = rng.uniform(0.3, 1.2) * carried
        own.half_saturation[channel] = np.where(half > 0, half, 1.0)
        own.amplitude[channel] = np.ones(n_entities)
        unit = own.bring(channel, media)[:, window].sum(axis=1)
        brought = law.contribution(channel, panel)[:, window].sum(axis=1)
        own.amplitude[channel] = np.divide(brought, unit, out=np.zeros(n_entities), where=unit > 0)
    return Law(law.model, law.channels, law.silent, own)


def _carry(media: Array, retention: float) -> Array:
    """Carried input, ``(entity, date)``; before the data it was as in their first periods."""
    weights = retention ** np.arange(MANY_LAGS)
    weights = weights / weights.sum()
    at_once = max(1, _MOST_BYTES // (8 * MANY_LAGS * max(media.shape[-1], 1)))
    carried = []
    for rows in np.split(media, range(at_once, len(media), at_once)):
        lags = stack_lags(rows, MANY_LAGS, early_level(rows, MANY_LAGS))
        carried.append(np.einsum("elt,l->et", lags, weights))
    return np.concatenate(carried)
