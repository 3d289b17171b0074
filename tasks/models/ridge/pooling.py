"""Coefficients of entities: common ones, each alone, or each drawn toward the common ones."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from schemas.spec.ridge import Pooling, RidgeSpec
from tasks.models.ridge.design import Design
from tasks.models.ridge.folds import Moments, measure_moments, plan_folds
from tasks.models.ridge.search import Chosen
from tasks.models.ridge.solve import SignedSolver, stiffen

Array = NDArray[np.float64]

STRENGTHS = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0)
"""How hard an entity is drawn toward the common coefficients, relative to what its own rows say; of
entities alone, what the penalties are multiplied by. Chosen by cross-validation."""


class Estimator:
    """Ridge of one set of columns, to be solved for one KPI after another.

    Parameters
    ----------
    columns
        ``(column, entity, period)``; all periods are fitted.
    design
        Signs and groups of the columns.
    chosen
        Penalties.
    pooling
        How entities belong together.
    strength
        One of ``STRENGTHS``; nothing to complete pooling.
    """

    def __init__(
        self, columns: Array, design: Design, chosen: Chosen, pooling: Pooling, strength: float
    ) -> None:
        penalty = chosen.by_column(design)
        self._means = columns.mean(axis=-1)
        self._centred = np.moveaxis(columns - self._means[..., None], 1, 0)
        grams = self._centred @ np.moveaxis(self._centred, 1, 2)
        self._pooling = pooling
        self._common = stiffen(grams.sum(axis=0), penalty)
        is_partial = pooling is Pooling.PARTIAL
        own = np.full_like(penalty, strength) if is_partial else strength * penalty
        self._stiff = [stiffen(gram, own) for gram in grams]
        self._pull = [stiff - gram for stiff, gram in zip(self._stiff, grams, strict=True)]
        self._grams = grams
        self._solvers = [SignedSolver(stiff, design.signs) for stiff in self._stiff]
        self._common_solver = SignedSolver(self._common, design.signs)

    @property
    def degrees_of_freedom(self) -> Array:
        """Parameters that the rows of each entity spend, its level included, ``(entity,)``.

        The trace of the hat matrix, as if no sign were in the way.
        """
        if self._pooling is Pooling.COMPLETE:
            total = np.trace(np.linalg.solve(self._common, self._grams.sum(axis=0)))
            return np.full(len(self._grams), 1 + total / len(self._grams))
        spent = (
            np.trace(np.linalg.solve(stiff, gram))
            for stiff, gram in zip(self._stiff, self._grams, strict=True)
        )
        return 1 + np.array(list(spent))

    def solve(self, kpi: Array) -> tuple[Array, Array]:
        """Fit one KPI.

        Parameters
        ----------
        kpi
            ``(entity, period)``, in units of the scaled KPI.

        Returns
        -------
        tuple
            Coefficients ``(entity, column)`` and levels ``(entity,)``.
        """
        moments = np.einsum("ect,et->ec", self._centred, kpi)
        coefficients = self._solve(moments)
        level = kpi.mean(axis=-1) - np.einsum("ec,ce->e", coefficients, self._means)
        return coefficients, level

    def _solve(self, moments: Array) -> Array:
        common = np.zeros(moments.shape[1])
        if self._pooling is not Pooling.NONE:
            common = self._common_solver.solve(moments.sum(axis=0))
        if self._pooling is Pooling.COMPLETE:
            return np.broadcast_to(common, moments.shape)
        return np.array(
            [
                solver.solve(moment + pull @ common)
                for solver, pull, moment in zip(self._solvers, self._pull, moments, strict=True)
            ]
        )


def effective_pooling(settings: RidgeSpec, n_entities: int) -> Pooling:
    """Return the pooling that is used: a single entity has nothing to be pooled with."""
    return settings.pooling if n_entities > 1 else Pooling.COMPLETE


def choose_strength(
    design: Design, kpi: Array, settings: RidgeSpec, chosen: Chosen, pooling: Pooling
) -> float:
    """Choose the strength of pooling by time-series cross-validation.

    Parameters
    ----------
    design
        The panel as columns.
    kpi
        ``(entity, period)``, in units of the scaled KPI.
    settings
        Number of folds.
    chosen
        Hyperparameters, which all entities share.
    pooling
        How entities belong together.

    Returns
    -------
    float
        One of ``STRENGTHS``.
    """
    if pooling is Pooling.COMPLETE:
        return 1.0
    columns = design.columns(chosen.media)
    errors = np.zeros(len(STRENGTHS))
    for fold in plan_folds(kpi.shape[1], settings.folds):
        before, after = slice(0, fold.cut), slice(fold.cut, fold.end)
        scored = _score_entities(columns, kpi, after, before)
        for place, strength in enumerate(STRENGTHS):
            estimator = Estimator(columns[..., before], design, chosen, pooling, strength)
            coefficients, _ = estimator.solve(kpi[:, before])
            errors[place] += _total_error(scored, coefficients)
    return STRENGTHS[int(np.argmin(errors))]


def _score_entities(columns: Array, kpi: Array, after: slice, before: slice) -> list[Moments]:
    return [
        measure_moments(columns[:, [e]], kpi[[e]], after, before) for e in range(columns.shape[1])
    ]


def _total_error(scored: Sequence[Moments], coefficients: Array) -> float:
    pairs = zip(scored, coefficients, strict=True)
    return sum(moments.error(own) * moments.n_cells for moments, own in pairs)
