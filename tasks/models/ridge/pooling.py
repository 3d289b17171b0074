"""Coefficients of entities: common ones, each alone, or each drawn toward the common ones."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from schemas.spec.ridge import Pooling, RidgeSpec
from tasks.models.ridge.design import Design
from tasks.models.ridge.folds import plan_folds
from tasks.models.ridge.search import Chosen
from tasks.models.ridge.solve import solve_signed, stiffen

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
        self._design, self._pooling = design, pooling
        self._means = columns.mean(axis=-1)
        self._centred = np.moveaxis(columns - self._means[..., None], 1, 0)
        self._grams = self._centred @ np.moveaxis(self._centred, 1, 2)
        self._stiff = _stiffen_all(self._grams, chosen.by_column(design), pooling, strength)

    @property
    def degrees_of_freedom(self) -> Array:
        """Parameters that the rows of each entity spend, its level included, ``(entity,)``.

        The trace of the hat matrix, as if no sign were in the way.
        """
        if self._pooling is Pooling.COMPLETE:
            total = np.trace(np.linalg.solve(self._stiff.common, self._grams.sum(axis=0)))
            return np.full(len(self._grams), 1 + total / len(self._grams))
        hat = np.linalg.solve(self._stiff.own, self._grams)
        return np.asarray(1 + np.trace(hat, axis1=1, axis2=2))

    def solve(self, kpi: Array, offsets: Array | None = None) -> tuple[Array, Array]:
        """Fit one KPI.

        Parameters
        ----------
        kpi
            ``(entity, period)``, in units of the scaled KPI.
        offsets
            By how much coefficients lie away from what their penalty draws them toward, as
            multiples of the standard deviation that it lets one expect with noise of size one: of
            each entity's and, last, of the common ones, ``(entity + 1, column)``. Default: nothing.

        Returns
        -------
        tuple
            Coefficients ``(entity, column)`` and levels ``(entity,)``.
        """
        own = np.einsum("ect,et->ec", self._centred, kpi)
        common = own.sum(axis=0)
        if offsets is not None:
            moved = np.sqrt(self._penalties) * offsets
            own, common = own + moved[:-1], common + moved[-1]
        moments = _Moments(common, own)
        coefficients = _solve_all(self._stiff, self._grams, moments, self._design, self._pooling)
        level = kpi.mean(axis=-1) - np.einsum("ec,ce->e", coefficients, self._means)
        return coefficients, level

    @property
    def _penalties(self) -> Array:
        """Added to sums of squares, of each entity and last of all, ``(entity + 1, column)``."""
        own = self._stiff.own - self._grams
        common = self._stiff.common - self._grams.sum(axis=0)
        added = np.diagonal(np.concatenate([own, common[None]]), axis1=1, axis2=2)
        return np.asarray(np.maximum(added, 0.0))


class _Stiff(NamedTuple):
    """Normal equations of the common coefficients and of each entity's."""

    common: Array
    """``(..., column, column)``."""
    own: Array
    """``(..., entity, column, column)``."""


class _Moments(NamedTuple):
    """What they are solved for."""

    common: Array
    """``(..., column)``."""
    own: Array
    """``(..., entity, column)``."""


def _stiffen_all(grams: Array, penalty: Array, pooling: Pooling, strength: float | Array) -> _Stiff:
    """Penalize the cross products of entities ``(..., entity, column, column)``.

    ``strength`` is one for all, or has axes that are broadcast against ``(..., entity, column)``.
    """
    is_partial = pooling is Pooling.PARTIAL
    own = strength * (np.ones_like(penalty) if is_partial else penalty)
    return _Stiff(stiffen(grams.sum(axis=-3), penalty), stiffen(grams, own))


def _solve_all(
    stiff: _Stiff, grams: Array, moments: _Moments, design: Design, pooling: Pooling
) -> Array:
    """Solve for the coefficients of entities, ``(..., entity, column)``."""
    own = moments.own
    if pooling is not Pooling.NONE:
        common = solve_signed(stiff.common, moments.common, design.signs)[..., None, :]
        if pooling is Pooling.COMPLETE:
            return np.broadcast_to(common, own.shape)
        # Drawn toward the common coefficients: what the penalty added, times them.
        own = own + np.einsum("...ij,...j->...i", stiff.own - grams, common)
    return solve_signed(stiff.own, own, design.signs)


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
    columns, penalty = design.columns(chosen.media), chosen.by_column(design)
    strengths = np.array(STRENGTHS)[:, None, None]
    errors = np.zeros(len(STRENGTHS))
    for fold in plan_folds(kpi.shape[1], settings.folds):
        before, after = slice(0, fold.cut), slice(fold.cut, fold.end)
        (gram, moment), scored = (
            _entity_products(columns, kpi, periods, before) for periods in (before, after)
        )
        stiff = _stiffen_all(gram, penalty, pooling, strengths)
        moments = _Moments(moment.sum(axis=-2), moment)
        found = _solve_all(stiff, gram, moments, design, pooling)
        explained = 2 * (scored[1] * found).sum(axis=-1)
        explained -= np.einsum("sei,eij,sej->se", found, scored[0], found)
        errors -= explained.sum(axis=-1)
    return STRENGTHS[int(np.argmin(errors))]


def _entity_products(
    columns: Array, kpi: Array, periods: slice, centred_on: slice
) -> tuple[Array, Array]:
    """Cross products of each entity's columns, and of them with its KPI, over some periods.

    Dims ``(entity, column, column)`` and ``(entity, column)``, less the means of ``centred_on``.
    """
    x = columns[..., periods] - columns[..., centred_on].mean(axis=-1, keepdims=True)
    y = kpi[..., periods] - kpi[..., centred_on].mean(axis=-1, keepdims=True)
    own = np.moveaxis(x, 1, 0)
    return own @ np.moveaxis(own, 1, 2), np.asarray(np.einsum("ect,et->ec", own, y))
