"""Methods that solve a ``Problem`` from one start: three of scipy, and those of other packages.

A package adds a method by an entry point of the group ``steady_mmm.optimizers``: a function that
takes a ``Problem`` and a start ``(variable,)`` in money and returns a ``Solution``. Nothing is
imported by a name that a spec or a file gives: only what is installed as a method can run.
"""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import Any

import numpy as np
import scipy
from numpy.typing import NDArray

from schemas.errors import SpecError
from tasks.optimize.problem import Problem, Sloped

Array = NDArray[np.float64]

ENTRY_POINTS = "steady_mmm.optimizers"
MAX_ROUNDS = 40
"""Rounds of the augmented Lagrangian; each multiplies the penalty where a limit is not kept yet."""


@dataclass(frozen=True)
class Solution:
    """Where a method ended."""

    money: Array
    has_converged: bool


Method = Callable[[Problem, Array], Solution]


def find_method(name: str) -> Method:
    """Return a method by name.

    Raises
    ------
    SpecError
        Listing the methods there are.
    """
    if name in METHODS:
        return METHODS[name]
    # Only now: reading what every installed package declares takes longer than a small search.
    added = {point.name: point for point in entry_points(group=ENTRY_POINTS)}
    if name in added:
        loaded: Method = added[name].load()
        return loaded
    known = ", ".join([*METHODS, *sorted(added)])
    raise SpecError(f"optimizer.method: {name!r} is not one of {known}.")


class _Scaled:
    """The problem as scipy minimizes it: variables and objective of size one.

    A trust region leaves the bounds on its way, where a model has no curve: less than no spend.
    There everything goes on in a straight line.
    """

    def __init__(self, problem: Problem, start: Array) -> None:
        self.unit = problem.limits.unit
        self.start = start / self.unit
        self.bounds = np.column_stack([problem.limits.lower, problem.limits.upper]) / self.unit
        self._problem = problem
        self._size = abs(problem.value(start).value) or 1.0

    def objective(self, x: Array) -> tuple[float, Array]:
        value, gradient = self._in_a_line(self._problem.value, x)
        return -value, -gradient

    def surplus(self, x: Array) -> float:
        return self._in_a_line(self._problem.surplus, x).value

    def surplus_gradient(self, x: Array) -> Array:
        return self._in_a_line(self._problem.surplus, x).gradient

    def _in_a_line(self, function: Callable[[Array], Sloped], x: Array) -> Sloped:
        inside = np.clip(x, *self.bounds.T)
        value, gradient = function(inside * self.unit)
        slope = gradient * (self.unit / self._size)
        return Sloped(value / self._size + float(slope @ (x - inside)), slope)

    def constraints(self) -> list[Any]:
        found: list[Any] = [*self._problem.limits.constraint()]
        if self._problem.least_return is not None:
            found.append(
                scipy.optimize.NonlinearConstraint(
                    self.surplus, 0, np.inf, jac=self.surplus_gradient
                )
            )
        return found

    def solution(self, result: Any) -> Solution:
        return Solution(result.x * self.unit, bool(result.success))


def solve_slsqp(problem: Problem, start: Array) -> Solution:
    """Sequential quadratic programming (Kraft 1988): exact on linear limits; the default."""
    scaled = _Scaled(problem, start)
    result = scipy.optimize.minimize(
        scaled.objective, scaled.start, jac=True, method="SLSQP", bounds=scaled.bounds,
        constraints=scaled.constraints(), options={"maxiter": 300, "ftol": 1e-11},
    )  # fmt: skip
    return scaled.solution(result)


def solve_trust_constr(problem: Problem, start: Array) -> Solution:
    """Trust-region interior point (Byrd, Hribar and Nocedal 1999)."""
    scaled = _Scaled(problem, start)
    with warnings.catch_warnings():
        # A step too short to change the gradient, and limits that leave one point alone (scipy
        # then takes another decomposition), are no findings: multi-start agreement judges the end.
        for message in ("delta_grad == 0.0", "Singular Jacobian matrix"):
            warnings.filterwarnings("ignore", message=message, category=UserWarning)
        result = scipy.optimize.minimize(
            scaled.objective, scaled.start, jac=True, hess=scipy.optimize.BFGS(),
            method="trust-constr", bounds=scaled.bounds, constraints=scaled.constraints(),
            options={"maxiter": 2000, "gtol": 1e-10, "xtol": 1e-12, "barrier_tol": 1e-10},
        )  # fmt: skip
    return scaled.solution(result)


def solve_lbfgsb(problem: Problem, start: Array) -> Solution:
    """L-BFGS-B within the bounds; budget, groups and returns by an augmented Lagrangian.

    References
    ----------
    Nocedal and Wright (2006), algorithm 17.4, with the slacks of two-sided limits eliminated.
    """
    scaled, limits = _Scaled(problem, start), problem.limits
    low, high = limits.row_lower / scaled.unit, limits.row_upper / scaled.unit
    if problem.least_return is not None:
        low, high = np.append(low, 0.0), np.append(high, np.inf)

    def rows(x: Array) -> tuple[Array, Array]:
        values, slopes = limits.rows @ x, limits.rows
        if problem.least_return is None:
            return values, slopes
        surplus, slope = scaled.surplus(x), scaled.surplus_gradient(x)
        return np.append(values, surplus), np.vstack([slopes, slope])

    def penalized(x: Array, multiplier: Array, penalty: float) -> tuple[float, Array]:
        value, gradient = scaled.objective(x)
        values, slopes = rows(x)
        shifted = values + multiplier / penalty
        excess = shifted - np.clip(shifted, low, high)
        return (
            value + 0.5 * penalty * float(excess @ excess),
            gradient + penalty * (excess @ slopes),
        )

    x, multiplier, penalty, before = scaled.start, np.zeros(len(low)), 10.0, np.inf
    for _ in range(MAX_ROUNDS):
        result = scipy.optimize.minimize(
            penalized, x, args=(multiplier, penalty), jac=True, method="L-BFGS-B",
            bounds=scaled.bounds, options={"maxiter": 500, "ftol": 1e-13, "gtol": 1e-9},
        )  # fmt: skip
        x, (values, _) = result.x, rows(result.x)
        missed = float(np.abs(values - np.clip(values, low, high)).max(initial=0.0))
        if missed < 1e-9:
            return Solution(x * scaled.unit, has_converged=True)
        shifted = values + multiplier / penalty
        multiplier = penalty * (shifted - np.clip(shifted, low, high))
        penalty, before = (penalty * 4 if missed > 0.25 * before else penalty), missed
    return Solution(x * scaled.unit, has_converged=False)


METHODS: dict[str, Method] = {
    "slsqp": solve_slsqp,
    "trust-constr": solve_trust_constr,
    "l-bfgs-b": solve_lbfgsb,
}
"""Methods of this package by name."""
