"""Columns that a search chooses from, and the moments of any choice of them.

What two columns have in common does not depend on the KPI, so it is summed once and kept: of the
draws of a bootstrap, each with a KPI of its own, a search is little more than looking it up.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tasks.models.ridge.design import Design, Values
from tasks.models.ridge.folds import Fold, Moments, Parts, Products, cross, cut_parts, plan_folds

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Columns:
    """Candidate columns of every channel, made once and used by every search."""

    values: tuple[list[Values], ...]
    """Hyperparameters of each candidate, by channel, in the order of ``Design.candidates``."""
    starts: tuple[int, ...]
    """Place of each channel's first candidate in ``parts``; last, that of the linear terms."""
    parts: Parts
    """Candidates of all channels, then the linear terms."""
    folds: Sequence[Fold]
    _known: dict[tuple[int, int], Products] = field(default_factory=dict, repr=False)

    @property
    def n_channels(self) -> int:
        """Number of channels."""
        return len(self.values)

    def places(self, media: Sequence[Values]) -> list[int]:
        """Place of every column of a fit: the media's chosen candidates, then the linear terms."""
        chosen = [
            start + known.index(values)
            for start, known, values in zip(self.starts, self.values, media, strict=False)
        ]
        return [*chosen, *range(self.starts[-1], self.parts.sums.shape[1])]

    def with_kpi(self, kpi: Array) -> "Target":
        """Return what any choice of columns has in common with a KPI ``(entity, period)``."""
        target = cut_parts(kpi[None], self.folds)
        moment, square = cross(self.parts, target), cross(target, target)
        return Target(
            Products(*(m[..., 0] for m in moment)), Products(*(s[:, 0, 0] for s in square))
        )

    def gram(self, places: Sequence[int]) -> Products:
        """Cross products of the columns of one choice, ``(fold, column, column)``."""
        rows = [self._with_all(place, places) for place in places]
        return Products(*(np.stack(both, axis=1) for both in zip(*rows, strict=True)))

    def grams(self, places: Sequence[int], channel: int) -> Products:
        """As ``gram``, with each candidate of a channel in its place.

        Dims ``(fold, candidate, column, column)``.
        """
        others = [self._block(channel, place) for place in places]
        found = []
        for plain, *crossed in zip(self.gram(places), *others, strict=True):
            with_others = np.stack(crossed, axis=-1)
            grams = np.repeat(plain[:, None], with_others.shape[1], axis=1)
            grams[..., channel, :] = grams[..., :, channel] = with_others
            found.append(grams)
        for grams, own in zip(found, self._squares(channel), strict=True):
            grams[..., channel, channel] = own
        return Products(*found)

    def _with_all(self, place: int, places: Sequence[int]) -> Products:
        """Cross products of one column with all of a choice, ``(fold, column)``."""
        blocks = [self._block(group, place) for group in range(self.n_channels + 1)]
        media = [
            [block[:, at - start, None] for block in blocks[channel]]
            for channel, (at, start) in enumerate(zip(places, self.starts[:-1], strict=False))
        ]
        return Products(
            *(np.concatenate([*(one[k] for one in media), blocks[-1][k]], axis=1) for k in range(2))
        )

    def _block(self, group: int, place: int) -> Products:
        """Cross products of a channel's candidates, or the linear terms, with one column."""
        if (group, place) not in self._known:
            found = cross(self._group(group), self.parts.pick([place]))
            self._known[group, place] = Products(*(block[..., 0] for block in found))
        return self._known[group, place]

    def _squares(self, channel: int) -> Products:
        """Cross products of a channel's candidates with themselves, ``(fold, candidate)``."""
        if (channel, -1) not in self._known:
            own = self._group(channel)
            each = [cross(own.pick([k]), own.pick([k])) for k in range(len(self.values[channel]))]
            self._known[channel, -1] = Products(
                *(np.array([both[k][:, 0, 0] for both in each]).T for k in range(2))
            )
        return self._known[channel, -1]

    def _group(self, group: int) -> Parts:
        end = self.starts[group + 1] if group < self.n_channels else None
        return self.parts.pick(slice(self.starts[group], end))


@dataclass(frozen=True)
class Target:
    """What all columns have in common with one KPI."""

    moment: Products
    """``(fold, column)``."""
    square: Products
    """``(fold,)``."""

    def moments(self, places: Sequence[int], gram: Products) -> Moments:
        """Return the moments of one choice of columns."""
        return Moments(gram, Products(*(m[:, places] for m in self.moment)), self.square)

    def moments_of_each(
        self, places: Sequence[int], channel: int, tried: slice, grams: Products
    ) -> Moments:
        """As ``moments``, with each candidate of a channel in its place."""
        found = []
        for known in self.moment:
            own = known[:, tried]
            moment = np.repeat(known[:, None, places], own.shape[1], axis=1)
            moment[..., channel] = own
            found.append(moment)
        return Moments(grams, Products(*found), self.square)


def make_columns(design: Design, n_folds: int) -> Columns:
    """Transform the media by every combination of their hyperparameters.

    Parameters
    ----------
    design
        The panel as columns.
    n_folds
        Folds of the cross-validation.
    """
    values = tuple(design.candidates(channel) for channel in range(design.n_channels))
    made = [design.column(channel, one) for channel, tried in enumerate(values) for one in tried]
    folds = plan_folds(design.kpi.shape[1], n_folds)
    starts = np.cumsum([0, *(len(tried) for tried in values)])
    parts = cut_parts(np.concatenate([np.array(made), design.linear]), folds)
    return Columns(values, tuple(starts.tolist()), parts, folds)
