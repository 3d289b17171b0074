"""The optimization problem that every method solves."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from schemas.spec.optimizer import Utility
from tasks.optimize.limits import Limits
from tasks.optimize.response import Response
from tasks.optimize.utility import compute_utility

Array = NDArray[np.float64]


class Sloped(NamedTuple):
    """A number that depends on spend, and its gradient by money, ``(variable,)``."""

    value: float
    gradient: Array


@dataclass(frozen=True)
class Problem:
    """Make ``utility(totals) - price * spend`` large within ``limits``."""

    response: Response
    limits: Limits
    utility: Utility
    risk_level: float
    price: float = 0.0
    """What a unit of money must return at the margin: a target mROAS. 0 with a fixed budget."""
    least_return: float | None = None
    """What all money must return on average: a target ROAS."""

    def value(self, money: Array) -> Sloped:
        """Objective at a plan, ``(variable,)``."""
        utility, weights = compute_utility(
            self.response.totals(money), self.utility, risk_level=self.risk_level
        )
        gradient = self.response.pull(money, weights)
        return Sloped(utility - self.price * float(money.sum()), gradient - self.price)

    def surplus(self, money: Array) -> Sloped:
        """Mean outcome beyond ``least_return`` times spend, not negative in a valid plan."""
        totals = self.response.totals(money)
        even = np.full(len(totals), 1.0 / len(totals))
        needed = self.least_return or 0.0
        surplus = float(totals.mean()) - needed * float(money.sum())
        return Sloped(surplus, self.response.pull(money, even) - needed)
