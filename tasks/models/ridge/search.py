"""The search for hyperparameters: one channel at a time, then one group of penalties at a time."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from schemas.spec.ridge import RidgeSpec
from tasks.models.ridge.candidates import Columns, Target
from tasks.models.ridge.design import GROUPS, Design, Values
from tasks.models.ridge.folds import score

Array = NDArray[np.float64]

_MAX_PASSES = 4
_LEAST_GAIN = 1e-6
"""Share of the error by which a pass must lower it for another one to follow."""


@dataclass(frozen=True)
class Chosen:
    """Hyperparameters of one fit."""

    media: tuple[Values, ...]
    """Of every channel."""
    penalty: tuple[float, ...]
    """By group, in the order of ``GROUPS``."""

    def by_column(self, design: Design) -> Array:
        """Penalty of every column."""
        return np.array(self.penalty)[design.groups]


def middle(design: Design, settings: RidgeSpec) -> Chosen:
    """Return the middle of every grid, where a search starts."""
    media = tuple(
        tuple(_middle(grid) for grid in transform.grids.values()) for transform in design.transforms
    )
    grids = (getattr(settings.penalty, group) for group in GROUPS)
    return Chosen(media, tuple(_middle(grid) for grid in grids))


def _middle(grid: Sequence[float]) -> float:
    return grid[(len(grid) - 1) // 2]


def search(
    design: Design, settings: RidgeSpec, columns: Columns, start: Chosen, *, max_passes: int
) -> Chosen:
    """Choose hyperparameters by time-series cross-validation, coefficients of all entities alike.

    Parameters
    ----------
    design
        The panel as columns.
    settings
        Grids.
    columns
        From ``make_columns`` of this design, or of one that differs in its KPI alone.
    start
        Where it starts.
    max_passes
        Passes over all channels and groups at most; it ends where one brings next to nothing.

    Returns
    -------
    Chosen
        The settings with the smallest error of those that were visited.
    """
    if settings.is_fixed and all(len(found) == 1 for found in columns.values):
        return start
    target = columns.with_kpi(design.kpi)
    chosen, best = start, np.inf
    for _ in range(max_passes):
        before = best
        for channel in range(design.n_channels):
            chosen = _choose_channel(design, columns, target, chosen, channel)
        chosen, best = _choose_penalties(design, settings, columns, target, chosen)
        if best > before * (1 - _LEAST_GAIN):
            break
    return chosen


def search_widely(design: Design, settings: RidgeSpec, columns: Columns) -> Chosen:
    """Search from the middle of every grid, in several passes."""
    start = middle(design, settings)
    return search(design, settings, columns, start, max_passes=_MAX_PASSES)


def _choose_channel(
    design: Design, columns: Columns, target: Target, chosen: Chosen, channel: int
) -> Chosen:
    values = columns.values[channel]
    if len(values) == 1:
        return chosen
    places = columns.places(chosen.media)
    tried = slice(columns.starts[channel], columns.starts[channel + 1])
    grams = columns.grams(places, channel)
    moments = target.moments_of_each(places, channel, tried, grams)
    errors = score(moments, chosen.by_column(design), design.signs)
    media = list(chosen.media)
    media[channel] = values[int(np.argmin(errors))]
    return replace(chosen, media=tuple(media))


def _choose_penalties(
    design: Design, settings: RidgeSpec, columns: Columns, target: Target, chosen: Chosen
) -> tuple[Chosen, float]:
    places = columns.places(chosen.media)
    moments = target.moments(places, columns.gram(places)).for_each()
    best = np.inf
    for place, group in enumerate(GROUPS):
        tried = [
            replace(chosen, penalty=_put(chosen.penalty, place, value))
            for value in getattr(settings.penalty, group)
        ]
        penalties = np.array([one.by_column(design) for one in tried])
        errors = score(moments, penalties, design.signs)
        chosen, best = tried[int(np.argmin(errors))], float(errors.min())
    return chosen, best


def _put(values: tuple[float, ...], place: int, value: float) -> tuple[float, ...]:
    return (*values[:place], value, *values[place + 1 :])
