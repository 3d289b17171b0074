"""Time-series cross-validation: fitted to the periods before, scored on those after.

A fold is fitted to an expanding window and scored on the periods right after it. Centring and
penalties come from the fitted window alone, carryover from the past alone, so that no later row
reaches an earlier fit (``tests/unit/models/ridge``).
"""

from collections.abc import Iterator, Sequence
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


class Moments(NamedTuple):
    """Cross products of columns and KPI over some periods, less the means of the fitted ones."""

    gram: Array
    """``(..., column, column)``."""
    moment: Array
    """Columns with the KPI, ``(..., column)``."""
    square: float
    """KPI with itself."""
    n_cells: int
    """Entities × periods."""

    def error(self, coefficients: Array) -> float:
        """Mean squared error of coefficients, in squared units of the scaled KPI."""
        explained = 2 * self.moment @ coefficients - coefficients @ self.gram @ coefficients
        return float(self.square - explained) / self.n_cells


class SplitMoments(NamedTuple):
    """One fold as moments."""

    fitted: Moments
    scored: Moments


def measure_moments(columns: Array, kpi: Array, periods: slice, centred_on: slice) -> Moments:
    """Sum cross products over some periods.

    Parameters
    ----------
    columns, kpi
        ``(column, entity, period)`` and ``(entity, period)``.
    periods
        Those that are summed.
    centred_on
        Those whose means of each entity are taken off first: each entity has a level of its own.
    """
    x = columns[..., periods] - columns[..., centred_on].mean(axis=-1, keepdims=True)
    y = kpi[..., periods] - kpi[..., centred_on].mean(axis=-1, keepdims=True)
    flat, target = x.reshape(len(x), -1), y.ravel()
    return Moments(flat @ flat.T, flat @ target, float(target @ target), target.size)


def split_moments(columns: Array, kpi: Array, folds: Sequence[Fold]) -> list[SplitMoments]:
    """Return the moments of every fold; arguments as ``measure_moments`` takes them."""
    return [
        SplitMoments(
            measure_moments(columns, kpi, slice(0, fold.cut), slice(0, fold.cut)),
            measure_moments(columns, kpi, slice(fold.cut, fold.end), slice(0, fold.cut)),
        )
        for fold in folds
    ]


def with_column(
    columns: Array, kpi: Array, folds: Sequence[Fold], place: int, candidates: Array
) -> Iterator[list[SplitMoments]]:
    """Yield the moments of every fold with each candidate in one column's place.

    Only what the column touches is summed anew.

    Parameters
    ----------
    columns, kpi, folds
        As ``split_moments`` takes them.
    place
        Which column is replaced.
    candidates
        ``(candidate, entity, period)``.
    """
    stacked = np.concatenate([columns, candidates])
    n_columns = len(columns)
    parts = []
    for fold in folds:
        before, after = slice(0, fold.cut), slice(fold.cut, fold.end)
        pair = []
        for periods in (before, after):
            x = stacked[..., periods] - stacked[..., before].mean(axis=-1, keepdims=True)
            y = (kpi[..., periods] - kpi[..., before].mean(axis=-1, keepdims=True)).ravel()
            flat = x.reshape(len(x), -1)
            own, tried = flat[:n_columns], flat[n_columns:]
            pair.append(
                (own @ own.T, own @ y, float(y @ y), y.size, tried @ own.T, tried @ y,
                 np.einsum("ij,ij->i", tried, tried))
            )  # fmt: skip
        parts.append(pair)
    for candidate in range(len(candidates)):
        yield [
            SplitMoments(*(_replaced(part, place, candidate) for part in pair)) for pair in parts
        ]


def _replaced(
    part: tuple[Array, Array, float, int, Array, Array, Array], place: int, candidate: int
) -> Moments:
    gram, moment, square, n_cells, crossed, with_kpi, squares = part
    gram, moment = gram.copy(), moment.copy()
    gram[place, :] = gram[:, place] = crossed[candidate]
    gram[place, place] = squares[candidate]
    moment[place] = with_kpi[candidate]
    return Moments(gram, moment, square, n_cells)


def score(folds: Sequence[SplitMoments], penalty: Array, signs: Array) -> float:
    """Mean squared error on periods after those fitted, in squared units of the scaled KPI.

    Parameters
    ----------
    folds
        Moments of each.
    penalty, signs
        Of every column, as ``tasks.models.ridge.solve`` takes them.
    """
    total, n_cells = 0.0, 0
    for fitted, scored in folds:
        found = solve_signed(stiffen(fitted.gram, penalty), fitted.moment, signs)
        total += scored.error(found) * scored.n_cells
        n_cells += scored.n_cells
    return total / n_cells
