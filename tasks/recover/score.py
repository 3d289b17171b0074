"""What one refit says of every channel, beside the truth, and what a lift test would add."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from schemas.answers.recovery import ChannelScore, ExperimentValue, Truth, WorldScore
from schemas.documents.diagnostics import Diagnostics
from schemas.documents.effects import ChannelReturns, EvidenceClass, RoiMetrics
from schemas.names import CHANNEL_DIM
from schemas.spec.run_spec import Grain
from tasks.mathematics.draws import hdi
from tasks.mathematics.panel import IS_ESTIMATION
from tasks.models.opening import OpenFit
from tasks.recover.law import switch_off

Array = NDArray[np.float64]

N_DRAWS_OF_A_REFIT = 1000
"""Draws that a refit is scored with."""
TEST_LENGTHS = {Grain.WEEK: (4, 8, 13), Grain.MONTH: (1, 2, 3)}
"""Periods of the lift tests that are considered."""


def score_fit(fit: OpenFit, judged: Diagnostics, truth: Truth) -> WorldScore:
    """Score a refit of a simulated KPI.

    Parameters
    ----------
    fit
        The refit with its panel.
    judged
        Its diagnostics: evidence, flags and verdict.
    truth
        Of the simulated KPI.
    """
    window = fit.panel[IS_ESTIMATION].to_numpy()
    names = [str(c) for c in fit.panel[CHANNEL_DIM].values]
    totals = {n: fit.model.incremental(n, fit.panel)[:, :, window].sum(axis=(1, 2)) for n in names}
    costs = measure_collinearity(totals)
    noise = _noise_draws(fit)
    scores = {}
    for name, draws in totals.items():
        low, high = hdi(draws)
        shown = judged.evidence[name].evidence if name in judged.evidence else None
        held = name in judged.prior_driven
        scores[name] = ChannelScore(
            truth=truth.contribution[name],
            mean=float(draws.mean()),
            low=float(low),
            high=float(high),
            shows_effect=shown is EvidenceClass.EFFECT and not held,
            is_flagged=held or shown is not EvidenceClass.EFFECT,
            collinearity=costs[name],
            experiments=value_experiments(fit, name, draws, noise) if name in truth.responses
            else [],
        )  # fmt: skip
    return WorldScore(channels=scores, verdict=judged.verdict)


class Interval(NamedTuple):
    """Contribution of one channel, KPI units."""

    mean: float
    low: float
    high: float


def measure_totals(fit: OpenFit) -> dict[str, Interval]:
    """Measure what every channel brought over the fitted periods."""
    window = fit.panel[IS_ESTIMATION].to_numpy()
    found = {}
    for name in (str(c) for c in fit.panel[CHANNEL_DIM].values):
        total = fit.model.incremental(name, fit.panel)[:, :, window].sum(axis=(1, 2))
        low, high = hdi(total)
        found[name] = Interval(float(total.mean()), float(low), float(high))
    return found


def returns_of(
    judged: Diagnostics, names: Mapping[str, ChannelScore] | Mapping[str, Interval]
) -> RoiMetrics:
    """Return what a plan has to know of every channel: whether its result may be acted on."""
    return RoiMetrics(
        {
            name: ChannelReturns(
                contribution_mean=score.mean,
                contribution_low=score.low,
                contribution_high=score.high,
                prior_driven=name in judged.prior_driven,
                evidence=judged.evidence[name].evidence if name in judged.evidence else None,
            )
            for name, score in names.items()
        }
    )


def measure_collinearity(totals: Mapping[str, Array]) -> dict[str, float | None]:
    """Say how many times wider each channel's spread is than with all other channels known.

    The inverse covariance of the draws has, on its diagonal, one over what is left of a channel's
    variance once the others are given.

    Parameters
    ----------
    totals
        Draws of each channel's contribution, ``(sample,)``.

    Returns
    -------
    dict
        By channel, at least 1; None where its draws do not vary.
    """
    found: dict[str, float | None] = dict.fromkeys(totals)
    moving = [name for name, draws in totals.items() if draws.std() > 0]
    if not moving:
        return found
    correlation = np.atleast_2d(np.corrcoef([totals[name] for name in moving]))
    inverse = np.linalg.pinv(correlation)
    for place, name in enumerate(moving):
        found[name] = float(np.sqrt(max(inverse[place, place], 1.0)))
    return found


def value_experiments(
    fit: OpenFit, channel: str, totals: Array, noise: Array
) -> list[ExperimentValue]:
    """Say what lift tests of one channel would add, by linear updating of its draws.

    A test that measures a lift with draws ``l`` and standard error ``s`` leaves the variance of a
    total ``c`` at ``1 - corr(c, l)^2 * var(l) / (var(l) + s^2)`` of what it was.

    Parameters
    ----------
    fit
        The fit.
    channel
        It is switched off for the last periods.
    totals
        Draws of its contribution, ``(sample,)``.
    noise
        Draws of the noise of all entities together, ``(sample, fitted period)``.

    Returns
    -------
    list
        One entry per length that the history has, where the channel spent in these periods.
    """
    window = fit.panel[IS_ESTIMATION].to_numpy()
    before = fit.model.incremental(channel, fit.panel)
    found = []
    for length in TEST_LENGTHS[fit.metadata.grain]:
        if length > window.sum():
            continue
        off = switch_off(fit.panel, [channel], slice(len(window) - length, None))
        lost = (before - fit.model.incremental(channel, off))[:, :, -length:].sum(axis=(1, 2))
        error = float(noise[:, -length:].sum(axis=1).std())
        if lost.std() > 0 and totals.std() > 0:
            found.append(value_test(length, totals, lost, error))
    return found


def value_test(length: int, totals: Array, lost: Array, error: float) -> ExperimentValue:
    """Say what one lift test would add; the formula is that of ``value_experiments``.

    Parameters
    ----------
    length
        Periods.
    totals
        Draws of the channel's contribution, ``(sample,)``.
    lost
        Draws of what switching it off costs, ``(sample,)``.
    error
        Standard error of the test, in their unit.
    """
    shared = float(np.corrcoef(totals, lost)[0, 1]) ** 2
    variance = float(lost.var())
    left = 1 - shared * variance / (variance + error**2)
    # Half the width is a quarter of the variance.
    halving = shared / 0.75 - 1
    return ExperimentValue(
        periods=length,
        lift=float(lost.mean()),
        standard_error=error,
        width_left=float(np.sqrt(left)),
        needed_error=float(np.sqrt(variance * halving)) if halving > 0 else None,
    )


def _noise_draws(fit: OpenFit) -> Array:
    """Noise of all entities together, ``(sample, fitted period)``, KPI units."""
    expected = fit.model.expected(fit.panel)
    noise = fit.model.sample_kpi(fit.panel, expected, seed=0) - expected
    return np.asarray(noise[:, :, fit.panel[IS_ESTIMATION].to_numpy()].sum(axis=1))
