"""Numbers of the budget page: the headline of a plan by hand, its channels, saved plans."""

from collections.abc import Sequence
from typing import NamedTuple

from flows.web.rendering import address
from flows.web.tables import Column, Kind, Table
from schemas.answers.plans import PlanDesk, PlanEvaluation
from schemas.answers.scenarios import MadeBy, Scenario
from schemas.spec.optimizer import Utility
from schemas.words import (
    format_change,
    format_compact,
    format_probability,
    format_ratio,
    format_share,
)
from tasks.query.plans import SavedPlan

UTILITY_WORDS = {
    Utility.MEAN: "the average outcome",
    Utility.VAR: "the outcome that is exceeded in all but the worst cases",
    Utility.CVAR: "the average of the worst cases",
    Utility.SHARPE: "the outcome per unit of its uncertainty",
}
"""What a plan may make large, in words."""
AS_USUAL = "Business as usual"
_MADE_BY = {
    MadeBy.PLAN: "optimizer, asked by a person",
    MadeBy.WHAT_IF: "by hand",
    MadeBy.REFIT: "weekly refit",
}


class Number(NamedTuple):
    """One headline number."""

    label: str
    value: str
    note: str


class SavedRow(NamedTuple):
    """One saved plan in the list."""

    scenario: Scenario
    made_by: str
    gain: str
    interval: str
    chance: str
    href: str


def headline(desk: PlanDesk, judged: PlanEvaluation) -> list[Number]:
    """Return what a plan by hand comes to."""
    unit = f" {desk.kpi_name}"
    moved = format_change(judged.budget, judged.current_budget)
    is_bad = judged.utility in (Utility.VAR, Utility.CVAR)
    bad = f", worst {format_share(judged.risk_level)}" if is_bad else ""
    returned = "" if judged.return_mean is None else (
        f"; {desk.return_word} {format_ratio(judged.return_mean)}"
    )  # fmt: skip
    return [
        Number("Gain against the same money in today's mix",
               format_compact(judged.gain_mean) + unit,
               f"94 %: {_span(judged.gain_low, judged.gain_high)}"),
        Number("Chance that it gains",
               # What moves nothing has nothing to gain.
               "–" if judged.gain_low == judged.gain_high == 0
               else format_probability(judged.prob_gain),
               f"mean loss where it loses {format_compact(judged.expected_regret)}"),
        Number("Against today's spend", format_compact(judged.change_mean) + unit,
               f"94 %: {_span(judged.change_low, judged.change_high)}"),
        Number("Budget", format_compact(judged.budget),
               f"today {format_compact(judged.current_budget)}" + (f", {moved}" if moved else "")),
        Number("Brings in all", format_compact(judged.incremental_mean) + unit,
               f"94 %: {_span(judged.incremental_low, judged.incremental_high)}{returned}"),
        Number(f"Utility: {judged.utility}{bad}", _utility(judged.utility, judged.utility_value),
               f"today's mix of the same money {_utility(judged.utility, judged.utility_rival)}"),
    ]  # fmt: skip


def evaluated(desk: PlanDesk, judged: PlanEvaluation) -> Table:
    """Return a plan by hand channel by channel."""
    columns = [
        Column("Channel"), Column("Today", Kind.COMPACT), Column("This plan", Kind.COMPACT),
        Column("Change"), Column("Brings today", Kind.COMPACT),
        Column("Brings in this plan", Kind.COMPACT), Column("94 %"),
        Column(f"Next money: {desk.return_word}", Kind.RATIO), Column("Note", Kind.LONG),
    ]  # fmt: skip
    rows = [
        (
            name, row.current, row.planned, format_change(row.planned, row.current),
            row.brings_today, row.brings_mean, _span(row.brings_low, row.brings_high),
            row.next_return,
            _note(is_held=desk.channels[name].is_held, is_beyond=row.is_beyond_observed),
        )
        for name, row in judged.channels.items()
    ]  # fmt: skip
    note = (
        f"Money over {desk.horizon} periods, {desk.first_period} to {desk.last_period}; what it "
        "brings includes carryover after them."
    )
    return Table("this plan by channel", columns, rows, note)


def by_channel(judged: PlanEvaluation) -> Table:
    """Return the numbers of the figure: what each channel brings."""
    columns = [
        Column("Channel"), Column("Brings today", Kind.COMPACT),
        Column("Brings in this plan", Kind.COMPACT), Column("94 % from", Kind.COMPACT),
        Column("94 % to", Kind.COMPACT),
    ]  # fmt: skip
    rows = [
        (name, row.brings_today, row.brings_mean, row.brings_low, row.brings_high)
        for name, row in judged.channels.items()
    ]
    return Table("what each channel brings", columns, rows)


def saved(scenarios: Sequence[Scenario], dataset_id: str) -> list[SavedRow]:
    """Return saved plans, newest first, each with the way to its sliders."""
    return [
        SavedRow(
            each,
            _MADE_BY[each.made_by],
            format_compact(each.gain_mean),
            _span(each.gain_low, each.gain_high),
            format_probability(each.prob_gain),
            address("/budget", dataset_id=dataset_id, plan=each.scenario_id),
        )
        for each in scenarios
    ]


def compared(found: Sequence[SavedPlan]) -> list[Table]:
    """Return plans side by side: what each comes to, and its money by channel."""
    names = [s.scenario.name if s.scenario.has_name else s.scenario.scenario_id for s in found]
    heads = [AS_USUAL, *names]
    first = found[0].plan
    facts: list[tuple[str, list[str]]] = [
        ("Gain", ["0", *(format_compact(s.plan.gain_mean) for s in found)]),
        ("Gain, 94 %", ["–", *(_span(s.plan.gain_low, s.plan.gain_high) for s in found)]),
        ("Chance that it gains", ["–", *(format_probability(s.plan.prob_gain) for s in found)]),
        ("Against today's spend", ["0", *(format_compact(s.plan.change_mean) for s in found)]),
        ("Budget", [format_compact(v) for v in
                    (first.current_budget, *(s.plan.budget for s in found))]),
        ("Advice", ["–", *(s.plan.advice.value for s in found)]),
        ("Periods", ["–", *(f"{s.plan.first_period}, {s.plan.horizon}" for s in found)]),
        ("Run", ["–", *(", ".join(m.run_id for m in s.plan.models) for s in found)]),
    ]  # fmt: skip
    channels = dict.fromkeys(name for s in found for name in s.plan.channels)
    money = [
        (
            name,
            first.channels[name].current if name in first.channels else None,
            *(s.plan.channels[name].candidate if name in s.plan.channels else None for s in found),
        )
        for name in channels
    ]
    return [
        Table("what the plans come to", [Column("")] + [Column(h) for h in heads],
              [(label, *values) for label, values in facts],
              "A gain is against the same money in today's mix."),
        Table("money by channel", [Column("Channel")] + [Column(h, Kind.COMPACT) for h in heads],
              money, "Money over the horizon; business as usual is that of the first plan."),
    ]  # fmt: skip


def _span(low: float | None, high: float | None) -> str:
    if low is None or high is None:
        return "–"
    return f"{format_compact(low)} to {format_compact(high)}"


def _utility(utility: Utility, value: float) -> str:
    return format_ratio(value) if utility is Utility.SHARPE else format_compact(value)


def _note(*, is_held: bool, is_beyond: bool) -> str | None:
    notes = ["beyond what was ever observed"] if is_beyond else []
    notes += ["the data cannot tell what it does"] if is_held else []
    return "; ".join(notes) or None
