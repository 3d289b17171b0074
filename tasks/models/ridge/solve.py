"""Ridge regression with signs, from the moments of its columns."""

import numpy as np
import scipy
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve, cholesky, solve_triangular

Array = NDArray[np.float64]

_RIGID = 1e-8
"""Ridge on every column, relative to the largest: one that never varies gets no coefficient."""


def stiffen(gram: Array, penalty: Array) -> Array:
    """Add a penalty to the cross products of columns.

    Parameters
    ----------
    gram
        Cross products of centred columns, ``(column, column)``.
    penalty
        Of each column, relative to its own sum of squares, ``(column,)``, ``>= 0``: a column alone
        loses ``p / (1 + p)`` of its coefficient, whatever its unit and however many the rows.

    Returns
    -------
    NDArray
        Positive definite, ``(column, column)``.
    """
    squares = np.diag(gram)
    floor = _RIGID * max(float(squares.max(initial=0.0)), 1e-300)
    return gram + np.diag(penalty * squares + floor)


def solve_signed(stiff: Array, moment: Array, signs: Array) -> Array:
    """Minimize ``b' stiff b / 2 - moment' b`` where some coefficients have a sign.

    Columns without a sign are eliminated first; what is left is a non-negative least-squares
    problem in the columns that have one.

    Parameters
    ----------
    stiff
        Positive definite, ``(column, column)``.
    moment
        Cross products of the columns with the KPI, ``(column,)``.
    signs
        1 or -1 where a coefficient is not negative or not positive, 0 where it is free,
        ``(column,)``.

    Returns
    -------
    NDArray
        Coefficients, ``(column,)``.

    References
    ----------
    Lawson & Hanson (1974), chapter 23, as ``scipy.optimize.nnls`` has it.
    """
    bound, free = np.flatnonzero(signs), np.flatnonzero(signs == 0)
    solution = np.zeros(len(moment))
    if len(free):
        factor = cho_factor(stiff[np.ix_(free, free)])
        crossed = stiff[np.ix_(free, bound)]
        own = cho_solve(factor, np.column_stack([moment[free], crossed]))
        solution[free] = own[:, 0]
    if not len(bound):
        return solution
    inner, rest = stiff[np.ix_(bound, bound)], moment[bound]
    if len(free):
        inner, rest = inner - crossed.T @ own[:, 1:], rest - crossed.T @ own[:, 0]
    turned = signs[bound]
    upper = cholesky(inner * np.outer(turned, turned))
    sizes, _ = scipy.optimize.nnls(upper, solve_triangular(upper, turned * rest, trans="T"))
    solution[bound] = turned * sizes
    if len(free):
        solution[free] -= own[:, 1:] @ solution[bound]
    return solution
