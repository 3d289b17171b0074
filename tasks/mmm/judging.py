"""Judge a number against its limits. A number that could not be computed is never a pass."""

import math

from schemas.outcomes import GateOutcome, Verdict


def judge_at_most(
    gate: str, observed: float, *, pass_limit: float, review_limit: float, where: str, remedy: str
) -> GateOutcome:
    """PASS up to ``pass_limit``, REVIEW up to ``review_limit``, FAIL above.

    Set ``review_limit`` to infinity where the gate can at worst be a REVIEW.
    """
    return _judge(gate, observed, pass_limit, review_limit, where, remedy, sign=1.0)


def judge_at_least(
    gate: str, observed: float, *, pass_limit: float, review_limit: float, where: str, remedy: str
) -> GateOutcome:
    """PASS from ``pass_limit`` up, REVIEW from ``review_limit`` up, FAIL below."""
    return _judge(gate, observed, pass_limit, review_limit, where, remedy, sign=-1.0)


def _judge(
    gate: str,
    observed: float,
    pass_limit: float,
    review_limit: float,
    where: str,
    remedy: str,
    *,
    sign: float,
) -> GateOutcome:
    finite_review = review_limit if math.isfinite(review_limit) else None
    if not math.isfinite(observed):
        return GateOutcome(
            gate=gate,
            verdict=Verdict.NOT_EVALUATED,
            observed=None,
            pass_limit=pass_limit,
            review_limit=finite_review,
            where=where,
            reason=f"{gate} could not be computed{_at(where)}. {remedy}",
        )
    if sign * observed <= sign * pass_limit:
        verdict = Verdict.PASS
    else:
        verdict = Verdict.REVIEW if sign * observed <= sign * review_limit else Verdict.FAIL
    comparison = "at most" if sign > 0 else "at least"
    reason = (
        ""
        if verdict is Verdict.PASS
        else f"{gate} is {observed:.4g}{_at(where)}, needs {comparison} {pass_limit:g}. {remedy}"
    )
    return GateOutcome(
        gate=gate,
        verdict=verdict,
        observed=observed,
        pass_limit=pass_limit,
        review_limit=finite_review,
        where=where,
        reason=reason,
    )


def _at(where: str) -> str:
    return f" ({where})" if where else ""
