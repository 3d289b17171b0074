"""Whether there is time for one more auxiliary fit."""

import logging

from schemas.documents.changes import Comparison, NextFit, TriedFit

log = logging.getLogger(__name__)


def choose_fit(comparison: Comparison, tried: list[TriedFit]) -> NextFit | None:
    """Return the next fit that was planned, with the time that it may take.

    Without ``max_seconds`` each fit has the time of its spec. With it, a fit is begun only if it
    ends in time supposing that it takes as long as the last one.
    """
    if len(tried) == len(comparison.fits):
        return None
    fit = comparison.fits[len(tried)]
    own_limit = 60 * fit.spec.sampler.timeout_minutes
    if comparison.max_seconds is None:
        return NextFit(fit=fit, limit_seconds=own_limit)
    left = comparison.max_seconds - sum(attempt.seconds for attempt in tried)
    expected = tried[-1].seconds if tried else comparison.expected_seconds
    if left <= 0 or expected > left:
        log.warning(
            "no auxiliary fit for %s: the last one took %.0f s, and %.0f s are left",
            fit.name, expected, max(left, 0.0),
        )  # fmt: skip
        return None
    return NextFit(fit=fit, limit_seconds=min(own_limit, left))
