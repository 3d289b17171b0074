"""Time-series cross-validation: fitted to the periods before, scored on those after.

A fold is fitted to an expanding window and scored on the periods right after it. Centring and
penalties come from the fitted window alone, carryover from the past alone, so that no later row
reaches an earlier fit (``tests/unit/models/test_ridge.py``).
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tasks.models.ridge.solve import solve_signed, stiffen

Array = NDArray[np.float64]


class Fold(NamedTuple):
    """Fitted to the periods before ``cut``, scored on those from it to before ``end``."""

    cut: int
    end: int


def plan_folds(n_periods: int, n_folds: int) -> list[Fold]:
    """Return folds over the later half of the fitted periods, each after the one before.

    Parameters
    ----------
    n_periods
        Fitted periods, at least four times ``n_folds``.
    n_folds
        How many.
    """
    size = n_periods // (2 * n_folds)
    first = n_periods - n_folds * size
    return [Fold(first + k * size, first + (k + 1) * size) for k in range(n_folds)]


class Parts(NamedTuple):
    """Rows of a panel cut where folds begin, each part with what its means need.

    The first one ends at the first cut; fold ``k`` is fitted to parts 0 to ``k`` and scored on part
    ``k + 1``.
    """

    rows: list[Array]
    """Of every part, ``(column, entity * period)``."""
    sums: Array
    """``(part, column, entity)``."""
    n_periods: Array
    """``(part,)``."""

    def pick(self, columns: Sequence[int] | slice) -> "Parts":
        """Return some of the columns."""
        return Parts([rows[columns] for rows in self.rows], self.sums[:, columns], self.n_periods)


def cut_parts(values: Array, folds: Sequence[Fold]) -> Parts:
    """Cut columns, or KPIs, ``(column, entity, period)`` where folds begin.

    They are shifted by their means of the first part: what is centred later loses no digits then,
    and nothing later than the first fold's own rows has a say in it.
    """
    shifted = values - values[..., : folds[0].cut].mean(axis=-1, keepdims=True)
    edges = [0, *(fold.cut for fold in folds), folds[-1].end]
    parts = [shifted[..., a:b] for a, b in pairwise(edges)]
    return Parts(
        [np.ascontiguousarray(part).reshape(len(values), -1) for part in parts],
        np.array([part.sum(axis=-1) for part in parts]),
        np.diff(edges).astype(float),
    )


class Products(NamedTuple):
    """Cross products over the fitted and over the scored periods of every fold.

    Both are less the means of the fitted periods, of each entity: it has a level of its own.
    """

    fitted: Array
    """``(fold, ...)``."""
    scored: Array
    """``(fold, ...)``."""


def cross(left: Parts, right: Parts) -> Products:
    """Return cross products of two sets of columns, ``(fold, left column, right column)`` each."""
    plain = np.array([a @ b.T for a, b in zip(left.rows, right.rows, strict=True)])
    n_before = left.n_periods.cumsum()[:-1, None, None]
    n_after = left.n_periods[1:, None, None]
    (a, a_after), (b, b_after) = (
        (one.sums.cumsum(axis=0)[:-1] / n_before, one.sums[1:]) for one in (left, right)
    )
    b, b_after = np.swapaxes(b, 1, 2), np.swapaxes(b_after, 1, 2)
    return Products(
        plain.cumsum(axis=0)[:-1] - n_before * (a @ b),
        plain[1:] - a @ b_after - a_after @ b + n_after * (a @ b),
    )


class Moments(NamedTuple):
    """Cross products of columns and of columns with the KPI, in every fold."""

    gram: Products
    """``(fold, ..., column, column)``."""
    moment: Products
    """``(fold, ..., column)``."""
    square: Products
    """KPI with itself, ``(fold,)``."""

    def for_each(self) -> "Moments":
        """Return them with an axis after that of folds, along which penalties may differ."""
        gram, moment = (Products(*(one[:, None] for one in both)) for both in self[:2])
        return Moments(gram, moment, self.square)


def score(moments: Moments, penalty: Array, signs: Array) -> Array:
    """Squared error on periods after those fitted, over all folds, squared units of the scaled KPI.

    Parameters
    ----------
    moments
        Of one set of columns, or of many.
    penalty
        Of every column, ``(..., column)``, broadcast against the sets.
    signs
        As ``tasks.models.ridge.solve`` takes them.

    Returns
    -------
    NDArray
        ``(...)``: one error for each set.
    """
    stiff = stiffen(moments.gram.fitted, penalty)
    found = solve_signed(stiff, moments.moment.fitted, signs)
    explained = 2 * (moments.moment.scored * found).sum(axis=-1)
    explained -= np.einsum("...i,...ij,...j->...", found, moments.gram.scored, found)
    return np.asarray(moments.square.scored.sum() - explained.sum(axis=0))
