"""The search for hyperparameters: one channel at a time, then one group of penalties at a time."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from schemas.spec.ridge import RidgeSpec
from tasks.models.ridge.design import GROUPS, Design, Values
from tasks.models.ridge.folds import Fold, plan_folds, score, split_moments, with_column

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


@dataclass(frozen=True)
class Columns:
    """Candidate columns of every channel, made once and used by every search."""

    by_channel: tuple[Array, ...]
    """``(candidate, entity, fitted period)`` each, in the order of ``Design.candidates``."""


def make_columns(design: Design) -> Columns:
    """Transform the media by every combination of their hyperparameters."""
    return Columns(
        tuple(
            np.array([design.column(channel, values) for values in design.candidates(channel)])
            for channel in range(design.n_channels)
        )
    )


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
        Grids and number of folds.
    columns
        From ``make_columns`` of this design.
    start
        Where it starts.
    max_passes
        Passes over all channels and groups at most; it ends where one brings next to nothing.

    Returns
    -------
    Chosen
        The settings with the smallest error of those that were visited.
    """
    if settings.is_fixed and all(len(found) == 1 for found in columns.by_channel):
        return start
    folds = plan_folds(design.kpi.shape[1], settings.folds)
    chosen, best = start, np.inf
    for _ in range(max_passes):
        before = best
        for channel in range(design.n_channels):
            chosen = _choose_channel(design, columns, folds, chosen, channel)
        chosen, best = _choose_penalties(design, settings, folds, chosen)
        if best > before * (1 - _LEAST_GAIN):
            break
    return chosen


def search_widely(design: Design, settings: RidgeSpec, columns: Columns) -> Chosen:
    """Search from the middle of every grid, in several passes."""
    start = middle(design, settings)
    return search(design, settings, columns, start, max_passes=_MAX_PASSES)


def _choose_channel(
    design: Design, columns: Columns, folds: Sequence[Fold], chosen: Chosen, channel: int
) -> Chosen:
    candidates = columns.by_channel[channel]
    if len(candidates) == 1:
        return chosen
    penalty, current = chosen.by_column(design), design.columns(chosen.media)
    tried = with_column(current, design.kpi, folds, channel, candidates)
    errors = [score(moments, penalty, design.signs) for moments in tried]
    media = list(chosen.media)
    media[channel] = design.candidates(channel)[int(np.argmin(errors))]
    return replace(chosen, media=tuple(media))


def _choose_penalties(
    design: Design, settings: RidgeSpec, folds: Sequence[Fold], chosen: Chosen
) -> tuple[Chosen, float]:
    moments = split_moments(design.columns(chosen.media), design.kpi, folds)
    best = np.inf
    for place, group in enumerate(GROUPS):
        tried = [
            replace(chosen, penalty=_put(chosen.penalty, place, value))
            for value in getattr(settings.penalty, group)
        ]
        errors = [score(moments, one.by_column(design), design.signs) for one in tried]
        chosen, best = tried[int(np.argmin(errors))], float(min(errors))
    return chosen, best


def _put(values: tuple[float, ...], place: int, value: float) -> tuple[float, ...]:
    return (*values[:place], value, *values[place + 1 :])
