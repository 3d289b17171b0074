"""A plan by hand as a picture: what each channel brings today, and what it would bring."""

import plotly.graph_objects as go

from schemas.answers.plans import PlanDesk, PlanEvaluation
from tasks.report.blocks import Figure
from tasks.report.look import BLUE, PALE, digits, distinct_labels, draw, names_axis, rows_height


def by_hand_figure(desk: PlanDesk, evaluation: PlanEvaluation) -> Figure | None:
    """Bars of what channels bring, with the interval of the plan; None where parts are unknown."""
    rows = {
        name: row
        for name, row in evaluation.channels.items()
        if row.brings_mean is not None and row.brings_low is not None
        and row.brings_high is not None
    }  # fmt: skip
    if not rows:
        return None
    labels = distinct_labels(rows, lines=2)
    mean = [row.brings_mean or 0.0 for row in rows.values()]
    above = [(row.brings_high or 0.0) - (row.brings_mean or 0.0) for row in rows.values()]
    below = [(row.brings_mean or 0.0) - (row.brings_low or 0.0) for row in rows.values()]
    height = rows_height(len(rows), per_row=46)
    chart = draw(
        [
            go.Bar(
                orientation="h", y=labels, x=digits(mean), name="this plan",
                marker={"color": BLUE},
                error_x={
                    "type": "data", "symmetric": False, "thickness": 2, "width": 4,
                    "array": digits(above), "arrayminus": digits(below),
                },
                hovertemplate="%{y}, this plan: %{x:,.3s}<extra></extra>",
            ),
            go.Bar(
                orientation="h", y=labels, x=digits(row.brings_today for row in rows.values()),
                name="today",
                marker={"color": PALE, "pattern": {"shape": "/", "fgcolor": "#8894a0", "size": 6}},
                hovertemplate="%{y}, today: %{x:,.3s}<extra></extra>",
            ),
        ],
        height=height,
        barmode="group",
        bargap=0.35,
        legend={"traceorder": "reversed"},
        xaxis={"title": {"text": f"{desk.kpi_name}, carryover included"}, "nticks": 5,
               "rangemode": "tozero"},
        yaxis=names_axis(labels),
    )  # fmt: skip
    return Figure(
        "by-hand",
        "What each channel brings",
        f"{desk.first_period} to {desk.last_period}; lines are 94 % intervals.",
        chart,
        height,
    )
