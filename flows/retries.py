"""The fit of a refit, tried again with other sampler settings while its sampling gates fail.

Belongs here: the loop. Does not: what comes next and what is taken (``tasks.fit.escalation``).
"""

import time
from dataclasses import dataclass

from flows.timing import Timings
from schemas.documents.retries import Attempt, Retry
from schemas.errors import SamplingError
from schemas.outcomes import Finding
from schemas.refs import FeaturesRef, StepKey
from schemas.spec.run_spec import RunSpec
from tasks.diagnose.task import diagnose_posterior
from tasks.fit.task import fit_posterior, select_retry


@dataclass(frozen=True)
class _Asked:
    """What every fit of a run is made of."""

    features: FeaturesRef
    findings: list[Finding]
    spec: RunSpec
    key: StepKey
    timings: Timings


def try_until_sampled(
    features: FeaturesRef,
    findings: list[Finding],
    spec: RunSpec,
    key: StepKey,
    timings: Timings,
) -> list[Attempt]:
    """Fit and judge, again where a sampling gate failed; return all that was tried, one at least.

    Parameters
    ----------
    features, findings, spec
        Arguments of ``fit_posterior`` and ``diagnose_posterior``; ``sampler.escalation`` bounds
        the escalation.
    key
        Run, and shape of the model; each retry gets its number.
    timings
        Stages ``fit`` and ``diagnose`` add up over all fits.

    Raises
    ------
    SamplingError
        If the first fit stops with an error; one that comes later counts as a failed retry.
    """
    asked = _Asked(features, findings, spec, key, timings)
    tried: list[Attempt] = []
    while (retry := select_retry(spec, tried)) is not None:
        tried.append(_try(retry, asked))
    return tried


def _try(retry: Retry, asked: _Asked) -> Attempt:
    key = asked.key.model_copy(update={"retry": retry.number})
    changed = asked.spec.model_copy(update={"sampler": retry.settings})
    started = time.perf_counter()
    try:
        with asked.timings.stage("fit"):
            limited = fit_posterior.with_options(timeout_seconds=retry.limit_seconds)
            posterior = limited(key, asked.features, changed)
    except (SamplingError, TimeoutError) as error:
        if retry.number == 0:
            raise
        spent = time.perf_counter() - started
        return Attempt(retry=retry, seconds=spent, error=f"{type(error).__name__}: {error}")
    with asked.timings.stage("diagnose"):
        diagnostics = diagnose_posterior(key, posterior, asked.features, asked.findings, changed)
    # What the fit itself recorded: a fit that is taken over from a killed run took no time today.
    spent = sum(posterior.wall_seconds.values())
    return Attempt(retry=retry, seconds=spent, posterior=posterior, diagnostics=diagnostics)
