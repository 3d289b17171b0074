"""Lift tests compared with the model: what it says with them, and what it would say without.

A test that took part in the fit has pulled the model towards itself. Each test is therefore also
compared with what the model would expect had it alone been left out: that score says whether
experiment and other evidence disagree. It comes from the draws reweighted by Pareto-smoothed
importance sampling (Vehtari et al. 2017). Where the test moved the model too far for that, draws
with it hold too little of what was believed before, and it comes from an auxiliary fit without the
test (``tasks.diagnose.without_test``). Where there is none, the test's weight is taken off the
draws' mean and variance as if both were normal, which understates a conflict.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from schemas.documents.diagnostics import LeftOutBy
from schemas.outcomes import GateOutcome
from schemas.spec.gates import FitGates
from schemas.spec.lift_tests import LiftTest
from schemas.words import format_number
from tasks.mathematics.draws import hdi
from tasks.mathematics.judging import judge_at_most
from tasks.models.contract import FittedModel
from tasks.models.information import compute_loo

MAX_PARETO_K = 0.7
"""Weights with a heavier tail are not to be trusted (Vehtari et al. 2017)."""

MAX_RELATIVE_SPREAD = 5.0
"""Spread of the model without a test, in test errors, beyond which draws with it cannot tell: a
wider model is taken to be that wide, which understates its conflict with the test."""

Moments = tuple[NDArray[np.float64], NDArray[np.float64]]
"""Mean and variance of the lift, ``(test,)`` each."""

Refit = Callable[[int], NDArray[np.float64] | None]
"""Lift of the test at a position under a fit without it, ``(sample,)``; None where there is none.
"""


class _Measured(NamedTuple):
    """What the tests say, ``(test,)`` each, KPI units."""

    delta_kpi: NDArray[np.float64]
    standard_error: NDArray[np.float64]


class LiftEvidence(NamedTuple):
    """One test against the model; lifts in KPI units, scores in standard deviations."""

    test: LiftTest
    expected_mean: float
    expected_low: float
    expected_high: float
    """Lift that the model expects now that it knows the test, with its 94 % interval."""
    posterior_score: float
    """Observed less expected lift, over test error and model spread; with the test."""
    expected_without: float
    """Mean lift that the model would expect had it not known the test."""
    conflict_score: float
    """As ``posterior_score``, without the test."""
    pareto_k: float
    """Above ``MAX_PARETO_K`` the test dominates, and weights are not to be trusted."""
    left_out_by: LeftOutBy
    """Where the two numbers before that come from."""


def measure_lift(
    model: FittedModel, panel: xr.Dataset, tests: Sequence[LiftTest], refit: Refit | None = None
) -> list[LiftEvidence]:
    """Measure every test.

    Parameters
    ----------
    model
        Fitted with the tests.
    panel
        What was fitted.
    tests
        Lift tests of the run spec.
    refit
        Makes the auxiliary fit without a test, asked for where a test dominates.
    """
    if not tests:
        return []
    lift = model.expected_lift(panel, tests)
    measured = _Measured(
        np.array([t.delta_kpi for t in tests], dtype=float),
        np.array([t.standard_error for t in tests], dtype=float),
    )
    with_test = (lift.mean(axis=0), lift.var(axis=0))
    without, pareto_k, known_by = _leave_out(lift, measured, model.draws.sizes["chain"], refit)
    low, high = hdi(lift)
    observed, error = measured
    return [
        LiftEvidence(
            test=test,
            expected_mean=float(with_test[0][i]),
            expected_low=float(low[i]),
            expected_high=float(high[i]),
            posterior_score=conflict_score(observed, error, *with_test)[i],
            expected_without=float(without[0][i]),
            conflict_score=conflict_score(observed, error, *without)[i],
            pareto_k=float(pareto_k[i]),
            left_out_by=known_by[i],
        )
        for i, test in enumerate(tests)
    ]


def conflict_score(
    observed: NDArray[np.float64],
    standard_error: NDArray[np.float64],
    mean: NDArray[np.float64],
    variance: NDArray[np.float64],
) -> list[float]:
    """Observed less expected lift in standard deviations; positive where the test saw more."""
    return [float(z) for z in (observed - mean) / np.sqrt(standard_error**2 + variance)]


def _leave_out(
    lift: NDArray[np.float64], measured: _Measured, n_chains: int, refit: Refit | None
) -> tuple[Moments, NDArray[np.float64], list[LeftOutBy]]:
    """Moments of every test's lift without it, Pareto k, and how the moments are known.

    ``lift`` is ``(sample, test)``.
    """
    weights, pareto_k = _weights_without(lift, measured, n_chains)
    mean = (weights * lift).sum(axis=0)
    variance = (weights * (lift - mean) ** 2).sum(axis=0)
    normal = _subtract_test(lift, measured)
    known_by = [LeftOutBy.WEIGHTS] * len(mean)
    for i in np.flatnonzero(~(pareto_k <= MAX_PARETO_K)):
        refitted = refit(int(i)) if refit is not None else None
        if refitted is None:
            mean[i], variance[i], known_by[i] = normal[0][i], normal[1][i], LeftOutBy.NORMAL
        else:
            mean[i], variance[i], known_by[i] = refitted.mean(), refitted.var(), LeftOutBy.FIT
    return (mean, variance), pareto_k, known_by


def _subtract_test(lift: NDArray[np.float64], measured: _Measured) -> Moments:
    """Take the test off normal beliefs: precisions add up, so they subtract."""
    error = measured.standard_error**2
    # Draws about as wide as the test itself leave nothing to subtract from.
    widest = error * MAX_RELATIVE_SPREAD**2 / (1 + MAX_RELATIVE_SPREAD**2)
    variance = np.minimum(lift.var(axis=0), widest)
    known = np.where(variance > 0, variance, np.nan)
    without = 1 / (1 / known - 1 / error)
    return without * (lift.mean(axis=0) / known - measured.delta_kpi / error), without


def _weights_without(
    lift: NDArray[np.float64], measured: _Measured, n_chains: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Weight of each draw with one test left out, ``(sample, test)``, and Pareto k per test."""
    z = (lift - measured.delta_kpi) / measured.standard_error
    loo = compute_loo(-0.5 * z**2, ("test",), n_chains)
    if loo is None:
        return np.full(lift.shape, np.nan), np.full(lift.shape[1], np.nan)
    log_weights = loo.log_weights.transpose("chain", "draw", "test").to_numpy()
    weights = np.exp(log_weights.reshape(lift.shape))
    return weights / weights.sum(axis=0), np.asarray(loo.pareto_k, dtype=float)


def judge_lift(evidence: Sequence[LiftEvidence], gates: FitGates) -> list[GateOutcome]:
    """Judge the test that disagrees most; no outcome without tests."""
    if not evidence:
        return []
    sizes = [abs(e.conflict_score) for e in evidence]
    remedy = (
        "Experiment and weekly data disagree. Check the test's dates, the sign and unit of "
        "delta_spend and delta_kpi, and its standard error; if they hold, trust the experiment and "
        "look for what moved together with this channel."
    )
    limits = (gates.max_lift_conflict, np.inf)
    where = "; ".join(e.test.label for e in evidence if not is_agreed(e, gates))
    return [judge_at_most("lift_conflict", float(np.max(sizes)), limits, remedy, where=where)]


def is_agreed(evidence: LiftEvidence, gates: FitGates) -> bool:
    """Say whether a test is known to be within the limit; what has no score is not."""
    return abs(evidence.conflict_score) <= gates.max_lift_conflict


def lift_rows(evidence: Sequence[LiftEvidence], gates: FitGates) -> list[dict[str, Any]]:
    """Return ``lift_tests`` of ``diagnostics.json``; what could not be computed is null."""
    rows = []
    for e in evidence:
        numbers = {name: getattr(e, name) for name in LiftEvidence._fields[1:-1]}
        rows.append(
            {
                **e.test.model_dump(mode="json", exclude={"delta_kpi"}),
                "observed": e.test.delta_kpi,
                **{k: v if np.isfinite(v) else None for k, v in numbers.items()},
                "left_out_by": e.left_out_by,
                "conflict": bool(abs(e.conflict_score) > gates.max_lift_conflict),
                "sentence": describe_test(e, gates),
            }
        )
    return rows


def describe_test(evidence: LiftEvidence, gates: FitGates) -> str:
    """Say in a sentence what a test saw beside what the model would expect without it."""
    test = evidence.test
    where = f" in {test.entity}" if test.entity else ""
    said = f"The lift test{where} of {test.start} to {test.end} saw {format_number(test.delta_kpi)}"
    if not np.isfinite(evidence.conflict_score):
        return f"{said}; what the model would expect without it could not be computed."
    size = f"{abs(evidence.conflict_score):.1f} standard deviations"
    agree = f"they agree ({size} apart)"
    found = agree if is_agreed(evidence, gates) else f"they disagree by {size}"
    return (
        f"{said}; without it the model would expect {format_number(evidence.expected_without)} "
        f"({_KNOWN_BY[evidence.left_out_by]}): {found}."
    )


_KNOWN_BY = {
    LeftOutBy.WEIGHTS: "from this fit's draws, weighted anew",
    LeftOutBy.FIT: "from a fit without it, since the test decides here",
    LeftOutBy.NORMAL: "by a formula that understates a conflict, since no fit without it was made",
}
