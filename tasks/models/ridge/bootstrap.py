"""Draws by moving blocks of residuals.

A draw is what a fit says plus its residuals, put together anew from blocks of neighbouring periods,
and fitted as the KPI was. Blocks keep how long noise lasts; all entities take the same blocks, so
that what moves them together goes on doing so. In a stated share of draws the hyperparameters are
searched anew as well, from where the fit found them.

What is drawn from is fitted next to without a penalty, entities next to without each other: a draw
is shrunk once then, as the fit itself, and not from what was shrunk before. A penalty says that
coefficients lie about what they are drawn toward, not that they lie there: each draw is drawn
toward another place, as far away as the penalty lets one expect. Without it, the harder entities
are drawn toward the common coefficients, the surer each of them would look. Residuals get back the
spread that was spent on coefficients, and on hyperparameters that were searched.

References
----------
Künsch (1989); Lahiri (2003), section 4.5, for the residuals of a regression; Vinod (1995), Double
bootstrap for shrinkage estimators, for what a penalized fit is to be drawn from; Papandreou and
Yuille (2010), Gaussian sampling by local perturbations, for moving what a penalty draws toward:
without signs, and with normal noise, these are draws of the posterior.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from schemas.spec.ridge import Pooling, RidgeSpec
from tasks.models.pooling import effective_pooling
from tasks.models.ridge.candidates import Columns
from tasks.models.ridge.design import GROUPS, Design
from tasks.models.ridge.pooling import Estimator, choose_strength
from tasks.models.ridge.search import Chosen, search

Array = NDArray[np.float64]

_LEAST_BLOCK = 4
_MOST_SPENT = 0.5
"""Degrees of freedom count for half of the periods at most: a residual is not blown up further."""
_LOOSE = 1e-4
"""Penalty that takes next to nothing, and keeps columns apart that move together."""


class Draw(NamedTuple):
    """One fit, in units of the scaled KPI."""

    chosen: Chosen
    strength: float
    coefficients: Array
    """``(entity, column)``."""
    level: Array
    """``(entity,)``."""
    sigma: Array
    """Standard deviation of the noise, ``(entity,)``."""


@dataclass(frozen=True)
class Regression:
    """Hyperparameters with the ridge that they make."""

    chosen: Chosen
    strength: float
    columns: Array
    """``(column, entity, period)``."""
    estimator: Estimator
    spent: Array
    """Parameters that each entity's rows spend, those of the search included, ``(entity,)``."""

    def fit(self, kpi: Array, offsets: Array | None = None) -> tuple[Draw, Array]:
        """Return the fit of one KPI ``(entity, period)``, and its residuals.

        ``offsets`` as ``Estimator.solve`` takes them.
        """
        coefficients, level = self.estimator.solve(kpi, offsets)
        residuals = (kpi - self.explain(coefficients, level)) * self._correction(kpi.shape[1])[
            :, None
        ]
        sigma = np.sqrt((residuals**2).mean(axis=1))
        return Draw(self.chosen, self.strength, coefficients, level, sigma), residuals

    def explain(self, coefficients: Array, level: Array) -> Array:
        """Return what coefficients ``(entity, column)`` and levels say, ``(entity, period)``."""
        return np.einsum("ec,cet->et", coefficients, self.columns) + level[:, None]

    def _correction(self, n_periods: int) -> Array:
        """Factor that gives residuals back the spread that the fit took from them."""
        spent = np.minimum(self.spent, _MOST_SPENT * n_periods)
        return np.sqrt(n_periods / (n_periods - spent))


def regress(design: Design, settings: RidgeSpec, chosen: Chosen) -> Regression:
    """Return the ridge of some hyperparameters, its strength of pooling chosen on the way."""
    pooling = effective_pooling(settings.pooling, len(design.kpi))
    strength = choose_strength(design, design.kpi, settings, chosen, pooling)
    return _regression(design, chosen, pooling, strength)


def _regression(design: Design, chosen: Chosen, pooling: Pooling, strength: float) -> Regression:
    columns = design.columns(chosen.media)
    estimator = Estimator(columns, design, chosen, pooling, strength)
    grids = (grid for transform in design.transforms for grid in transform.grids.values())
    searched = sum(len(grid) > 1 for grid in grids) / len(design.kpi)
    spent = estimator.degrees_of_freedom + searched
    return Regression(chosen, strength, columns, estimator, spent)


def block_length(settings: RidgeSpec, n_periods: int) -> int:
    """Return the length of a block, in periods: as stated, or the cube root of their number."""
    stated = settings.block_periods or max(_LEAST_BLOCK, round(n_periods ** (1 / 3)))
    return min(stated, n_periods)


def draw_blocks(n_periods: int, length: int, rng: np.random.Generator) -> NDArray[np.intp]:
    """Return the periods of one draw: blocks of neighbours, one after the other, ``(period,)``."""
    n_blocks = -(-n_periods // length)
    starts = rng.integers(0, n_periods - length + 1, size=n_blocks)
    return (starts[:, None] + np.arange(length)).ravel()[:n_periods]


@dataclass(frozen=True)
class Bootstrap:
    """What is drawn from."""

    design: Design
    settings: RidgeSpec
    columns: Columns
    chosen: Chosen
    """Hyperparameters of the fit itself."""

    def draw(self, n_draws: int, *, seed: int, watch: Callable[[float], None]) -> list[Draw]:
        """Draw fits.

        Parameters
        ----------
        n_draws
            How many.
        seed
            The same one gives the same draws.
        watch
            Called with the finished share of them, in [0, 1].
        """
        rng = np.random.default_rng(seed)
        regression = regress(self.design, self.settings, self.chosen)
        loose = self._loosened(regression)
        own, residuals = loose.fit(self.design.kpi)
        explained = loose.explain(own.coefficients, own.level)
        n_periods = self.design.kpi.shape[1]
        length = block_length(self.settings, n_periods)
        noise = np.append(own.sigma, np.sqrt((own.sigma**2).mean()))
        spread = np.repeat(noise[:, None], own.coefficients.shape[1], axis=1)
        draws = []
        for number in range(n_draws):
            kpi = explained + residuals[:, draw_blocks(n_periods, length, rng)]
            used = self._searched(kpi) if self._is_refit(number) else regression
            draws.append(used.fit(kpi, spread * rng.standard_normal(spread.shape))[0])
            watch((number + 1) / n_draws)
        return draws

    def _loosened(self, regression: Regression) -> Regression:
        chosen = replace(regression.chosen, penalty=(_LOOSE,) * len(GROUPS))
        pooling = effective_pooling(self.settings.pooling, len(self.design.kpi))
        strength = _LOOSE if pooling is Pooling.PARTIAL else regression.strength
        return _regression(self.design, chosen, pooling, strength)

    def _searched(self, kpi: Array) -> Regression:
        design = replace(self.design, kpi=kpi)
        found = search(design, self.settings, self.columns, self.chosen, max_passes=1)
        return regress(design, self.settings, found)

    def _is_refit(self, number: int) -> bool:
        """Spread the stated share evenly over the draws."""
        share = self.settings.refit_share
        return int((number + 1) * share + 1e-9) > int(number * share + 1e-9)
