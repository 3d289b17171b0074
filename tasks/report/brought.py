"""What each channel brought in the last horizon, beside a year before."""

from typing import TYPE_CHECKING

import plotly.graph_objects as go

from schemas.names import Artifact
from schemas.words import format_compact
from tasks.report.blocks import Column, Figure, Kind, Table
from tasks.report.documents import ReportDocuments
from tasks.report.lately import channel_totals, year_before
from tasks.report.look import (
    BLUE,
    PALE,
    digits,
    distinct_labels,
    draw,
    label,
    names_axis,
    rows_height,
)

if TYPE_CHECKING:
    import pandas as pd


def lately_figure(documents: ReportDocuments) -> Figure | None:
    """Bars of what each channel brought in the last horizon, and a year before."""
    n = documents.n_recent
    lately = channel_totals(documents, slice(-n, None))
    if lately is None or not len(lately):
        return None
    places = year_before(documents, n)
    before = channel_totals(documents, places) if places is not None else None
    labels = distinct_labels(lately.index, lines=2)
    # Plotly draws the first trace of a group lowest.
    traces = [
        go.Bar(
            orientation="h", y=labels, x=digits(lately), name=documents.today_words,
            marker={"color": BLUE},
            text=[format_compact(v) for v in lately], textposition="outside", cliponaxis=False,
            hovertemplate="%{y}: %{x:,.3s}<extra></extra>",
        )
    ]  # fmt: skip
    if before is not None:
        traces.insert(
            0,
            go.Bar(
                orientation="h", y=labels, x=digits(before.reindex(lately.index)),
                name="a year before",
                marker={"color": PALE, "pattern": {"shape": "/", "fgcolor": "#8894a0", "size": 6}},
                hovertemplate="%{y}, a year before: %{x:,.3s}<extra></extra>",
            ),
        )  # fmt: skip
    height = rows_height(len(lately), per_row=36)
    chart = draw(
        traces,
        height=height,
        barmode="group",
        bargap=0.35,
        showlegend=True,
        legend={"traceorder": "reversed"},
        margin={"r": 60},
        xaxis={"title": {"text": label(documents.words.unit_of_kpi)}, "nticks": 5},
        yaxis=names_axis(labels),
    )
    return Figure(
        "lately",
        f"What each channel brought, {documents.today_words}",
        "Carryover of earlier spend included.",
        chart,
        height,
        _lately_table(documents, lately, before),
    )


def _lately_table(
    documents: ReportDocuments, lately: "pd.Series[float]", before: "pd.Series[float] | None"
) -> Table:
    unit = documents.words.unit
    columns = [
        Column("Channel", Kind.TEXT, "channel of the run spec"),
        Column(documents.today_words.capitalize(), Kind.NUMBER, "contribution, summed", unit),
    ]
    if before is not None:
        columns.append(Column("A year before", Kind.NUMBER, "the same a year before", unit))
    rows = [
        [name, value, *([] if before is None else [before.get(name)])]
        for name, value in lately.items()
    ]
    return Table("contributions_lately", Artifact.CONTRIBUTIONS, columns, rows)
