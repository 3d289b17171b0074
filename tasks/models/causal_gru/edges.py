"""Which edges beat a placebo: the source's own series, shifted in time.

For every edge that may be, the source is put through carryover and saturation (into the KPI), or
through the lags before (into spend), and its partial correlation with the target is measured, given
seasons, trend, events and what all other sources bring; into spend also given the target's own
past. The best of a few forms counts. The same is done with the source shifted by every number of
periods that is far from its own place: a series that moves alike and has no effect. The p-value
is the share of placebos that do as well. An edge is found where it is at most the stated rate; so
of pairs without a relation, at most about that share is.

What an edge says is predictive order, given these columns and no unseen common cause.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from schemas.spec.channels import AdstockKind
from tasks.mathematics.carryover import adstock_weights, stack_lags
from tasks.models.causal_gru.sequences import Sequences

Array = NDArray[np.float64]

KPI_NODE = ""
"""The KPI among the ends of an edge: no column has an empty name."""
_DECAYS = (0.0, 0.3, 0.6, 0.8)
_HALF_SATURATIONS = (0.25, 10.0)
"""Concave, and nearly a line."""
_SPEND_DECAYS = (0.0, 0.5)
_OWN_LAGS = 3
_LEAST_SHIFT = 10
"""Periods that a placebo is away at least: carryover would reach nearer ones."""
_NOTHING = 1e-9


class TestedEdge(NamedTuple):
    """One edge against its placebos."""

    source: str
    target: str
    correlation: float
    """Partial correlation of the best form, in [-1, 1]."""
    p_value: float
    """Share of placebos that do as well, the edge itself counted as one."""
    strength: float
    """Standard deviations of the placebos by which it is beyond their mean."""
    n_placebos: int


def hold_against_placebos(
    sequences: Sequences, ends: Sequence[tuple[str, str]]
) -> list[TestedEdge]:
    """Hold every edge against its placebos.

    Parameters
    ----------
    sequences
        The panel, over its fitted periods and those before.
    ends
        Source and target of each edge, the KPI as ``KPI_NODE``.

    Returns
    -------
    list
        In the order of ``ends``.
    """
    series = _Series(sequences)
    targets = dict.fromkeys(target for _, target in ends)
    found: dict[tuple[str, str], TestedEdge] = {}
    for target in targets:
        sources = [source for source, into in ends if into == target]
        found |= {(e.source, e.target): e for e in _test_target(series, target, sources)}
    return [found[pair] for pair in ends]


class _Series:
    """Nodes as series over the fitted periods, ``(entity, period)``."""

    def __init__(self, sequences: Sequences) -> None:
        self._sequences = sequences
        self.window = sequences.window
        n_controls = len(sequences.controls)
        self._media = dict(zip(sequences.channels, np.moveaxis(sequences.media, 1, 0), strict=True))
        self._signs = dict(zip(sequences.channels, sequences.signs, strict=True))
        controls = np.moveaxis(sequences.linear[:, :n_controls], 1, 0)
        self._controls = dict(zip(sequences.controls, controls, strict=True))
        self._given = np.moveaxis(sequences.linear[:, n_controls:], 1, 0)

    def target(self, name: str) -> Array:
        """Return what is explained: the KPI, or the logarithm of one plus spend over its mean."""
        return self._whole(name)[:, self.window]

    def sign(self, source: str, target: str) -> float:
        """Return the sign that an effect must have; 0 where either may be."""
        return self._signs.get(source, 0.0) if target == KPI_NODE else 0.0

    def given(self, target: str) -> list[Array]:
        """Return what every edge into a target is measured beside."""
        beside = [column[:, self.window] for column in self._given]
        if target != KPI_NODE:
            whole = self._whole(target)
            beside += [_lagged(whole, lag)[:, self.window] for lag in range(1, _OWN_LAGS + 1)]
        return beside

    def forms(self, source: str, target: str) -> Array:
        """Return what a source may bring, ``(form, entity, period)``."""
        if target != KPI_NODE:
            before = _lagged(self._whole(source), 1)
            forms = [_carried(before, decay, self._sequences.l_max) for decay in _SPEND_DECAYS]
        elif source in self._media:
            carried = [
                _carried(self._media[source], decay, self._sequences.l_max) for decay in _DECAYS
            ]
            forms = [x / (x + half) for x in carried for half in _HALF_SATURATIONS]
        else:
            forms = [self._whole(source)]
        return np.array(forms)[..., self.window]

    def _whole(self, name: str) -> Array:
        if name == KPI_NODE:
            return self._sequences.kpi
        if name in self._controls:
            return self._controls[name]
        media = self._media[name]
        mean = np.maximum(media.mean(axis=1, keepdims=True), _NOTHING)
        return np.log1p(media / mean)


def _carried(values: Array, decay: float, l_max: int) -> Array:
    weights = adstock_weights(AdstockKind.GEOMETRIC, {"alpha": np.array(decay)}, l_max=l_max)
    return np.asarray(np.einsum("elt,l->et", stack_lags(values, l_max), weights))


def _lagged(values: Array, lag: int) -> Array:
    return np.concatenate([np.repeat(values[:, :1], lag, axis=1), values[:, :-lag]], axis=1)


def _test_target(series: _Series, target: str, sources: list[str]) -> list[TestedEdge]:
    explained = _within(series.target(target)[None])[0]
    given = _within(np.array(series.given(target)).reshape(-1, *series.target(target).shape))
    forms = {source: series.forms(source, target) for source in sources}
    chosen = {}
    basis = _basis(given)
    for source in sources:
        sign = series.sign(source, target)
        best = np.argmax(_correlate(_within(forms[source]), explained, basis, sign))
        chosen[source] = _within(forms[source][[best]])
    tested = []
    for source in sources:
        others = [chosen[other] for other in sources if other != source]
        basis = _basis(np.concatenate([given, *others]))
        sign = series.sign(source, target)
        tested.append(_against_placebos(forms[source], explained, basis, sign, (source, target)))
    return tested


def _against_placebos(
    forms: Array, explained: Array, basis: Array, sign: float, ends: tuple[str, str]
) -> TestedEdge:
    n_periods = forms.shape[-1]
    shifts = range(_LEAST_SHIFT, n_periods - _LEAST_SHIFT + 1)
    own = _correlate(_within(forms), explained, basis, sign)
    rolled = np.array([np.roll(forms, shift, axis=-1) for shift in shifts])
    flat = _within(rolled.reshape(-1, *forms.shape[1:]))
    placebos = _correlate(flat, explained, basis, sign).reshape(len(shifts), -1).max(axis=1)
    best = float(own.max())
    n_as_good = int((placebos >= best).sum())
    spread = float(placebos.std())
    plain = _correlate(_within(forms[[int(own.argmax())]]), explained, basis, 1.0)
    return TestedEdge(
        *ends,
        correlation=float(plain[0]),
        p_value=(1 + n_as_good) / (1 + len(shifts)),
        strength=(best - float(placebos.mean())) / max(spread, _NOTHING),
        n_placebos=len(shifts),
    )


def _within(values: Array) -> Array:
    """Take off the mean of each entity, and lay rows out, ``(series, entity * period)``."""
    centred = values - values.mean(axis=-1, keepdims=True)
    return np.asarray(centred.reshape(len(centred), -1))


def _basis(columns: Array) -> Array:
    """Orthonormal basis of some columns, ``(row, rank)``."""
    if not len(columns):
        return np.zeros((columns.shape[1], 0))
    left, sizes, _ = np.linalg.svd(columns.T, full_matrices=False)
    return np.asarray(left[:, sizes > _NOTHING * max(float(sizes[0]), _NOTHING)])


def _correlate(columns: Array, explained: Array, basis: Array, sign: float) -> Array:
    """Partial correlations given a basis, times their sign, or their size where either may be."""
    left = columns - (columns @ basis) @ basis.T
    target = explained - basis @ (basis.T @ explained)
    sizes = np.linalg.norm(left, axis=1) * np.linalg.norm(target)
    # A column that the others explain says nothing of its own.
    known = sizes > 1e-7 * np.maximum(np.linalg.norm(columns, axis=1), _NOTHING) * np.linalg.norm(
        explained
    )
    found = np.where(known, left @ target / np.where(known, sizes, 1.0), 0.0)
    return np.asarray(np.abs(found) if sign == 0 else sign * found)
