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


class SignedSolver:
    """Minimizes ``b' stiff b / 2 - moment' b`` where some coefficients have a sign.

    Columns without a sign are eliminated first; what is left is a non-negative least-squares
    problem in the columns that have one. Whatever does not depend on the moments is done once.

    Parameters
    ----------
    stiff
        Positive definite, ``(column, column)``.
    signs
        1 or -1 where a coefficient is not negative or not positive, 0 where it is free,
        ``(column,)``.

    References
    ----------
    Lawson & Hanson (1974), chapter 23, as ``scipy.optimize.nnls`` has it.
    """

    def __init__(self, stiff: Array, signs: Array) -> None:
        self._bound, self._free = np.flatnonzero(signs), np.flatnonzero(signs == 0)
        self._turned = signs[self._bound]
        self._crossed = stiff[np.ix_(self._free, self._bound)]
        inner = stiff[np.ix_(self._bound, self._bound)]
        if len(self._free):
            self._factor = cho_factor(stiff[np.ix_(self._free, self._free)])
            self._own = cho_solve(self._factor, self._crossed)
            inner = inner - self._crossed.T @ self._own
        if len(self._bound):
            self._upper = cholesky(inner * np.outer(self._turned, self._turned))

    def solve(self, moment: Array) -> Array:
        """Return coefficients ``(column,)``.

        Parameters
        ----------
        moment
            Cross products of the columns with the KPI, ``(column,)``.

        Returns
        -------
        NDArray
            Coefficients, ``(column,)``.
        """
        solution, rest = np.zeros(len(moment)), moment[self._bound]
        if len(self._free):
            solution[self._free] = cho_solve(self._factor, moment[self._free], check_finite=False)
            rest = rest - self._crossed.T @ solution[self._free]
        if not len(self._bound):
            return solution
        target = solve_triangular(self._upper, self._turned * rest, trans="T", check_finite=False)
        sizes, _ = scipy.optimize.nnls(self._upper, target)
        solution[self._bound] = self._turned * sizes
        if len(self._free):
            solution[self._free] -= self._own @ solution[self._bound]
        return solution


def solve_signed(stiff: Array, moment: Array, signs: Array) -> Array:
    """Solve once, as ``SignedSolver`` does for one set of moments after another.

    Parameters
    ----------
    stiff, signs
        As ``SignedSolver`` takes them.
    moment
        Cross products of the columns with the KPI, ``(column,)``.

    Returns
    -------
    NDArray
        Coefficients, ``(column,)``.
    """
    return SignedSolver(stiff, signs).solve(moment)
