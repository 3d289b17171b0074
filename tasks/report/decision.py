"""What holds after this run: its own plan, the champion's, or no decision. Words for it."""

from collections.abc import Sequence
from enum import StrEnum

from schemas.documents.plan import Action, Advice, Plan
from schemas.outcomes import Verdict
from schemas.words import (
    describe_against,
    format_compact,
    format_interval,
    format_probability,
    format_ratio,
    format_share,
)
from tasks.report.documents import ReportDocuments
from tasks.report.today import Decided, channels_today
from tasks.report.words import GATES, amiss_in_data

MAX_NAMES = 4
MAX_AMISS = 2
STILL = 0.02
"""A channel within this share of today's spend is not moved."""
MOSTLY = 0.5
"""Where more than this share of spend is on channels that data do not decide, that is said."""


class Holds(StrEnum):
    """Whose plan is to be acted on."""

    THIS = "this run's plan"
    CHAMPION = "the champion's plan"
    NOTHING = "no decision"


def what_holds(documents: ReportDocuments) -> Holds:
    """Decide once what every part of the page says: one plan is acted on, or none."""
    if documents.may_be_champion:
        return Holds.THIS
    return Holds.CHAMPION if documents.compared_champion else Holds.NOTHING


def decision_title(documents: ReportDocuments) -> str:
    """Name what to do in a few words."""
    holds, plan = what_holds(documents), documents.plan
    if holds is Holds.NOTHING:
        return f"No decision this {documents.period_words(1).split()[1]}"
    if holds is Holds.CHAMPION:
        return "Go by the champion’s plan"
    if plan is None:
        return "No new plan"
    return "Move money" if plan.advice is Advice.FOLLOW else "Keep the mix as it is"


def decision_sentence(documents: ReportDocuments) -> str:
    """Say what to do in one or two sentences, and what stands against it."""
    holds, plan = what_holds(documents), documents.plan
    if holds is Holds.NOTHING:
        rejected = documents.verdict is Verdict.FAIL
        why = "The fit was rejected" if rejected else "Nobody has accepted this run yet"
        return f"{why}, and there is no accepted plan before it: leave budgets as they are."
    if holds is Holds.CHAMPION:
        return _champion_sentence(documents)
    if plan is None:
        return "This run made no budget plan: leave budgets as they are."
    against = describe_against(documents.verdict, _amiss(documents))
    return f"{plan_sentence(plan, documents)} {against}{'.' if against else ''}".rstrip()


def plan_sentence(plan: Plan, documents: ReportDocuments) -> str:
    """Say what a plan asks for and what it would gain."""
    unit = gain_unit(plan, documents)
    gain, chance = format_compact(plan.gain_mean), format_probability(plan.prob_gain)
    if plan.advice is Advice.FOLLOW:
        return (
            f"Over the next {documents.period_words(plan.horizon)}, spend "
            f"{describe_moves(plan, documents)}. Expected gain: {gain} {unit}; the chance that it "
            f"gains at all is {chance}."
        )
    if plan.advice is Advice.EVALUATED:
        return f"A plan written by hand: {gain} {unit} against {plan.gain_against}."
    if not moves_money(plan):
        return f"Within the bounds nothing is better than {plan.gain_against}."
    if plan.prob_gain < plan.settings.min_prob_gain:
        return (
            f"The best plan found within the bounds gains with a chance of only {chance}; moving "
            f"money takes {format_probability(plan.settings.min_prob_gain)}."
        )
    return f"The best plan found within the bounds gains {gain} {unit}: not worth the move."


def moves_money(plan: Plan) -> bool:
    """Say whether what the optimizer found differs from today's spend, advised or not."""
    rows = plan.channels.values()
    return any(abs(row.candidate - row.current) > STILL * row.current for row in rows)


def _champion_sentence(documents: ReportDocuments) -> str:
    champion = documents.compared_champion
    name = champion.name if champion else "the champion"
    plan = documents.champion.plan if documents.champion else None
    why = "was rejected" if documents.verdict is Verdict.FAIL else "waits for someone to accept it"
    if plan is None:
        return f"This run {why}; {name} holds, and it has no plan: leave budgets as they are."
    if plan.advice is Advice.FOLLOW:
        says = f"its plan from {plan.first_period} on: spend {describe_moves(plan, documents)}"
    else:
        says = "and its advice is to keep the mix as it is"
    against = " ".join(reason for model in plan.models for reason in model.against)
    return f"This run {why}. {name} holds, {says}. {against}".rstrip()


def describe_moves(plan: Plan, documents: ReportDocuments) -> str:
    """Say where to spend more and where less, in money, without the gain."""
    reported = []
    for word, action in (("more", Action.INCREASE), ("less", Action.REDUCE)):
        names = documents.in_order(n for n, row in plan.channels.items() if row.action is action)
        moved = [f"{n} ({_moved(plan, n)})" for n in names]
        if moved:
            reported.append(f"{word} on {listed(moved)}")
    return ", and ".join(reported) or "as today"


def _moved(plan: Plan, name: str) -> str:
    row = plan.channels[name]
    change = row.planned - row.current
    return f"{'+' if change > 0 else '-'}{format_compact(abs(change))}"


def listed(names: Sequence[str]) -> str:
    """Write names as a list in a sentence."""
    shown = [*names[:MAX_NAMES]]
    if len(names) > MAX_NAMES:
        shown.append(f"{len(names) - MAX_NAMES} more")
    return " and ".join(filter(None, [", ".join(shown[:-1]), shown[-1]])) if shown else ""


def gain_unit(plan: Plan, documents: ReportDocuments) -> str:
    """Unit of a gain, after its number."""
    if plan.unit != "money":
        return plan.unit
    return f"{documents.spec.kpi.currency or ''} of {plan.kpi_name}".strip()


def budget_sentence(documents: ReportDocuments) -> str:
    """Judge the size of the whole budget by what its last money returns; empty where unknown."""
    plan = _plan_that_holds(documents)
    if plan is None or plan.last_money_mean is None or plan.last_money_low is None:
        return ""
    if plan.unit != "money":
        return ""
    target, high = plan.settings.target_return, plan.last_money_high or plan.last_money_mean
    ends = format_interval(plan.last_money_low, plan.last_money_high)
    found = f"the last money returns {format_ratio(plan.last_money_mean)} (94 %: {ends})"
    against = f"break-even is {target:g}"
    if high < target:
        said = "The whole budget is too high"
    elif plan.last_money_low > target:
        said = "The whole budget could be higher"
    else:
        return f"The size of the whole budget cannot be called wrong: {found}, and {against}."
    return f"{said}: {found}, and {against}{_assumed(documents)}."


def _plan_that_holds(documents: ReportDocuments) -> Plan | None:
    holds = what_holds(documents)
    if holds is not Holds.CHAMPION:
        return documents.plan if holds is Holds.THIS else None
    return documents.champion.plan if documents.champion else None


def _assumed(documents: ReportDocuments) -> str:
    """Say how much of the spend rests on assumptions, where it is most of it."""
    share = sum(
        row.spend_share or 0.0
        for row in channels_today(documents)
        if row.decided in (Decided.PRIOR, Decided.UNCLEAR)
    )
    if share <= MOSTLY:
        return ""
    return f"; but for {format_share(share)} of the spend this is assumed, so test before you act"


def verdict_sentence(documents: ReportDocuments) -> str:
    """Say in one sentence whether the numbers can be used, and what is amiss."""
    verdict = documents.verdict
    amiss = _amiss(documents)
    if verdict is Verdict.PASS:
        return "Data and model passed every check: the numbers can be used."
    if verdict is Verdict.NOT_EVALUATED:
        return "This run was not judged: do not act on its numbers."
    more = f", and {len(amiss) - MAX_AMISS} more" if len(amiss) > MAX_AMISS else ""
    what = "; ".join(amiss[:MAX_AMISS]) + more or "see the checks below"
    if verdict is Verdict.FAIL:
        return f"The fit was rejected: {what}. Its numbers help to find the cause, not to act."
    return f"Fitted, but look at this before you rely on it: {what}."


def _amiss(documents: ReportDocuments) -> list[str]:
    """What did not pass, in plain words: the worst gates first, then the data."""
    severe = {Verdict.FAIL: 0, Verdict.REVIEW: 1, Verdict.NOT_EVALUATED: 2}
    gates = sorted(
        (gate for gate in documents.gates if gate.verdict in severe),
        key=lambda gate: severe[gate.verdict],
    )
    found = [GATES[g.gate].amiss if g.gate in GATES else "a check did not pass" for g in gates]
    layers = documents.validation.layers if documents.validation else {}
    doubtful = [
        finding.rule
        for layer in layers.values()
        for finding in layer.findings
        if finding.verdict in (Verdict.REVIEW, Verdict.FAIL)
    ]
    return list(dict.fromkeys([*found, *(amiss_in_data(rule) for rule in doubtful)]))
