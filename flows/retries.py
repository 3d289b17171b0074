"""The fit of a refit, tried again with other sampler settings while its sampling gates fail.

Belongs here: the loop. Does not: what comes next and what is taken (``tasks.fit.escalation``).
"""

import time
from collections.abc import Callable
from typing import Any

from flows.timing import Timings
from schemas.documents.retries import Attempt, JudgedFit, Retry
from schemas.errors import SamplingError
from schemas.outcomes import Finding
from schemas.refs import DiagnosticsRef, FeaturesRef
from schemas.spec.run_spec import RunSpec
from tasks.fit.task import select_fit, select_retry


def fit_until_sampled(
    fit: Any,
    diagnose: Callable[..., DiagnosticsRef],
    features: FeaturesRef,
    findings: list[Finding],
    spec: RunSpec,
    run_id: str,
    timings: Timings,
) -> JudgedFit:
    """Fit and judge, again where a sampling gate failed, and return the fit that is taken.

    Parameters
    ----------
    fit, diagnose
        The tasks ``fit_posterior`` and ``diagnose_posterior``.
    features, findings, spec, run_id
        Their arguments; ``sampler.escalation`` bounds the escalation.
    timings
        Stages ``fit`` and ``diagnose`` add up over all fits.

    Raises
    ------
    SamplingError
        If the first fit stops with an error; one that comes later counts as a failed retry.
    """
    tried: list[Attempt] = []
    while (retry := select_retry(spec, tried)) is not None:
        tried.append(_try(retry, fit, diagnose, features, findings, spec, run_id, timings))
    return select_fit(spec, tried, run_id)


def _try(
    retry: Retry,
    fit: Any,
    diagnose: Callable[..., DiagnosticsRef],
    features: FeaturesRef,
    findings: list[Finding],
    spec: RunSpec,
    run_id: str,
    timings: Timings,
) -> Attempt:
    changed = spec.model_copy(update={"sampler": retry.settings})
    started = time.perf_counter()
    try:
        with timings.stage("fit"):
            limited = fit.with_options(timeout_seconds=retry.limit_seconds)
            posterior = limited(features, changed, run_id, retry.number)
    except (SamplingError, TimeoutError) as error:
        if retry.number == 0:
            raise
        spent = time.perf_counter() - started
        return Attempt(retry=retry, seconds=spent, error=f"{type(error).__name__}: {error}")
    with timings.stage("diagnose"):
        diagnostics = diagnose(posterior, features, findings, changed, run_id, retry.number)
    # What the fit itself recorded: a fit that is taken over from a killed run took no time today.
    spent = sum(posterior.wall_seconds.values())
    return Attempt(retry=retry, seconds=spent, posterior=posterior, diagnostics=diagnostics)
