"""Which retry of the escalation comes next, and which fit is taken in the end.

Belongs here: pure decisions from what was tried. Does not: sampling, judging, writing.
Invariant: the escalation ends. No kind of retry is tried twice, and number and time are bounded.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from schemas.documents.retries import Attempt, Retry, RetryKind, SamplingGate
from schemas.spec.sampler import SamplerBackend, SamplerSpec

FAR_R_HAT = 1.2
"""Chains this far apart sit in different modes; more draws do not bring them together."""
PATIENT_ACCEPT = 0.99
MAX_ITERATIONS = 20_000
"""Most draws and most tuning that a spec may ask for."""

NEXT_BACKEND = {
    SamplerBackend.KERNEL: SamplerBackend.NUTPIE,
    SamplerBackend.NUTPIE: SamplerBackend.PYMC,
}
_BACKEND_COST = {SamplerBackend.NUTPIE: 4.0, SamplerBackend.PYMC: 8.0}
"""Rough times of a fit against the backend before it, its compilation included."""
_ACCEPT_COST = 1.5
"""Rough time of a fit whose ``target_accept`` was raised: shorter steps, more of them."""


def first_try(settings: SamplerSpec) -> Retry:
    """Return retry 0: the fit as the spec has it."""
    return Retry(
        number=0,
        kind=RetryKind.AS_SPECIFIED,
        settings=settings,
        reason="as the spec has it",
        limit_seconds=60 * settings.timeout_minutes,
    )


def next_retry(settings: SamplerSpec, tried: Sequence[Attempt]) -> Retry | None:
    """Return what to try next, or None where the escalation ends.

    Parameters
    ----------
    settings
        Sampler settings of the spec.
    tried
        All fits so far, retry 0 first.
    """
    decision = _decide(settings, tried)
    return decision if isinstance(decision, Retry) else None


def why_stopped(settings: SamplerSpec, tried: Sequence[Attempt]) -> str:
    """Return why there is no next retry; empty where there is one."""
    decision = _decide(settings, tried)
    return "" if isinstance(decision, Retry) else decision


def _decide(settings: SamplerSpec, tried: Sequence[Attempt]) -> Retry | str:
    last = tried[-1]
    if last.is_clean:
        return "every sampling gate passed"
    limits = settings.escalation
    if len(tried) > limits.max_retries:
        return f"sampler.escalation.max_retries is {limits.max_retries}"
    judged = next(attempt for attempt in reversed(tried) if attempt.diagnostics is not None)
    found = _untried(settings, tried, judged)
    if found is None:
        return "nothing is left to try"
    kind, changed = found
    minutes = limits.max_minutes or settings.timeout_minutes
    left = 60 * minutes - sum(attempt.seconds for attempt in tried)
    expected = expected_seconds(judged, changed)
    if expected > left:
        return (
            f"another fit ({kind}) would take about {expected:.0f} s, and {max(left, 0):.0f} s "
            f"of {minutes:g} minutes are left (sampler.escalation.max_minutes)"
        )
    return Retry(
        number=len(tried),
        kind=kind,
        settings=changed,
        reason=f"{_reported(judged)}: {_change(last.retry.settings, changed)}",
        limit_seconds=min(left, 60 * settings.timeout_minutes),
    )


def preferred_kinds(failures: Mapping[str, float]) -> tuple[RetryKind, ...]:
    """Return what may help, the likeliest first.

    Parameters
    ----------
    failures
        What was observed at each sampling gate that failed.
    """
    careful = (RetryKind.CAREFUL, RetryKind.PATIENT, RetryKind.OTHER_SAMPLER)
    if failures.get(SamplingGate.R_HAT, 1.0) > FAR_R_HAT:
        return (RetryKind.RESTART, *careful)
    if SamplingGate.DIVERGENCES in failures or SamplingGate.EBFMI in failures:
        return careful
    if SamplingGate.TREE_DEPTH in failures:
        # Shorter steps need deeper trees, so target_accept stays.
        return (RetryKind.TUNE, RetryKind.LONGER, RetryKind.OTHER_SAMPLER)
    if SamplingGate.R_HAT in failures:
        return careful
    return (RetryKind.LONGER, RetryKind.PATIENT, RetryKind.OTHER_SAMPLER)


def milder_kinds(reviews: Mapping[str, float]) -> tuple[RetryKind, ...]:
    """Return what may help a fit that is only to be reviewed, the likeliest first.

    An R-hat just above its limit and an ESS just below it are mostly a matter of more draws. No
    other sampler is tried: it costs a compilation, and the fit at hand can be used.

    Parameters
    ----------
    reviews
        What was observed at each sampling gate that is to be reviewed.
    """
    if set(reviews) <= {SamplingGate.R_HAT, SamplingGate.ESS_BULK, SamplingGate.ESS_TAIL}:
        return (RetryKind.LONGER, RetryKind.PATIENT)
    if SamplingGate.TREE_DEPTH in reviews:
        return (RetryKind.TUNE, RetryKind.LONGER)
    return (RetryKind.CAREFUL, RetryKind.PATIENT)


def _untried(
    settings: SamplerSpec, tried: Sequence[Attempt], judged: Attempt
) -> tuple[RetryKind, SamplerSpec] | None:
    """First preferred kind that was not tried and changes something."""
    kinds = {attempt.retry.kind for attempt in tried}
    last = tried[-1]
    backend = NEXT_BACKEND.get(SamplerBackend(_sampler(judged)))
    failed = judged.failures
    kinds_in_order = preferred_kinds(failed) if failed else milder_kinds(judged.reviews)
    for kind in kinds_in_order:
        changed = _changed(kind, settings, last.retry.settings, backend)
        if kind not in kinds and changed != last.retry.settings:
            return kind, changed
    return None


def _changed(
    kind: RetryKind, base: SamplerSpec, last: SamplerSpec, backend: SamplerBackend | None
) -> SamplerSpec:
    """Settings of a retry; what an earlier retry has raised stays raised."""

    def at_least(name: str, times: int) -> dict[str, int]:
        wanted = min(times * getattr(base, name), MAX_ITERATIONS)
        return {name: max(wanted, getattr(last, name))}

    def accept(wanted: float) -> dict[str, float]:
        return {"target_accept": max(wanted, last.target_accept)}

    halfway = min(round((1 + base.target_accept) / 2, 4), 0.9999)
    update: dict[RetryKind, dict[str, Any]] = {
        RetryKind.RESTART: {"random_seed": (last.random_seed + 1) % 2**32},
        RetryKind.TUNE: at_least("tune", 2),
        RetryKind.CAREFUL: at_least("tune", 2) | accept(halfway),
        RetryKind.LONGER: at_least("draws", 2),
        RetryKind.PATIENT: at_least("tune", 4) | at_least("draws", 2) | accept(PATIENT_ACCEPT),
        RetryKind.OTHER_SAMPLER: {"backend": backend} if backend else {},
    }
    return last.model_copy(update=update[kind])


def expected_seconds(before: Attempt, settings: SamplerSpec) -> float:
    """Return about how long a fit takes, judged by one that has ended.

    Parameters
    ----------
    before
        A fit with its seconds.
    settings
        What is to be sampled next.
    """
    old = before.retry.settings
    factor = (settings.tune + settings.draws) / (old.tune + old.draws)
    if settings.target_accept > old.target_accept:
        factor *= _ACCEPT_COST
    if settings.backend is not old.backend:
        factor *= _BACKEND_COST.get(settings.backend, 1.0)
    return before.seconds * factor


def best_attempt(tried: Sequence[Attempt]) -> Attempt:
    """Return the first fit that every sampling gate passed, else the least bad one.

    Least bad has the fewest failed gates, then the fewest to be reviewed, then the smallest R-hat,
    then the largest ESS.
    """
    judged = [attempt for attempt in tried if attempt.diagnostics is not None]
    return next((a for a in judged if a.is_clean), None) or min(judged, key=_badness)


def _badness(attempt: Attempt) -> tuple[int, int, float, float]:
    metrics = attempt.diagnostics.metrics if attempt.diagnostics else {}
    ess = metrics.get(SamplingGate.ESS_BULK, 0.0)
    r_hat = metrics.get(SamplingGate.R_HAT, math.inf)
    return len(attempt.failures), len(attempt.reviews), r_hat, -ess


def describe_retries(
    settings: SamplerSpec, tried: Sequence[Attempt], chosen: Attempt
) -> dict[str, Any]:
    """Return ``escalation.json``: every fit that was tried, and which one was taken.

    Parameters
    ----------
    settings
        Sampler settings of the spec.
    tried
        All fits, retry 0 first.
    chosen
        The one that is published.
    """
    return {
        "chosen": chosen.retry.number,
        "sampled_well": chosen.sampled_well,
        "stopped": why_stopped(settings, tried),
        "rungs": [_row(attempt) for attempt in tried],
    }


def report_failure(settings: SamplerSpec, tried: Sequence[Attempt], chosen: Attempt) -> str:
    """Return one sentence on an escalation whose every fit failed; empty where one sampled well.

    Parameters as in ``describe_retries``.
    """
    if chosen.sampled_well or len(tried) < 2:
        return ""
    kinds = ", ".join(str(attempt.retry.kind) for attempt in tried[1:])
    return (
        f"No fit of {len(tried)} was sampled well (tried after the first: {kinds}; then "
        f"{why_stopped(settings, tried)}). The diagnostics are those of fit {chosen.retry.number}, "
        "the least bad."
    )


def _row(attempt: Attempt) -> dict[str, Any]:
    diagnostics = attempt.diagnostics
    return {
        "number": attempt.retry.number,
        "kind": attempt.retry.kind.value,
        "reason": attempt.retry.reason,
        "settings": attempt.retry.settings.model_dump(
            mode="json", exclude={"escalation", "timeout_minutes"}
        ),
        "sampler": _sampler(attempt) if attempt.posterior else None,
        "seconds": round(attempt.seconds, 3),
        "verdict": diagnostics.verdict.value if diagnostics else None,
        "sampling_failures": attempt.failures,
        "sampling_reviews": attempt.reviews,
        "error": attempt.error or None,
        "metrics": _sampling_metrics(attempt),
    }


def _sampling_metrics(attempt: Attempt) -> dict[str, float | None]:
    names = [SamplingGate.R_HAT, SamplingGate.ESS_BULK, SamplingGate.ESS_TAIL, SamplingGate.EBFMI]
    known = attempt.diagnostics.metrics if attempt.diagnostics else {}
    return {str(n): known.get(n) for n in [*names, "divergences", SamplingGate.TREE_DEPTH]}


def _sampler(attempt: Attempt) -> str:
    return attempt.posterior.sampler if attempt.posterior else str(attempt.retry.settings.backend)


def _reported(judged: Attempt) -> str:
    found = judged.failures or judged.reviews
    listed = ", ".join(f"{gate} {value:.4g}" for gate, value in found.items())
    return f"{listed} {'failed' if judged.failures else 'to be reviewed'}"


def _change(before: SamplerSpec, after: SamplerSpec) -> str:
    changed = [
        f"{name} {getattr(before, name)} to {getattr(after, name)}"
        for name in SamplerSpec.model_fields
        if getattr(before, name) != getattr(after, name)
    ]
    return ", ".join(changed)
