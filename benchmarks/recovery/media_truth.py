"""The media law of an own world: what any spend contributes, not only the spend that was seen."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
L_MAX = 8


@dataclass(frozen=True)
class MediaTruth:
    """True parameters: geometric adstock, then a Hill curve, then an amplitude."""

    retention: Array
    """``(channel,)``."""
    slope: Array
    """``(channel,)``."""
    half_saturation: Array
    """On spend over ``scale``, ``(channel,)``."""
    scale: Array
    """Money, ``(entity, channel)``: the largest weekly spend of the whole world."""
    amplitude: Array
    """KPI units at full saturation, ``(entity, channel)``."""

    def contribution(self, spend: Array) -> Array:
        """Contribution in KPI units, ``(entity, channel, week)``.

        Parameters
        ----------
        spend
            Money, ``(entity, channel, week)``, oldest first; nothing was spent before.
        """
        return np.asarray(self.amplitude[..., None] * self.shape(spend))

    def shape(self, spend: Array) -> Array:
        """Share of the amplitude, ``(entity, channel, week)``."""
        scaled = spend / self.scale[..., None]
        weights = self.retention[:, None] ** np.arange(L_MAX)
        weights = weights / weights.sum(axis=1, keepdims=True)
        n_weeks = spend.shape[-1]
        carried = np.zeros_like(scaled)
        for lag in range(min(L_MAX, n_weeks)):
            carried[..., lag:] += weights[:, lag, None] * scaled[..., : n_weeks - lag]
        slope, half = self.slope[:, None], self.half_saturation[:, None]
        return np.asarray(carried**slope / (half**slope + carried**slope))
