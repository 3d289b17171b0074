"""What a channel adds per period once the same input has run long enough.

The last period of a panel in which every channel has had today's input for as long as the model
remembers: carryover is full, and what is not media is as it was last. Today is the mean of the
last horizon, as a budget plan has it; of a channel that rested through it, that of all periods.
"""

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from schemas.names import CHANNEL_DIM, DATE_DIM, ENTITY_DIM, ComponentKind
from tasks.mathematics.panel import IS_OBSERVED, estimation_window, observed_mean
from tasks.models.contract import Component, FittedModel

_CEILING = np.exp(50.0)
"""A draw of a model on the logarithm can overflow; KPI beyond e^50 is beyond any money."""


def last_horizon(panel: xr.Dataset, horizon: int) -> xr.Dataset:
    """Return the last fitted periods of a panel, as many as a horizon has, or all where fewer."""
    return estimation_window(panel).isel({DATE_DIM: slice(-horizon, None)})


def todays_media(panel: xr.Dataset, horizon: int) -> xr.DataArray:
    """Return today's input per period.

    Parameters
    ----------
    panel
        As ``tasks.mathematics.panel`` has it.
    horizon
        Periods that today is the mean of.

    Returns
    -------
    xr.DataArray
        ``(entity, channel)``, unit of the input: the mean of the last horizon, 0 for an entity that
        was closed in it; the mean of all fitted periods for a channel that rested everywhere.
    """
    recent = observed_mean(last_horizon(panel, horizon), "media").fillna(0.0)
    before = observed_mean(estimation_window(panel), "media")
    return recent.where(recent.sum(ENTITY_DIM) > 0, before)


def steady_panel(panel: xr.Dataset, n_periods: int, *, horizon: int) -> xr.Dataset:
    """Return the last periods of a panel with every channel at today's input.

    Every entity is open in them, with the mean of its own periods.

    Parameters
    ----------
    panel
        As ``tasks.mathematics.panel`` has it.
    n_periods
        Periods that the model remembers. Where history is shorter, the first period is repeated.
    horizon
        Periods that today is the mean of.
    """
    mean = todays_media(panel, horizon)
    index = panel.sizes[DATE_DIM] - n_periods + np.arange(n_periods)
    recent = panel.isel({DATE_DIM: np.maximum(index, 0)})
    media = recent["media"].transpose(ENTITY_DIM, CHANNEL_DIM, DATE_DIM)
    level = mean.transpose(ENTITY_DIM, CHANNEL_DIM).to_numpy()[:, :, None]
    if IS_OBSERVED in recent:
        recent = recent.assign({IS_OBSERVED: xr.ones_like(recent[IS_OBSERVED])})
    return recent.assign(media=media.copy(data=np.repeat(level, n_periods, axis=-1)))


def steady_response(
    model: FittedModel, steady: xr.Dataset, channel: str, factors: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Evaluate what a channel adds at multiples of its mean input, all entities at once.

    Parameters
    ----------
    model
        Posterior draws of any kind.
    steady
        From ``steady_panel``.
    channel
        Its name; the other channels stay as they are today.
    factors
        Multiples of today's input of each entity, ``(factor,)``; the first is 0.

    Returns
    -------
    NDArray
        KPI units per period, ``(sample, entity, factor)``: the expected KPI less that without the
        channel. In an additive model that is the contribution, which alone is evaluated.
    """
    component = Component(channel, ComponentKind.CHANNEL)
    index = [str(name) for name in steady[CHANNEL_DIM].values].index(channel)
    media = steady["media"].copy(deep=True)
    changed = steady.assign(media=media)
    values = changed["media"].to_numpy()
    mean = values[:, index].copy()
    levels = []
    for factor in factors:
        values[:, index] = factor * mean
        whole = (
            model.contribution(component, changed) if model.additive else model.expected(changed)
        )
        # A copy of the last period lets go of all the others.
        levels.append(whole[:, :, -1].copy())
    response = np.stack(levels, axis=-1)
    response -= response[:, :, :1].copy()
    return np.clip(response, -_CEILING, _CEILING)
