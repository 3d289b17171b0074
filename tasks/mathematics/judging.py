"""Judge a number against its limits. A number that could not be computed is never a pass."""

import math
from collections.abc import Iterable

from schemas.documents.diagnostics import JudgedGate
from schemas.outcomes import GateOutcome, Verdict
from schemas.spec.gates import SamplingGates

_SAMPLING_WORDS = ("hat", "ess", "diverg", "bfmi", "tree")


def judge_at_most(
    gate: str, observed: float, limits: tuple[float, float], remedy: str, *, where: str = ""
) -> GateOutcome:
    """PASS up to the first limit, REVIEW up to the second, FAIL above.

    Parameters
    ----------
    gate
        Name of the gate.
    observed
        The number; NaN or infinite where it could not be computed.
    limits
        Pass limit and review limit; infinity as the second means a REVIEW at worst.
    remedy
        What to do about anything that is not a pass.
    where
        Parameter, channel or series that gave the number.
    """
    return _judge(gate, observed, limits, remedy, where, sign=1.0)


def judge_at_least(
    gate: str, observed: float, limits: tuple[float, float], remedy: str, *, where: str = ""
) -> GateOutcome:
    """PASS from the first limit up, REVIEW from the second up, FAIL below.

    Parameters as in ``judge_at_most``; minus infinity as the second limit means a REVIEW at worst.
    """
    return _judge(gate, observed, limits, remedy, where, sign=-1.0)


def _judge(
    gate: str,
    observed: float,
    limits: tuple[float, float],
    remedy: str,
    where: str,
    *,
    sign: float,
) -> GateOutcome:
    pass_limit, review_limit = limits
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


def is_well_sampled(gates: Iterable[JudgedGate]) -> bool:
    """Say whether every gate on the sampler's own evidence passed.

    Parameters
    ----------
    gates
        Gates of ``diagnostics.json``.
    """
    judged = [g.verdict for g in gates if gate_group_of(g) == "sampling"]
    return bool(judged) and all(verdict is Verdict.PASS for verdict in judged)


def gate_group_of(gate: JudgedGate) -> str:
    """Return the gate group a gate belongs to: as reported, else by its name.

    Parameters
    ----------
    gate
        Gate of ``diagnostics.json``.
    """
    if gate.battery:
        return gate.battery
    return "sampling" if is_of_sampler(gate.gate) else "fit"


def is_of_sampler(name: str) -> bool:
    """Say whether a gate or a metric is evidence of the sampler, not of the fit.

    Parameters
    ----------
    name
        As ``diagnostics.json`` has it.
    """
    return name in SamplingGates.model_fields or any(word in name for word in _SAMPLING_WORDS)
