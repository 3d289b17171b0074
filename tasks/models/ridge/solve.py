"""Ridge regression with signs, from the moments of its columns, many of them at once."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_RIGID = 1e-8
"""Ridge on every column, relative to the largest: one that never varies gets no coefficient."""
_TOLERANCE = 1e-10
"""Of a gradient, relative to the largest moment, below which it counts as zero."""
_PATIENCE = 3
"""Exchanges of all wrong columns that may make no progress before one at a time is exchanged."""


def stiffen(gram: Array, penalty: Array) -> Array:
    """Add a penalty to the cross products of columns.

    Parameters
    ----------
    gram
        Cross products of centred columns, ``(..., column, column)``.
    penalty
        Of each column, relative to its own sum of squares, ``(..., column)``, ``>= 0``: a column
        alone loses ``p / (1 + p)`` of its coefficient, whatever its unit and however many the rows.

    Returns
    -------
    NDArray
        Positive definite, ``(..., column, column)``.
    """
    squares = np.diagonal(gram, axis1=-2, axis2=-1)
    floor = _RIGID * np.maximum(squares.max(axis=-1, initial=0.0, keepdims=True), 1e-300)
    return np.asarray(gram + (penalty * squares + floor)[..., None] * np.eye(gram.shape[-1]))


def solve_signed(stiff: Array, moment: Array, signs: Array) -> Array:
    """Minimize ``b' stiff b / 2 - moment' b`` where some coefficients have a sign.

    Block principal pivoting: a guess says which coefficients are zero; where one of the others has
    the wrong sign, or the gradient at a zero points inwards, the guess is changed there, in all
    problems at once. A problem that makes no progress changes its last wrong column alone, which
    ends.

    Parameters
    ----------
    stiff
        Positive definite, ``(..., column, column)``.
    moment
        Cross products of the columns with the KPI, ``(..., column)``; leading axes are broadcast
        against those of ``stiff``.
    signs
        1 or -1 where a coefficient is not negative or not positive, 0 where it is free,
        ``(column,)``.

    Returns
    -------
    NDArray
        Coefficients, ``(..., column)``.

    References
    ----------
    Kim & Park (2011), Fast nonnegative matrix factorization, section 4.
    """
    lead, n = np.broadcast_shapes(stiff.shape[:-2], moment.shape[:-1]), len(signs)
    # Unit diagonal and positive signs: tolerances mean the same for every column.
    unit = np.where(signs == 0, 1.0, signs) / np.sqrt(np.diagonal(stiff, axis1=-2, axis2=-1))
    systems = np.broadcast_to(stiff * unit[..., :, None] * unit[..., None, :], (*lead, n, n))
    targets = np.broadcast_to(moment * unit, (*lead, n))
    found = _pivot(systems.reshape(-1, n, n), targets.reshape(-1, n), signs != 0)
    return np.asarray(found.reshape(*lead, n) * unit)


def _pivot(systems: Array, targets: Array, is_bound: NDArray[np.bool_]) -> Array:
    solution = np.zeros_like(targets)
    is_in = np.ones(targets.shape, bool)
    fewest = np.full(len(targets), len(is_bound) + 1)
    left_over = np.full(len(targets), _PATIENCE)
    open_ = np.arange(len(targets))
    while len(open_):
        inside, target = is_in[open_], targets[open_]
        values = _solve_inside(systems[open_], target, inside)
        gradient = np.einsum("nij,nj->ni", systems[open_], values) - target
        least = -_TOLERANCE * np.abs(target).max(axis=1, initial=0.0, keepdims=True)
        wrong = is_bound & np.where(inside, values < 0, gradient < least)
        n_wrong = wrong.sum(axis=1)
        solution[open_] = values

        better = n_wrong < fewest[open_]
        fewest[open_] = np.minimum(fewest[open_], n_wrong)
        left_over[open_] = np.where(better, _PATIENCE, left_over[open_] - 1)
        last = wrong.shape[1] - 1 - wrong[:, ::-1].argmax(axis=1)
        alone = wrong & (np.arange(wrong.shape[1]) == last[:, None])
        is_in[open_] ^= np.where((left_over[open_] >= 0)[:, None], wrong, alone)
        open_ = open_[n_wrong > 0]
    return solution


def _solve_inside(systems: Array, targets: Array, inside: NDArray[np.bool_]) -> Array:
    """Solve for the columns that are not zero; the others get an equation of their own."""
    both = inside[:, :, None] & inside[:, None, :]
    held = np.where(both, systems, np.eye(systems.shape[-1]))
    return np.asarray(np.linalg.solve(held, np.where(inside, targets, 0.0)[..., None])[..., 0])
