"""Fits that nobody asked for, made to tell apart why returns changed.

Belongs here: their loop, and its place in a refit. Does not: which fits, when to stop, what they
say (``tasks.explain``).
"""

import logging
import time

from schemas.documents.changes import Comparison, ExplanationRef, FitReturns, NextFit, TriedFit
from schemas.errors import MmmError
from schemas.outcomes import Verdict
from schemas.refs import PosteriorRef, StepKey
from schemas.spec.run_spec import RunSpec
from tasks.explain.task import (
    answer_explanation,
    choose_fit,
    compare_with_champion,
    report_no_explanation,
)
from tasks.features.task import build_features
from tasks.fit.task import fit_returns
from tasks.store.home import current_home

log = logging.getLogger(__name__)


def explain_refit(
    verdict: Verdict, posterior: PosteriorRef, spec: RunSpec, run_id: str
) -> ExplanationRef | None:
    """Explain an accepted refit against the champion; None where there is nothing to explain.

    Whatever goes wrong is said in the report and is no reason to lose a refit.
    """
    if verdict is Verdict.FAIL or not spec.explain.in_refit:
        return None
    try:
        comparison = compare_with_champion(spec, posterior, run_id)
        if comparison is None:
            return None
        tried = try_fits(comparison, run_id)
        return answer_explanation(comparison, tried, str(current_home().run_dir(run_id)))
    except Exception as error:  # an explanation is an extra: a fault in it must not cost the week
        if not isinstance(error, MmmError):
            log.exception("the change since the champion could not be explained")
        return report_no_explanation(spec, run_id, f"{type(error).__name__}: {error}")


def try_fits(comparison: Comparison, run_id: str) -> list[TriedFit]:
    """Make the auxiliary fits, one after another, for as long as there is time."""
    tried: list[TriedFit] = []
    while (step := choose_fit(comparison, tried)) is not None:
        tried.append(_try(step, run_id))
    return tried


def _try(step: NextFit, run_id: str) -> TriedFit:
    fit, started = step.fit, time.perf_counter()
    key = StepKey(run_id=run_id, retry=fit.name)
    try:
        features = fit.features or build_features(key, fit.snapshot, fit.spec)
        limited = fit_returns.with_options(timeout_seconds=step.limit_seconds)
        returns: FitReturns = limited(key, features, fit.spec)
    except (MmmError, TimeoutError) as error:
        spent = time.perf_counter() - started
        return TriedFit(name=fit.name, seconds=spent, error=f"{type(error).__name__}: {error}")
    # What the fit itself took: one that is taken over from a killed run took no time today.
    return TriedFit(name=fit.name, seconds=returns.seconds, returns=returns)
