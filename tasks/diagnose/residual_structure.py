"""What residuals still know: of spend to come, of time, of curves and lags that the model lacks.

Every score is a t statistic of one regressor on standardized innovations, with everything that the
model has already taken out of the regressor (Frisch and Waugh 1933): linear terms, contributions,
and each channel's own input. In a model that is right they are about normal; the largest of many is
held against what the largest of as many is by chance, with the regressors as they are correlated.
``benchmarks/detectors.py`` counts how often that errs.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

import numpy as np
import scipy
import xarray as xr
from numpy.typing import NDArray

from schemas.names import CHANNEL_DIM, DATE_DIM, ENTITY_DIM, ComponentKind
from schemas.words import format_share
from tasks.mathematics.carryover import early_level, stack_lags
from tasks.mathematics.panel import observed_of
from tasks.models.contract import Component, FittedModel, ModelInputs
from tasks.models.linear import linear_design

Array = NDArray[np.float64]

LONG_RETENTION, LONG_LAGS = 0.9, 26
"""Carryover that a model of short effects misses."""
EDGE = 0.15
"""Share of the periods at either end in which no step of the level is looked for."""
LEADS = 4
"""Periods of later spend."""


_SEED = 0
N_DRAWS_OF_RESIDUALS = 200
"""Draws whose mean the residuals are of."""

CHANCE_LIMIT = 0.05
"""How often the largest of a family may be as large by chance where a note still says so.

Three such notes err in 15 % of fits at most; in none of 12 plain ones of
``benchmarks/detectors.py`` with seeds 1000 to 1011.
"""
N_BY_CHANCE = 4000
"""Simulated residuals that say how large the largest of a family gets by chance."""
TOGETHER = "all media"
_NOTES = {
    "later_spend": (
        "the KPI rises before money is spent on {where}: money may follow business, and returns "
        "would then be too high; run a lift test, or add what budgets follow as a control. Or the "
        "dates are those of bills, and returns are too low: give media when they ran"
    ),
    "effect_drift": (
        "the effect of {where} is not the same early and late: the return is that of an average "
        "year, not of today; shorten the history (windows), or set model.time_varying_media"
    ),
    "level_step": (
        "the level of the KPI changes once and for good, and media may have taken their share of "
        "it: name what happened as an event or a control, or fit what came after it"
    ),
}


class Score(NamedTuple):
    """One number that residuals gave, and the channel where it was largest."""

    value: float
    where: str = ""
    chance: float = 1.0
    """How often the largest of its family is as large where the model is right."""


def measure_residual_structure(
    model: FittedModel, panel: xr.Dataset, inputs: ModelInputs, window: NDArray[np.bool_]
) -> dict[str, Score]:
    """Score what is left in the residuals of a fit.

    Parameters
    ----------
    model
        The fitted model.
    panel, inputs
        What it was fitted to.
    window
        Fitted periods, ``(date,)``.

    Returns
    -------
    dict
        ``later_spend`` (largest t of a channel's input in the coming periods: the KPI moves
        first), ``effect_drift`` (largest absolute t of a contribution that grows or shrinks over
        time), ``curve`` (of its square), ``long_lags`` (largest t of input carried for months),
        ``level_step`` (of one step of the level), ``lasting`` (of the residual of the period
        before) and ``tails`` (excess kurtosis).
    """
    seen = _Residuals(model.thinned(N_DRAWS_OF_RESIDUALS), panel, inputs, window)
    return {
        "later_spend": seen.largest(seen.later_spend(), both_signs=False),
        "long_lags": seen.largest(seen.long_lags(), both_signs=False),
        "effect_drift": seen.largest(seen.drifts(), both_signs=True),
        "curve": seen.largest(seen.squares(), both_signs=True),
        "level_step": seen.largest(seen.steps(), both_signs=True),
        "lasting": Score(seen.lasting()),
        "tails": Score(float(scipy.stats.kurtosis(seen.z[seen.is_open]))),
    }


def note_residuals(scores: Mapping[str, Score]) -> list[str]:
    """Return a note on what residuals still know and hardly ever show by chance.

    Parameters
    ----------
    scores
        From ``measure_residual_structure``.
    """
    return [
        f"{name}: {text.format(where=score.where)} (t {score.value:.1f}; "
        f"{format_share(score.chance)} by chance, limit {format_share(CHANCE_LIMIT)})."
        for name, text in _NOTES.items()
        if (score := scores[name]).chance < CHANCE_LIMIT
    ]


class _Residuals:
    """Standardized innovations, ``(entity, fitted date)``, and what the model had."""

    def __init__(
        self,
        model: FittedModel,
        panel: xr.Dataset,
        inputs: ModelInputs,
        window: NDArray[np.bool_],
    ) -> None:
        self.window, self.is_open = window, observed_of(panel)[:, window]
        left = model.innovations(panel, model.expected(panel)).mean(axis=0)[:, window]
        left = np.where(self.is_open, left, 0.0)
        size = np.sqrt((left**2).sum(axis=1) / np.maximum(self.is_open.sum(axis=1), 1))
        self.z = left / np.where(size > 0, size, 1.0)[:, None]
        self.names = [str(c) for c in panel[CHANNEL_DIM].values]
        self._media = panel["media"].transpose(ENTITY_DIM, CHANNEL_DIM, DATE_DIM).to_numpy()
        self.parts: Mapping[str, Array] = {
            name: model.contribution(Component(name, ComponentKind.CHANNEL), panel).mean(axis=0)
            for name in self.names
        }
        known = [
            *np.moveaxis(linear_design(panel, inputs)[:, :, window], 1, 0),
            *(part[:, window] for part in self.parts.values()),
            *(self._logs(name)[:, window] for name in self.names),
        ]
        # Levels of entities are taken out of everything, like all that the model has.
        self._basis = _orthonormal(np.stack([self._flat(x) for x in known]))
        self._n_open = int(self.is_open.sum())
        self._n_free = max(self._n_open - len(self._basis) - len(self.z), 1)

    def largest(self, found: Iterable[tuple[str, Array]], *, both_signs: bool) -> Score:
        """Largest t statistic of regressors ``(entity, fitted date)``, and how rare that is."""
        units, names = [], []
        for name, regressor in found:
            unit = self._new(regressor)
            if unit is not None:
                units.append(unit)
                names.append(name)
        flat = self._flat(self.z)
        spread = float(np.sqrt((flat**2).sum() / max(self._n_open, 1)))
        if not units or spread == 0:
            return Score(0.0)
        rows = np.stack(units)
        t = rows @ flat / spread
        t = np.abs(t) if both_signs else t
        top = int(np.argmax(t))
        by_chance = self._largest_by_chance(rows @ rows.T, both_signs=both_signs)
        chance = (1 + int((by_chance >= t[top]).sum())) / (1 + N_BY_CHANCE)
        return Score(float(t[top]), names[top], chance)

    def _largest_by_chance(self, correlation: Array, *, both_signs: bool) -> Array:
        """Largest of t statistics that are correlated like that, where nothing is left.

        Of the residuals' spread, as of any regression, what the model has taken out is missing.
        """
        rng = np.random.default_rng(_SEED)
        values, vectors = np.linalg.eigh(correlation)
        root = vectors * np.sqrt(np.maximum(values, 0.0))
        t = rng.standard_normal((N_BY_CHANCE, len(root))) @ root.T
        spread = np.sqrt(rng.chisquare(self._n_free, N_BY_CHANCE) / self._n_open)
        return np.asarray((np.abs(t) if both_signs else t).max(axis=1) / spread)

    def _new(self, regressor: Array) -> Array | None:
        """What is new in a regressor, of length one, ``(cell,)``; None where nothing is."""
        x = self._flat(regressor)
        size = float(np.linalg.norm(x))
        x = x - self._basis.T @ (self._basis @ x)
        own = float(np.linalg.norm(x))
        return x / own if own > max(1e-6 * size, 0.0) else None

    def later_spend(self) -> Iterator[tuple[str, Array]]:
        """Mean input of the coming periods; the last ones have none and count as usual."""
        together = np.zeros_like(self.z)
        for name in self.names:
            logs = self._logs(name)
            usual = logs.mean(axis=1, keepdims=True)
            padded = np.concatenate([logs, np.repeat(usual, LEADS, axis=1)], axis=1)
            n = logs.shape[1]
            ahead = np.mean([padded[:, k : k + n] for k in range(1, LEADS + 1)], axis=0)
            together += ahead[:, self.window]
            yield name, ahead[:, self.window]
        yield TOGETHER, together

    def drifts(self) -> Iterator[tuple[str, Array]]:
        """Contributions that grow over time."""
        position = np.linspace(-1, 1, int(self.window.sum()))
        for name, part in self.parts.items():
            yield name, part[:, self.window] * position
        yield TOGETHER, sum(self.parts.values(), np.zeros(1))[:, self.window] * position

    def squares(self) -> Iterator[tuple[str, Array]]:
        """Squares of contributions: curves that bend otherwise."""
        for name, part in self.parts.items():
            own = part[:, self.window]
            yield name, (own - own.mean(axis=1, keepdims=True)) ** 2

    def long_lags(self) -> Iterator[tuple[str, Array]]:
        """Input carried over for months."""
        weights = LONG_RETENTION ** np.arange(LONG_LAGS)
        for place, name in enumerate(self.names):
            media = self._media[:, place]
            lags = stack_lags(media, LONG_LAGS, early_level(media, LONG_LAGS))
            yield name, np.einsum("elt,l->et", lags, weights)[:, self.window]

    def steps(self) -> Iterator[tuple[str, Array]]:
        """Steps of the level of all entities."""
        n = self.z.shape[1]
        edge = max(int(EDGE * n), 1)
        for at in range(edge, n - edge):
            yield "", np.broadcast_to((np.arange(n) >= at).astype(float), self.z.shape)

    def lasting(self) -> float:
        """Absolute correlation of a residual with the one before, times root n."""
        now, before = self.z[:, 1:], self.z[:, :-1]
        norm = float(np.sqrt((now**2).sum() * (before**2).sum()))
        n = int(self.is_open[:, 1:].sum())
        return abs(float((now * before).sum())) / norm * np.sqrt(n) if norm > 0 else 0.0

    def _logs(self, name: str) -> Array:
        """Logarithm of a channel's input over its mean, ``(entity, date)``."""
        media = self._media[:, self.names.index(name)]
        level = media.mean(axis=1, keepdims=True)
        return np.asarray(np.log1p(np.maximum(media, 0) / np.where(level > 0, level, 1.0)))

    def _flat(self, values: Array) -> Array:
        """Less the mean of each entity, zero where it is not open, ``(entity * date,)``."""
        kept = np.where(self.is_open, values, 0.0)
        mean = kept.sum(axis=1, keepdims=True) / np.maximum(
            self.is_open.sum(axis=1, keepdims=True), 1
        )
        return np.asarray(np.where(self.is_open, kept - mean, 0.0).ravel())


def _orthonormal(rows: Array) -> Array:
    """Orthonormal rows that span the same space, ``(k, cell)``."""
    sizes = np.linalg.norm(rows, axis=1)
    rows = rows[sizes > 0] / sizes[sizes > 0][:, None]
    if not len(rows):
        return rows
    _, values, right = np.linalg.svd(rows, full_matrices=False)
    return np.asarray(right[values > 1e-8 * values[0]])
