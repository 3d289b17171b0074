"""Words about a plan: whether to follow it, and what to do with each channel and why."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from schemas.documents.plan import Action, Advice, MultiStartAgreement
from schemas.spec.optimizer import OptimizerSpec
from schemas.words import format_interval, format_number, format_probability, format_ratio
from tasks.optimize.gains import Comparison, Gains

Array = NDArray[np.float64]

SMALL_MOVE = 0.02
"""A channel within this share of today's spend is held."""
SMALLEST_PLAN = 0.005
"""A plan that moves less than this share of the money is no plan."""
FEW_AGREE = 0.95
"""Fewer starts than this share at one optimum are reported."""
FAR_BEYOND = 2.0
"""Spend beyond this multiple of what was ever observed is far outside the data."""


@dataclass(frozen=True)
class ChannelFacts:
    """What is known of one channel when its action is put into words."""

    name: str
    current: float
    planned: float
    candidate: float
    low: float
    high: float
    mroas_mean: float | None
    mroas_low: float | None
    mroas_high: float | None
    mroas_candidate: float | None
    elsewhere: float | None
    """Mean marginal return today of the channels that its money comes from or goes to."""
    prior_driven: bool
    unclear: bool = False
    """The data cannot tell its effect from none."""
    confounded: bool = False
    """The data cannot tell its effect from demand that spend may follow."""


def give_advice(
    gains: Gains, candidate: Array, against: Comparison, settings: OptimizerSpec, *, kpi: float
) -> tuple[Advice, str]:
    """Decide whether to follow an optimized plan, and say why.

    ``kpi`` is that of the reference window, in the unit of the gain: what a gain is held against.
    """
    prob = float((gains.gain > 0).mean())
    mean = float(gains.gain.mean())
    moved = float(np.abs(candidate - against.money).sum())
    if moved < SMALLEST_PLAN * max(float(against.money.sum()), 1e-300):
        return Advice.WITHHELD, (
            f"Within the bounds nothing is better than {against.words}; change nothing."
        )
    threshold = format_probability(settings.min_prob_gain)
    verb = "gains" if mean >= 0 else "loses"
    gained = f"{verb} {format_number(abs(mean))} on average against {against.words}"
    if prob < settings.min_prob_gain:
        return Advice.WITHHELD, (
            f"The plan that is best by {settings.utility} {gained}, and gains anything at all only "
            f"with a probability of {format_probability(prob)}; advice needs {threshold}. Spend as "
            "today."
        )
    if mean < settings.min_gain_share * kpi:
        return Advice.WITHHELD, (
            f"The plan that is best by {settings.utility} {gained}, {mean / kpi:.2%} of the KPI: "
            f"not worth the move (optimizer.min_gain_share is {settings.min_gain_share:.2%}). "
            "Spend as today."
        )
    return Advice.FOLLOW, (
        f"It {gained}, and gains anything at all with a probability of {format_probability(prob)} "
        f"(advice needs {threshold})."
    )


def act_on(facts: ChannelFacts, advice: Advice, return_word: str) -> tuple[Action, str]:
    """Return what to do with one channel, and the reason in one sentence."""
    action = _direction(facts.planned, facts.current)
    if advice is Advice.EVALUATED:
        return action, f"As the plan file has it; {_next_percent(facts, return_word)}."
    if facts.prior_driven:
        return action, (
            "The data did not decide this channel, so no money is moved on it: a lift test would "
            "tell."
        )
    if facts.unclear:
        return action, (
            "No effect of this channel can be told from none, so no money is moved on it: a lift "
            "test would tell."
        )
    if facts.confounded:
        return action, (
            "Its effect cannot be told from demand that its spend may follow, so no money is moved "
            "on it: a lift test would tell."
        )
    if advice is Advice.WITHHELD:
        wanted = _direction(facts.candidate, facts.current)
        leaning = "" if wanted is Action.HOLD else f" (the best plan would {wanted.lower()} it)"
        return action, f"Advice is withheld{leaning}; {_next_percent(facts, return_word)}."
    return action, f"{_because(action, facts, return_word)}{_bound(action, facts)}."


def collect_flags(
    *,
    certificate: MultiStartAgreement | None,
    beyond: dict[str, float],
    unmoved: list[str],
    unclear: list[str],
    confounded: list[str],
    history_periods: int,
    horizon: int,
) -> list[str]:
    """Return what a reader must know before acting.

    Parameters
    ----------
    multi-start agreement
        How many starts agree; None for a hand-written plan.
    beyond
        Channels whose candidate leaves the observed range, with candidate over the range's end.
    unmoved
        Channels that were held because the prior decided them.
    unclear
        Channels that were held because the data cannot tell their effect from none.
    confounded
        Channels that were held because the data cannot tell their effect from demand.
    history_periods, horizon
        Fitted periods and planned periods.
    """
    flags = []
    if certificate is not None and certificate.agree_share < FEW_AGREE:
        flags.append(
            f"Only {certificate.n_agree} of {certificate.n_starts} starts found this optimum; "
            "others ended lower."
        )
    for name, ratio in beyond.items():
        far = ratio > FAR_BEYOND or ratio < 1 / FAR_BEYOND
        flags.append(
            f"{name} leaves the range of spend that was observed"
            + (f", and far ({_how_far(ratio)})" if far else "")
            + "; the model extrapolates there."
        )
    if unmoved:
        flags.append(f"Not moved, because the data did not decide them: {', '.join(unmoved)}.")
    if unclear:
        flags.append(f"Not moved, because no effect can be told from none: {', '.join(unclear)}.")
    if confounded:
        flags.append(
            "Not moved, because their spend may follow demand, and their effect cannot be told "
            f"from it: {', '.join(confounded)}. A lift test on {confounded[0]}, which costs most "
            "of them, says most."
        )
    if history_periods < horizon:
        flags.append(
            f"Today's spend is that of {history_periods} periods, repeated over a horizon of "
            f"{horizon}."
        )
    return flags


def _how_far(ratio: float) -> str:
    return f"{ratio:.1f} times its end" if np.isfinite(ratio) else "nothing was ever spent there"


def _direction(planned: float, current: float) -> Action:
    if abs(planned - current) <= SMALL_MOVE * max(current, 1e-300):
        return Action.HOLD
    return Action.INCREASE if planned > current else Action.REDUCE


def _next_percent(facts: ChannelFacts, word: str) -> str:
    if facts.mroas_mean is None and facts.planned > 0:
        return "nothing is spent on it today; the plan reopens it, as it ran before"
    if facts.mroas_mean is None:
        return (
            "nothing is spent on it today, and what the model knows of when it ran does not make "
            "reopening it worth more than the other channels within the bounds"
        )
    return (
        f"the next percent of spend returns m{word} {format_ratio(facts.mroas_mean)} "
        f"({format_interval(facts.mroas_low, facts.mroas_high)})"
    )


def _because(action: Action, facts: ChannelFacts, word: str) -> str:
    here = _next_percent(facts, word)
    here = here[0].upper() + here[1:]
    if facts.mroas_mean is None or facts.elsewhere is None:
        return here
    there = format_ratio(facts.elsewhere)
    if action is Action.HOLD:
        return f"{here}, {there} elsewhere: no move is worth it"
    side = "more than" if facts.mroas_mean > facts.elsewhere else "less than"
    at_plan = ""
    if facts.mroas_candidate is not None:
        at_plan = f", and {format_ratio(facts.mroas_candidate)} at the planned spend"
    where = "added" if action is Action.REDUCE else "taken away"
    return f"{here}, {side} the {there} where money is {where}{at_plan}"


def _bound(action: Action, facts: ChannelFacts) -> str:
    """Say where a bound, not the optimum, decided."""
    slack = 1e-6 * max(facts.high, 1e-300)
    if action is Action.INCREASE and facts.candidate >= facts.high - slack:
        return "; the upper bound stops it here"
    if action is Action.REDUCE and facts.candidate <= facts.low + slack:
        return "; the lower bound stops it here"
    return ""
