"""What a plan may not leave: bounds of variables, bounds of groups, the budget."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import scipy
from numpy.typing import NDArray

from schemas.errors import SpecError
from schemas.words import format_number

Array = NDArray[np.float64]

TOLERANCE = 1e-9
"""Relative slack within which a budget or a bound counts as kept."""


@dataclass(frozen=True)
class Limits:
    """Bounds ``lower <= money <= upper`` and ``row_lower <= rows @ money <= row_upper``, money."""

    lower: Array
    upper: Array
    rows: Array
    """Linear constraints, ``(row, variable)``: the budget, if it is fixed, and groups."""
    row_lower: Array
    row_upper: Array
    names: tuple[str, ...] = ()
    """What each row is, for messages."""

    @property
    def unit(self) -> float:
        """Typical size of a variable: what solvers divide money by."""
        size = float(np.abs(self.upper).mean())
        return size if size > 0 else 1.0

    def constraint(self) -> list[Any]:
        """Return the rows as scipy takes them, in units of ``unit``; empty without rows.

        Equalities and inequalities apart: methods of scipy warn of a constraint that mixes them.
        """
        fixed = self.row_lower == self.row_upper
        return [
            scipy.optimize.LinearConstraint(
                self.rows[kept], self.row_lower[kept] / self.unit, self.row_upper[kept] / self.unit
            )
            for kept in (fixed, ~fixed)
            if kept.any()
        ]

    def range_of(self, members: Array) -> tuple[float, float]:
        """Return least and most money of some variables together, ``members`` being 1 for them.

        The sum of their bounds, or a row of exactly these variables where it is tighter.
        """
        low, high = float(members @ self.lower), float(members @ self.upper)
        same = (self.rows == members).all(axis=1)
        return (
            max(low, self.row_lower[same].max(initial=-np.inf)),
            min(high, self.row_upper[same].min(initial=np.inf)),
        )

    def violation(self, money: Array) -> float:
        """Return by how much a plan leaves the limits, relative to the size of the largest one."""
        values = self.rows @ money
        beyond = np.concatenate(
            [
                self.lower - money,
                money - self.upper,
                self.row_lower - values,
                values - self.row_upper,
            ]
        )
        size = max(float(np.abs(self.upper).sum()), 1e-300)
        return float(max(beyond.max(initial=0.0), 0.0)) / size

    def with_row(self, row: Array, low: float, high: float, name: str) -> "Limits":
        """Return these limits and one more row."""
        return replace(
            self,
            rows=np.vstack([self.rows, row]),
            row_lower=np.append(self.row_lower, low),
            row_upper=np.append(self.row_upper, high),
            names=(*self.names, name),
        )

    def project(self, money: Array) -> Array:
        """Return the plan within the limits that is nearest to ``money``."""
        inside = np.clip(money, self.lower, self.upper)
        if self.violation(inside) <= TOLERANCE:
            return inside
        near = self._nearest(money, inside)
        # From far outside the solver keeps few digits; from nearby it keeps them all.
        return near if self.violation(near) <= 1e-3 * TOLERANCE else self._nearest(near, near)

    def _nearest(self, money: Array, start: Array) -> Array:
        unit = self.unit
        target = money / unit
        found = scipy.optimize.minimize(
            lambda x: (0.5 * ((x - target) ** 2).sum(), x - target),
            start / unit,
            jac=True,
            method="SLSQP",
            bounds=np.column_stack([self.lower, self.upper]) / unit,
            constraints=self.constraint(),
            options={"maxiter": 200, "ftol": 1e-14},
        )
        return np.clip(found.x * unit, self.lower, self.upper)


def box(lower: Array, upper: Array) -> Limits:
    """Return limits without rows."""
    nothing = np.empty(0)
    return Limits(lower, upper, np.empty((0, len(lower))), nothing, nothing)


def require_reachable(limits: Limits, labels: Sequence[str]) -> None:
    """Raise unless some plan keeps all limits.

    Parameters
    ----------
    limits
        Bounds and rows.
    labels
        Names of the variables.

    Raises
    ------
    SpecError
        Naming the bound or the row that cannot be met, and what can be.
    """
    crossed = np.flatnonzero(limits.lower > limits.upper * (1 + TOLERANCE) + TOLERANCE)
    if len(crossed):
        place = int(crossed[0])
        raise SpecError(
            f"Bounds of {labels[place]}: the least spend {format_number(limits.lower[place])} is "
            f"above the most, {format_number(limits.upper[place])}; widen one of them."
        )
    if _feasible(limits):
        return
    for place, name in enumerate(limits.names):
        others = _without(limits, place)
        if not _feasible(others):
            continue
        raise SpecError(
            f"{name} cannot be met: {_why_not(limits, others, place)}. Change it, or widen the "
            "bounds (--max-change, --bounds, --beyond-observed)."
        )
    raise SpecError(
        f"No plan keeps all of {', '.join(limits.names)} at once; loosen the bounds of a group."
    )


def _why_not(limits: Limits, others: Limits, place: int) -> str:
    """Say what one row asks for and what the others leave it."""
    row, low, high = limits.rows[place], limits.row_lower[place], limits.row_upper[place]
    least, most = (_reach(others, row, side) for side in (1.0, -1.0))
    if (row < 0).any():
        # A share: the row is money above or below that share of the whole.
        return f"even the nearest plan misses it by {format_number(low - most)} of spend"
    return (
        f"it asks for {_wanted(low, high)}, the bounds allow {format_number(least)} to "
        f"{format_number(most)}"
    )


def _wanted(low: float, high: float) -> str:
    if np.isclose(low, high, rtol=1e-12):
        return format_number(low)
    if np.isfinite(low) and np.isfinite(high):
        return f"{format_number(low)} to {format_number(high)}"
    return (
        f"at least {format_number(low)}" if np.isfinite(low) else f"at most {format_number(high)}"
    )


def _without(limits: Limits, place: int) -> Limits:
    keep = np.arange(len(limits.rows)) != place
    return replace(
        limits,
        rows=limits.rows[keep],
        row_lower=limits.row_lower[keep],
        row_upper=limits.row_upper[keep],
    )


def _feasible(limits: Limits) -> bool:
    return bool(_program(limits, np.zeros(len(limits.lower))).status == 0)


def _reach(limits: Limits, row: Array, side: float) -> float:
    return float(row @ _program(limits, side * row).x) * limits.unit


def _program(limits: Limits, cost: Array) -> Any:
    unit = limits.unit
    slack = TOLERANCE * max(1.0, len(limits.lower))
    matrix = np.vstack([limits.rows, -limits.rows]) if len(limits.rows) else None
    ends = np.concatenate([limits.row_upper, -limits.row_lower]) / unit + slack
    known = np.isfinite(ends)
    return scipy.optimize.linprog(
        cost,
        A_ub=matrix[known] if matrix is not None else None,
        b_ub=ends[known] if matrix is not None else None,
        bounds=np.column_stack([limits.lower, np.maximum(limits.upper, limits.lower)]) / unit,
        method="highs",
    )
