"""What to do: the advice in words, its gain, and every channel with the reason."""

from collections.abc import Sequence
from typing import Any

from schemas.documents.plan import Action, Advice, Plan
from schemas.names import Artifact
from schemas.outcomes import Verdict
from schemas.spec.kpi import KpiKind
from schemas.words import (
    describe_against,
    format_compact,
    format_interval,
    format_probability,
    format_ratio,
    format_share,
)
from tasks.report.blocks import (
    Block,
    Card,
    Cards,
    Column,
    Items,
    Kind,
    Section,
    Table,
    Text,
)
from tasks.report.documents import ReportDocuments

TITLE = {
    Advice.FOLLOW: "Follow the plan",
    Advice.WITHHELD: "Keep spending as today",
    Advice.EVALUATED: "A plan written by hand, evaluated",
}
MAX_NAMES = 4
ADVICE_TONE = {Advice.FOLLOW: "good", Advice.WITHHELD: "care", Advice.EVALUATED: "plain"}


def advice_title(documents: ReportDocuments) -> str:
    """Name the advice in a few words."""
    plan = documents.plan
    if plan is not None and documents.verdict is not Verdict.FAIL:
        return TITLE[plan.advice]
    return "No new advice"


def advice_sentence(documents: ReportDocuments) -> str:
    """Say what to do in one or two sentences."""
    plan = documents.plan
    if documents.verdict is Verdict.FAIL:
        return f"The fit was rejected, so this run advises nothing. {_standing_plan(documents)}"
    if plan is None:
        return f"No budget plan was made in this run. {_standing_plan(documents)}"
    if plan.advice is not Advice.FOLLOW:
        return plan.reason
    gains = (
        f"{_moves(documents, plan)}: expected to gain {_gain(documents, plan)}, with a probability "
        f"of {format_probability(plan.prob_gain)} that it gains at all."
    )
    return f"{gains} {_against(documents)}".rstrip()


def _against(documents: ReportDocuments) -> str:
    return describe_against(documents.verdict, documents.diagnostics.get("reasons", []))


def _moves(documents: ReportDocuments, plan: Plan) -> str:
    """Say where to spend more and where less, without the gain."""
    reported = []
    for word, action in (("more", Action.INCREASE), ("less", Action.REDUCE)):
        names = [name for name, row in plan.channels.items() if row.action is action]
        if names:
            reported.append(f"{word} on {_listed(names)}")
    spend = ", and ".join(reported) or "as today"
    return f"Spend {spend} over the next {documents.period_words(plan.horizon)}"


def _listed(names: Sequence[str]) -> str:
    shown = [*names[:MAX_NAMES]]
    if len(names) > MAX_NAMES:
        shown.append(f"{len(names) - MAX_NAMES} more")
    return " and ".join(filter(None, [", ".join(shown[:-1]), shown[-1]]))


def _gain(documents: ReportDocuments, plan: Plan) -> str:
    return f"{format_compact(plan.gain_mean)} {_unit(documents, plan)}"


def _standing_plan(documents: ReportDocuments) -> str:
    before = documents.previous
    if before is None:
        return "There is no earlier accepted run either: spend as today."
    reported = f"The last accepted run is {before.record.run_id}"
    document = before.json(Artifact.PLAN)
    if document:
        return f"{reported}; its plan still holds ({TITLE[Advice(document['advice'])].lower()})."
    return f"{reported}; it has no plan, so spend as today."


def _unit(documents: ReportDocuments, plan: Plan) -> str:
    if plan.unit != "money":
        return f"of {plan.unit}"
    is_revenue = documents.words.kind is KpiKind.REVENUE
    return f"of {plan.kpi_name}" if is_revenue else f"of money ({plan.kpi_name})"


def advice_section(documents: ReportDocuments) -> Section:
    """Advice in words, the gain, channels with reasons, and what a reader must know."""
    plan = documents.plan
    if plan is None or documents.verdict is Verdict.FAIL:
        text = Text([advice_sentence(documents)], tone="care", title=advice_title(documents))
        return Section("advice", "What to do", [text])
    moves = [f"{_moves(documents, plan)}."] if plan.advice is Advice.FOLLOW else []
    blocks: list[Block] = [
        Text(
            [*moves, f"{plan.reason} {_against(documents)}".rstrip()],
            tone=ADVICE_TONE[plan.advice],
            title=TITLE[plan.advice],
        ),
        _gain_cards(documents, plan),
        plan_table(plan),
        *_notes(plan),
    ]
    lead = (
        f"For {plan.first_period} to {plan.last_period} "
        f"({documents.period_words(plan.horizon)}), found by {_utility_words(plan)}."
    )
    return Section("advice", "What to do", blocks, lead)


def _utility_words(plan: Plan) -> str:
    risk = format_share(plan.settings.risk_level)
    return {
        "mean": "what gains most on average",
        "var": f"what is exceeded in all but {risk} of cases (VaR)",
        "cvar": f"the average of the worst {risk} of cases (CVaR)",
        "sharpe": "gain against its own uncertainty (Sharpe)",
    }[plan.utility.value]


def _gain_cards(documents: ReportDocuments, plan: Plan) -> Cards:
    found = "found, not advised" if plan.advice is Advice.WITHHELD else "expected"
    budget = (
        f"today's, over {plan.horizon} periods"
        if abs(plan.budget - plan.current_budget) <= 1e-6 * max(plan.current_budget, 1.0)
        else f"today {format_compact(plan.current_budget)}"
    )
    cards = [
        Card(
            f"Gain, {found}",
            format_compact(plan.gain_mean),
            f"{_unit(documents, plan)}; 94 %: {format_compact(plan.gain_low)} to "
            f"{format_compact(plan.gain_high)}",
        ),
        Card("P(gain > 0)", format_probability(plan.prob_gain), _threshold(plan)),
        Card("Budget", format_compact(plan.budget), budget),
        Card("Expected regret", format_compact(plan.expected_regret), "mean loss where it loses"),
    ]
    if plan.return_mean is not None:
        cards.append(Card(plan.return_word, format_ratio(plan.return_mean), "of the plan"))
    return Cards(cards)


def _threshold(plan: Plan) -> str:
    return f"advice is given from {format_probability(plan.settings.min_prob_gain)}"


def plan_table(plan: Plan) -> Table:
    """One row per channel: action, spend, bounds, the next unit's return, the reason."""
    columns = [
        Column("Channel", Kind.TEXT, "channel of the plan"),
        Column("Do", Kind.MARK, "INCREASE, HOLD or REDUCE"),
        Column("Current", Kind.NUMBER, "spend of as many periods before the horizon", "money"),
        Column("Planned", Kind.NUMBER, "advised spend over the horizon", "money"),
        Column("Change", Kind.CHANGE, "planned against current"),
        Column("Next unit returns", Kind.RATIO, f"{plan.return_word} of the next percent", ""),
        Column("94 %", Kind.INTERVAL, "94 % interval of the next unit's return"),
        Column("Why", Kind.LONG, "reason with the numbers behind it"),
    ]
    rows: list[list[Any]] = []
    for name, row in plan.channels.items():
        change = row.planned / row.current - 1 if row.current > 0 else None
        rows.append(
            [
                name, row.action.value, row.current, row.planned, change,
                row.mroas_mean, format_interval(row.mroas_low, row.mroas_high),
                row.reason,
            ]
        )  # fmt: skip
    return Table("plan", Artifact.PLAN, columns, rows)


def _notes(plan: Plan) -> list[Block]:
    blocks: list[Block] = []
    if plan.flags:
        blocks.append(Items("Know before you act", plan.flags))
    if plan.not_planned:
        reported = [f"{name}: {reason}" for name, reason in plan.not_planned.items()]
        blocks.append(Items("Not part of the plan", reported))
    if plan.groups:
        blocks.append(_groups_table(plan))
    if plan.certificate is not None:
        found = plan.certificate
        blocks.append(
            Text(
                [
                    f"{found.n_agree} of {found.n_starts} starts of the optimizer "
                    f"({found.method}) end at the same best plan."
                ],
                tone="quiet",
            )
        )
    return blocks


def _groups_table(plan: Plan) -> Table:
    columns = [
        Column("Group", Kind.TEXT, "group of channels with a common bound"),
        Column("Channels", Kind.LONG, "members"),
        Column("Current", Kind.NUMBER, "spend today", "money"),
        Column("Found", Kind.NUMBER, "spend of the plan that was found", "money"),
        Column("At least", Kind.NUMBER, "lower bound", "money"),
        Column("At most", Kind.NUMBER, "upper bound", "money"),
    ]
    rows = [
        [g.name, ", ".join(g.channels), g.current, g.candidate, g.low, g.high] for g in plan.groups
    ]
    return Table("plan_groups", Artifact.PLAN, columns, rows)
