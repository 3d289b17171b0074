"""What a plan decides: variables in money, and how each is spread over entities and periods.

A variable is a channel over the horizon; with ``by_entity`` one per entity, with ``flighting`` one
per period. What is not decided keeps the proportions of the reference window, the periods just
before the horizon.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Allocation:
    """Variables of one model's plan and the cells of spend that each pays for."""

    channels: tuple[str, ...]
    entities: tuple[str, ...]
    variable: NDArray[np.intp]
    """Variable of each cell, ``(entity, channel, period)``; every cell has one."""
    share: Array
    """Share of the variable's money that goes into the cell, same shape; adds up to 1."""
    channel_of: NDArray[np.intp]
    """Channel of each variable, ``(variable,)``."""
    reference: Array
    """Spend of the reference window, money, ``(entity, channel, period)``."""

    @property
    def n_variables(self) -> int:
        """Number of variables."""
        return len(self.channel_of)

    @property
    def current(self) -> Array:
        """Today's value of every variable, money, ``(variable,)``."""
        return self.gather(self.reference, weighted=False)

    def spend(self, money: Array) -> Array:
        """Spread variables over cells, ``(entity, channel, period)``."""
        return np.asarray(self.share * money[self.variable])

    def gather(self, cells: Array, *, weighted: bool = True) -> Array:
        """Sum cells per variable; ``weighted`` multiplies by shares, the transpose of ``spend``."""
        values = cells * self.share if weighted else cells
        return _sum_by(self.variable, values, self.n_variables)

    def by_channel(self, money: Array) -> Array:
        """Sum variables per channel, ``(channel,)``."""
        return _sum_by(self.channel_of, money, len(self.channels))


def build_allocation(
    reference: Array,
    history: Array,
    channels: Sequence[str],
    entities: Sequence[str],
    *,
    by_entity: bool = False,
    flighting: bool = False,
) -> Allocation:
    """Decide which cells move together.

    Parameters
    ----------
    reference
        Spend of the reference window, money, ``(entity, channel, period)``, no NaN.
    history
        Spend of all fitted periods, ``(entity, channel)``: how a channel that is off in the
        reference window is split over entities if a plan switches it on.
    channels, entities
        Their names.
    by_entity, flighting
        Whether entities, and whether periods, have variables of their own.
    """
    n_entities, _, n_periods = reference.shape
    entity, channel, period = np.indices(reference.shape)
    key = channel
    if by_entity:
        key = key * n_entities + entity
    if flighting:
        key = key * n_periods + period
    first, variable = np.unique(key.ravel(), return_index=True, return_inverse=True)[1:]
    variable = variable.reshape(reference.shape)
    weights = np.where(
        _is_off(reference, variable)[variable], _split_of_history(history, n_periods), reference
    )
    totals = _sum_by(variable, weights, len(first))
    return Allocation(
        channels=tuple(channels),
        entities=tuple(entities),
        variable=variable,
        share=weights / totals[variable],
        channel_of=channel.ravel()[first],
        reference=reference,
    )


def _is_off(reference: Array, variable: NDArray[np.intp]) -> NDArray[np.bool_]:
    return _sum_by(variable, reference, int(variable.max()) + 1) <= 0


def _sum_by(place: NDArray[np.intp], values: Array, n_places: int) -> Array:
    summed = np.bincount(place.ravel(), weights=values.ravel(), minlength=n_places)
    return summed.astype(np.float64)


def _split_of_history(history: Array, n_periods: int) -> Array:
    """Even over periods; over entities as ever spent, evenly where nothing ever was."""
    total = history.sum(axis=0)
    even = np.full_like(history, 1.0 / len(history))
    split = np.where(total > 0, history / np.where(total > 0, total, 1.0), even)
    # An entity that never spent still needs a positive weight: it may have a variable of its own.
    return np.repeat(np.maximum(split, 1e-9)[:, :, None], n_periods, axis=2)
