"""The plan as a picture: what each channel gets today, and what it would get."""

import plotly.graph_objects as go

from schemas.documents.plan import Advice, Plan
from schemas.names import Artifact
from tasks.report.blocks import Column, Figure, Kind, Table
from tasks.report.documents import ReportDocuments
from tasks.report.look import (
    BLUE,
    ORANGE,
    PALE,
    digits,
    distinct_labels,
    draw,
    names_axis,
    rows_height,
)


def plan_figure(documents: ReportDocuments, plan: Plan) -> Figure:
    """Bars of planned against current spend."""
    withheld = plan.advice is Advice.WITHHELD
    names = documents.in_order(plan.channels)
    labels = distinct_labels(names, lines=2)
    rows = [plan.channels[name] for name in names]
    second = ("found, not advised", "candidate") if withheld else ("planned", "planned")
    moved = [getattr(row, second[1]) for row in rows]
    height = rows_height(len(rows), per_row=46)
    chart = draw(
        [
            go.Bar(
                orientation="h", y=labels, x=digits(moved), name=second[0],
                marker={"color": ORANGE if withheld else BLUE},
                text=[_change(row.current, value) for row, value in zip(rows, moved, strict=True)],
                textposition="outside", cliponaxis=False,
                hovertemplate=f"%{{y}}, {second[0]}: %{{x:,.3s}}<extra></extra>",
            ),
            go.Bar(
                orientation="h", y=labels, x=digits(row.current for row in rows), name="current",
                marker={"color": PALE, "pattern": {"shape": "/", "fgcolor": "#8894a0", "size": 6}},
                hovertemplate="%{y}, current: %{x:,.3s}<extra></extra>",
            ),
        ],
        height=height,
        barmode="group",
        bargap=0.35,
        legend={"traceorder": "reversed"},
        margin={"r": 60},
        xaxis={"title": {"text": f"{documents.words.money} over the horizon"}, "nticks": 5},
        yaxis=names_axis(labels),
    )  # fmt: skip
    money = documents.words.money
    caption = (
        f"{money.capitalize() if money == 'money' else money} over "
        f"{documents.period_words(plan.horizon)}; the percentage is the change."
    )
    return Figure(
        "plan", "Current and planned", caption, chart, height, _plan_numbers(documents, plan)
    )


def _change(current: float, planned: float) -> str:
    return f"{planned / current - 1:+.0%}" if current > 0 else "new"


def _plan_numbers(documents: ReportDocuments, plan: Plan) -> Table:
    money = documents.words.money
    columns = [
        Column("Channel", Kind.TEXT, "channel of the plan"),
        Column("Current", Kind.NUMBER, "spend of as many periods before the horizon", money),
        Column("Planned", Kind.NUMBER, "advised spend over the horizon", money),
        Column("Found", Kind.NUMBER, "what the optimizer found, advised or not", money),
        Column("At least", Kind.NUMBER, "lower bound of the optimizer", money),
        Column("At most", Kind.NUMBER, "upper bound of the optimizer", money),
        Column("Observed from", Kind.NUMBER, "least spend seen, times the periods", money),
        Column("Observed to", Kind.NUMBER, "most spend seen, times the periods", money),
    ]
    rows = [
        [
            name,
            row.current,
            row.planned,
            row.candidate,
            row.low,
            row.high,
            row.observed_low,
            row.observed_high,
        ]
        for name in documents.in_order(plan.channels)
        for row in [plan.channels[name]]
    ]
    return Table("plan_spend", Artifact.PLAN, columns, rows)
