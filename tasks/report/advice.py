"""What to do: the advice in words, its gain, and every channel with the reason."""

from datetime import date
from typing import Any

from schemas.documents.plan import Advice, Plan
from schemas.names import Artifact
from schemas.outcomes import Verdict
from schemas.words import (
    format_compact,
    format_day,
    format_interval,
    format_probability,
    format_ratio,
    format_share,
)
from tasks.report.blocks import Block, Card, Cards, Column, Fold, Items, Kind, Section, Table, Text
from tasks.report.decision import (
    Holds,
    budget_sentence,
    decision_sentence,
    decision_title,
    gain_unit,
    what_holds,
)
from tasks.report.documents import ReportDocuments
from tasks.report.planned import plan_figure


def advice_section(documents: ReportDocuments) -> Section:
    """Advice in words, the gain, channels with reasons, and what a reader must know."""
    plan, holds = documents.plan, what_holds(documents)
    title = "What to do"
    said = [decision_sentence(documents), budget_sentence(documents)]
    if plan is None or documents.verdict is Verdict.FAIL:
        text = Text([*filter(None, said)], tone="care", title=decision_title(documents))
        return Section("advice", title, [text])
    panel = Text([*filter(None, said)], tone="care", title=decision_title(documents))
    own: list[Block] = [_gain_cards(documents, plan), plan_table(documents), *_notes(documents)]
    # The first screen has said it; here the numbers behind it follow at once.
    blocks: list[Block] = (
        own
        if holds is Holds.THIS
        else [panel, Fold("What this run would plan, were it accepted", own)]
    )
    lead = (
        f"For {_day(plan.first_period)} to {_day(plan.last_period)} "
        f"({documents.period_words(plan.horizon)}), found by {_utility_words(plan)}."
    )
    return Section("advice", title, blocks, lead)


def _day(text: str) -> str:
    return format_day(date.fromisoformat(text))


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
        f"today's, over {documents.period_words(plan.horizon)}"
        if abs(plan.budget - plan.current_budget) <= 1e-6 * max(plan.current_budget, 1.0)
        else f"today {format_compact(plan.current_budget)}"
    )
    cards = [
        Card(
            f"Gain, {found}",
            format_compact(plan.gain_mean),
            f"{gain_unit(plan, documents)}; 94 %: {format_compact(plan.gain_low)} to "
            f"{format_compact(plan.gain_high)}",
        ),
        Card("Chance that it gains", format_probability(plan.prob_gain), _threshold(plan)),
        Card("Budget", format_compact(plan.budget), budget),
        Card(
            "Average loss", format_compact(plan.expected_regret), "over all cases; a gain is none"
        ),
    ]
    if plan.last_money_mean is not None:
        cards.append(
            Card(
                "The last money returns",
                format_ratio(plan.last_money_mean),
                f"94 %: {format_interval(plan.last_money_low, plan.last_money_high)}; break-even "
                f"{plan.settings.target_return:g}",
            )
        )
    return Cards(cards)


def _threshold(plan: Plan) -> str:
    return f"money is moved from {format_probability(plan.settings.min_prob_gain)}"


def plan_table(documents: ReportDocuments) -> Table:
    """One row per channel: action, spend, bounds, the next unit's return, the reason."""
    plan = documents.plan
    if plan is None:
        raise ValueError("a table of the plan needs plan.json")
    money, coming = documents.words.money, documents.coming_words
    columns = [
        Column("Channel", Kind.TEXT, "channel of the plan"),
        Column("Do", Kind.MARK, "INCREASE, HOLD or REDUCE"),
        Column(f"Spend, {documents.today_words}", Kind.NUMBER, "today's spend", money),
        Column(f"Planned, {coming}", Kind.NUMBER, "advised spend over the horizon", money),
        Column("Change", Kind.CHANGE, "planned against today"),
        Column(
            f"Next money returns, {coming}", Kind.RATIO,
            f"{plan.return_word} of the next percent of today's spend",
        ),
        Column("94 %", Kind.INTERVAL, "94 % interval of the next money's return"),
        Column("Why", Kind.LONG, "reason with the numbers behind it"),
    ]  # fmt: skip
    rows: list[list[Any]] = []
    for name in documents.in_order(plan.channels):
        row = plan.channels[name]
        change = row.planned / row.current - 1 if row.current > 0 else None
        rows.append(
            [
                name, row.action.value, row.current, row.planned, change,
                row.mroas_mean, format_interval(row.mroas_low, row.mroas_high),
                row.reason,
            ]
        )  # fmt: skip
    return Table("plan", Artifact.PLAN, columns, rows)


def _notes(documents: ReportDocuments) -> list[Block]:
    plan = documents.plan
    if plan is None:
        return []
    blocks: list[Block] = []
    against = [why for model in plan.models for why in model.against]
    if against:
        blocks.append(Items("What stands against it", against))
    unplanned = [f"Not planned, {name}: {reason}." for name, reason in plan.not_planned.items()]
    if known := [*plan.flags, *unplanned]:
        blocks.append(Items("Know before you act", known))
    if plan.groups:
        blocks.append(_groups_table(plan))
    return [*blocks, Fold("Bounds, and how the plan was searched", _search(documents, plan))]


def _search(documents: ReportDocuments, plan: Plan) -> list[Block]:
    blocks: list[Block] = [Text([plan.reason], tone="quiet"), plan_figure(documents, plan)]
    if plan.certificate is not None:
        found = plan.certificate
        agree = (
            f"{found.n_agree} of {found.n_starts} starts of the optimizer ({found.method}) end at "
            "the same best plan."
        )
        blocks.append(Text([agree], tone="quiet"))
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
