"""What variables bring: draws of the outcome of a plan, and their gradient.

Two routes to the same numbers. ``PanelResponse`` evaluates the models and is exact for every kind
and every allocation. ``TabulatedResponse`` evaluates each variable's curve once, on a grid between
its bounds, and interpolates: parts of an additive model do not depend on each other, so thousands
of plans then cost next to nothing. Searches run on the table; whatever is reported is exact.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import scipy
from numpy.typing import NDArray

from tasks.optimize.allocation import Allocation
from tasks.optimize.outcome import Horizon

Array = NDArray[np.float64]

N_KNOTS = 33
"""Grid points of a tabulated curve; a test holds the interpolation to 1e-4 of the outcome."""
N_KNOTS_WIDE = 65
"""The same where spend may fall near nothing, where curves bend most."""
NEAR_NOTHING = 0.25
"""A lower bound below this share of the upper one is near nothing."""
_LEAST_ROOT = 1e-4
"""Slopes at zero are those at this share of the root of the upper bound."""


class Response(Protocol):
    """Outcome of a plan beyond that of spending nothing, for all draws at once."""

    def totals(self, money: Array) -> Array:
        """Outcome of variables ``(variable,)`` in money, ``(sample,)``."""
        ...

    def pull(self, money: Array, weights: Array) -> Array:
        """Gradient of ``weights @ totals(money)``, ``(variable,)``."""
        ...


@dataclass(frozen=True)
class Piece:
    """One model's part of a plan: its cells, and which of the plan's variables they are."""

    horizon: Horizon
    allocation: Allocation
    places: NDArray[np.intp]
    """Position of each of the allocation's variables among those of the plan."""

    def spend(self, money: Array) -> Array:
        """Spend of this model's cells, ``(entity, channel, period)``."""
        return self.allocation.spend(money[self.places])


class PanelResponse:
    """Response of one or several models, evaluated as they are."""

    def __init__(self, pieces: Sequence[Piece]) -> None:
        self._pieces = pieces
        self._nothing = self._outcome(np.zeros(n_variables(pieces)))

    def thinned(self, n_draws: int) -> "PanelResponse":
        """Return the response of some of the draws, the same of every model."""
        return PanelResponse(
            [
                replace(p, horizon=replace(p.horizon, model=p.horizon.model.thinned(n_draws)))
                for p in self._pieces
            ]
        )

    @property
    def n_draws(self) -> int:
        """Number of draws."""
        return len(self._nothing)

    def totals(self, money: Array) -> Array:
        """Outcome beyond that of no spend."""
        return self._outcome(money) - self._nothing

    def pull(self, money: Array, weights: Array) -> Array:
        """Gradient through the models."""
        gradient = np.zeros(len(money))
        for piece in self._pieces:
            cells = piece.horizon.gradient(piece.spend(money), weights)
            np.add.at(gradient, piece.places, piece.allocation.gather(cells))
        return gradient

    def _outcome(self, money: Array) -> Array:
        parts = [piece.horizon.outcome(piece.spend(money)) for piece in self._pieces]
        return np.asarray(np.sum(parts, axis=0))


class TabulatedResponse:
    """Interpolated response of additive models, variable by variable."""

    def __init__(self, table: Array, lower: Array, upper: Array) -> None:
        """Interpolate by a cubic spline in the root of money, in which curves are smooth at zero.

        Parameters
        ----------
        table
            Outcome at ``table_points``, ``(knot, variable, sample)``.
        lower, upper
            Bounds of the variables, money, ``(variable,)``.
        """
        grid = np.linspace(0.0, 1.0, len(table))
        pieces = scipy.interpolate.CubicSpline(grid, table, axis=0).c
        self._coefficients = np.ascontiguousarray(pieces.transpose(2, 1, 0, 3))
        self._grid = grid
        self._lower = np.sqrt(lower)
        self._width = np.where(upper > lower, np.sqrt(upper) - np.sqrt(lower), 1.0)
        self._least = _LEAST_ROOT * np.sqrt(np.where(upper > 0, upper, 1.0))

    def totals(self, money: Array) -> Array:
        """Outcome beyond that of no spend."""
        return np.asarray(self.parts(money).sum(axis=0))

    def parts(self, money: Array) -> Array:
        """Outcome of every variable by itself, ``(variable, sample)``."""
        c, t = self._locate(money)
        return np.asarray(((c[:, 0] * t + c[:, 1]) * t + c[:, 2]) * t + c[:, 3])

    def pull(self, money: Array, weights: Array) -> Array:
        """Gradient of the interpolant."""
        c, t = self._locate(money)
        slopes = (3 * c[:, 0] * t + 2 * c[:, 1]) * t + c[:, 2]
        root = np.maximum(np.sqrt(np.maximum(money, 0.0)), self._least)
        return np.asarray((slopes @ weights) / (self._width * 2 * root))

    def draw(self, sample: int) -> "TabulatedResponse":
        """Return the response of one draw alone."""
        return self.of_draws(slice(sample, sample + 1))

    def of_draws(self, chosen: slice) -> "TabulatedResponse":
        """Return the response of some draws."""
        one = object.__new__(TabulatedResponse)
        one._coefficients = self._coefficients[..., chosen]
        one._grid, one._least = self._grid, self._least
        one._lower, one._width = self._lower, self._width
        return one

    def _locate(self, money: Array) -> tuple[Array, Array]:
        """Coefficients ``(variable, 4, sample)`` and position in the interval."""
        root = np.sqrt(np.maximum(money, 0.0))
        u = np.clip((root - self._lower) / self._width, 0.0, 1.0)
        n_pieces = len(self._grid) - 1
        piece = np.minimum((u * n_pieces).astype(int), n_pieces - 1)
        inside = u - self._grid[piece]
        return self._coefficients[np.arange(len(money)), piece], inside[:, None]


def tabulate(pieces: Sequence[Piece], lower: Array, upper: Array) -> TabulatedResponse | None:
    """Tabulate every variable's curve between its bounds; None where curves are not separate.

    They are not where a model multiplies its parts, or where periods have variables of their own:
    carryover makes neighbouring periods of one channel share a curve.
    """
    if not all(p.horizon.model.additive and _one_per_channel_or_entity(p) for p in pieces):
        return None
    nothing = np.zeros((1, len(lower)))
    n_knots = N_KNOTS_WIDE if (lower < NEAR_NOTHING * upper).any() else N_KNOTS
    plans = np.concatenate([table_points(lower, upper, n_knots), nothing])
    outcomes = _outcomes_by_variable(pieces, plans)
    return TabulatedResponse(outcomes[:-1] - outcomes[-1], lower, upper)


def table_points(lower: Array, upper: Array, n_knots: int) -> Array:
    """Money at the knots, ``(knot, variable)``: even in its root between the bounds."""
    grid = np.linspace(0.0, 1.0, n_knots)[:, None]
    return np.asarray((np.sqrt(lower) + grid * (np.sqrt(upper) - np.sqrt(lower))) ** 2)


def n_variables(pieces: Sequence[Piece]) -> int:
    """Number of variables of a plan."""
    return 1 + max(int(piece.places.max()) for piece in pieces)


def _one_per_channel_or_entity(piece: Piece) -> bool:
    variable = piece.allocation.variable
    return bool((variable == variable[:, :, :1]).all())


def _outcomes_by_variable(pieces: Sequence[Piece], plans: Array) -> Array:
    """Outcome of each variable by itself, ``(plan, variable, sample)``."""
    parts = []
    for piece in pieces:
        spends = np.stack([piece.spend(money) for money in plans])
        # (plan, channel, sample, entity) to (entity, channel, plan, sample).
        outcomes = piece.horizon.channel_outcomes(spends).transpose(3, 1, 0, 2)
        found = np.zeros((plans.shape[1], *outcomes.shape[2:]))
        np.add.at(found, piece.places[piece.allocation.variable[:, :, 0]], outcomes)
        parts.append(found)
    return np.asarray(np.sum(parts, axis=0)).transpose(1, 0, 2)
