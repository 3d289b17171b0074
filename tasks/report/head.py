"""The first screen: the verdict, what to do, what happened, and every channel."""

from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

from schemas.documents.plan import Advice
from schemas.names import Artifact
from schemas.words import TONE, VERDICT_TITLE, format_day, format_interval, format_share
from tasks.report.blocks import Column, Figure, Grid, Kind, Table
from tasks.report.curves import small_curves
from tasks.report.decision import (
    Holds,
    budget_sentence,
    decision_sentence,
    decision_title,
    moves_money,
    verdict_sentence,
    what_holds,
)
from tasks.report.documents import ReportDocuments
from tasks.report.lately import sentences
from tasks.report.look import (
    BLUE,
    PALE,
    digits,
    distinct_labels,
    draw,
    names_axis,
    rows_height,
)
from tasks.report.today import ChannelToday, channels_today, period_of

MAX_SHARES = 8
"""Channels in the picture of shares; the rest is one bar."""


@dataclass(frozen=True)
class Head:
    """What the first screen says."""

    dataset_id: str
    subtitle: str
    verdict: str
    verdict_title: str
    verdict_sentence: str
    standing: str
    tone: str
    reasons: list[str]
    notes: list[str]
    decision_title: str
    decision_sentence: str
    budget_sentence: str
    sentences: list[str]
    shares: Figure | None
    curves: Grid | None
    is_planned: bool
    """Whether the curves have this run's plan on them."""
    channels: Table | None


def build_head(documents: ReportDocuments) -> Head:
    """Return what the first screen says."""
    verdict = documents.verdict
    judged = documents.diagnostics
    reasons = list(judged.reasons) if judged else []
    if not reasons and documents.run.record.reason:
        reasons = [documents.run.record.reason]
    return Head(
        dataset_id=documents.spec.dataset_id,
        subtitle=_subtitle(documents),
        verdict=verdict.value,
        verdict_title=VERDICT_TITLE[verdict],
        verdict_sentence=verdict_sentence(documents),
        standing=_standing_sentence(documents),
        tone=TONE[verdict],
        reasons=reasons,
        notes=list(judged.notes) if judged else [],
        decision_title=decision_title(documents),
        decision_sentence=decision_sentence(documents),
        budget_sentence=budget_sentence(documents),
        sentences=sentences(documents),
        shares=shares_figure(documents),
        curves=small_curves(documents),
        is_planned=_is_planned(documents),
        channels=channels_table(documents),
    )


def _is_planned(documents: ReportDocuments) -> bool:
    plan = documents.plan
    if plan is None or what_holds(documents) is not Holds.THIS:
        return False
    return plan.advice is Advice.FOLLOW and moves_money(plan)


def _standing_sentence(documents: ReportDocuments) -> str:
    standing = documents.standing
    return f"Champion stays {standing}." if standing else ""


def _subtitle(documents: ReportDocuments) -> str:
    reported = []
    if documents.kpi is not None:
        last = documents.kpi.index[-1]
        made = documents.run.record.created_at
        age = (made.date() - last.date()).days
        word = documents.grain.word
        reported.append(f"Data up to the {word} of {format_day(last)}")
        if age > 60:
            months, years = round(age / 30.4), round(age / 365.25)
            passed = f"{months} months" if months < 24 else f"{years} years"
            reported[-1] += f", {passed} before this run"
    reported.append(f"KPI: {documents.words.unit_of_kpi}")
    currency = documents.spec.kpi.currency
    reported.append(f"money in {currency}" if currency else "money in the currency of the data")
    if documents.is_panel:
        reported.append(f"{len(documents.entities)} entities")
    return " · ".join(reported)


def shares_figure(documents: ReportDocuments) -> Figure | None:
    """Share of spend beside share of effect, channel by channel."""
    rows = [row for row in channels_today(documents) if row.effect_share is not None]
    if not rows or all(row.spend_share is None for row in rows):
        return None
    table = _shares_table(documents, rows)
    shown, small = rows[:MAX_SHARES], rows[MAX_SHARES:]
    names = [row.name for row in shown] + [f"{len(small)} more"] * bool(small)
    pairs = [(row.spend_share or 0.0, row.effect_share or 0.0) for row in shown]
    if small:
        pairs.append(
            (sum(r.spend_share or 0.0 for r in small), sum(r.effect_share or 0.0 for r in small))
        )
    labels = distinct_labels(names, lines=2)
    height = rows_height(len(labels), per_row=42, extra=60)
    chart = draw(
        [
            go.Bar(
                orientation="h", y=labels, x=digits(values), name=name, marker=marker,
                text=[format_share(v) if v else "" for v in values],
                textposition="outside", cliponaxis=False,
                hovertemplate="%{y}: %{x:.1%}<extra></extra>",
            )
            # Plotly draws the first trace of a group lowest.
            for values, name, marker in (
                ([e for _, e in pairs], "share of effect", {"color": BLUE}),
                (
                    [s for s, _ in pairs],
                    "share of spend",
                    {"color": PALE, "pattern": {"shape": "/", "fgcolor": "#8894a0", "size": 6}},
                ),
            )
        ],
        height=height,
        barmode="group",
        bargap=0.3,
        showlegend=True,
        legend={"traceorder": "reversed"},
        margin={"r": 56},
        xaxis={"tickformat": ".0%", "nticks": 5},
        yaxis=names_axis(labels),
    )  # fmt: skip
    named = f" {len(small)} more: {', '.join(row.name for row in small)}." if small else ""
    return Figure(
        "shares",
        f"Share of spend and of effect, {period_of(documents)}",
        f"A channel whose blue bar is longer returns more than the average.{named}",
        chart,
        height,
        table,
    )


def _shares_table(documents: ReportDocuments, rows: list[ChannelToday]) -> Table:
    words = documents.words
    columns = [
        Column("Channel", Kind.TEXT, "channel of the run spec"),
        Column("Spend", Kind.NUMBER, f"money spent, {period_of(documents)}", words.money),
        Column("Share of spend", Kind.SHARE, "of all channels"),
        Column("Effect", Kind.NUMBER, "KPI due to the channel, posterior mean", words.unit),
        Column("94 % from", Kind.NUMBER, "lower end of the 94 % interval", words.unit),
        Column("94 % to", Kind.NUMBER, "upper end of the 94 % interval", words.unit),
        Column("Share of effect", Kind.SHARE, "of all channels"),
    ]
    cells = [[r.name, r.spend, r.spend_share, *r.contribution, r.effect_share] for r in rows]
    return Table("shares", Artifact.CHANNEL_EFFECTS, columns, cells)


def channels_table(documents: ReportDocuments) -> Table | None:
    """The table of the first screen: what each channel brought and returned, and gets next."""
    rows = channels_today(documents)
    if not rows:
        return None
    words, period = documents.words, period_of(documents)
    is_planned = documents.plan is not None and what_holds(documents) is Holds.THIS
    columns = [Column("Channel", Kind.TEXT, "channel of the run spec")]
    if is_planned:
        columns += [
            Column("Do", Kind.MARK, "INCREASE, HOLD or REDUCE"),
            Column(f"Planned, {documents.coming_words}", Kind.NUMBER, "advised", words.money),
        ]
    columns += [
        Column(f"Spend, {period}", Kind.NUMBER, "money spent", words.money),
        Column(f"Brought, {period}", Kind.NUMBER, "KPI due to the channel", words.unit),
        Column(f"{words.title}, {period}", Kind.RATIO, "posterior mean"),
        Column("94 %", Kind.INTERVAL, "94 % interval of the return"),
        Column("Decided by", Kind.TEXT, "the data, or assumptions made before"),
    ]
    cells = [
        [
            row.name, *(_planned(documents, row.name) if is_planned else []), row.spend,
            row.contribution[0], row.returned[0], format_interval(*row.returned[1:]),
            row.decided.value,
        ]
        for row in rows
    ]  # fmt: skip
    return Table(
        "head",
        f"{Artifact.CHANNEL_EFFECTS}, {Artifact.PLAN}, {Artifact.ROI_METRICS}",
        columns,
        cells,
    )


def _planned(documents: ReportDocuments, channel: str) -> list[Any]:
    row = documents.plan.channels.get(channel) if documents.plan else None
    return [row.action.value, row.planned] if row else [None, None]
