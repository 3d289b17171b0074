"""What happened: the KPI over time, and what the last period was made of."""

from collections.abc import Sequence

import plotly.graph_objects as go

from schemas.names import Artifact, ComponentKind
from schemas.words import format_compact, format_day
from tasks.report.blocks import Block, Column, Figure, Kind, Row, Section, Table
from tasks.report.documents import ReportDocuments
from tasks.report.lately import component_totals
from tasks.report.look import (
    BLUE,
    GREY,
    INK,
    PALE,
    VERMILLION,
    days,
    digits,
    distinct_labels,
    draw,
    label,
    names_axis,
    rows_height,
)

PICTURE_HEIGHT = 270
MAX_PARTS = 7
"""Parts of the last period that have a bar; the rest is one bar."""


def happened_section(documents: ReportDocuments) -> Section | None:
    """KPI over time beside the waterfall of the last period."""
    if documents.kpi is None:
        return None
    blocks: list[Block] = [_kpi_figure(documents)]
    last = _last_figure(documents)
    if last is not None:
        blocks.append(last)
    return Section("happened", "What happened", [Row(blocks)])


def _kpi_figure(documents: ReportDocuments) -> Figure:
    kpi = documents.kpi
    if kpi is None:
        raise ValueError("a figure of the KPI needs fitted.parquet")
    traces = [
        go.Scatter(
            x=days(kpi.index), y=digits(kpi["actual"]), name="actual", mode="lines",
            line={"color": INK, "width": 1.6},
        ),
        go.Scatter(
            x=days(kpi.index), y=digits(kpi["fitted_mean"]), name="as the model expects it",
            mode="lines", line={"color": BLUE, "width": 2, "dash": "dot"},
        ),
    ]  # fmt: skip
    for trace in traces:
        trace.hovertemplate = "%{fullData.name}: %{y:,.3s}<extra></extra>"
    chart = draw(
        traces,
        height=PICTURE_HEIGHT,
        hovermode="x unified",
        yaxis={"title": {"text": label(documents.words.unit_of_kpi)}},
        xaxis={"type": "date", "showgrid": False},
    )
    columns = [
        Column("Period", Kind.DATE, "first day of the period"),
        Column("Actual", Kind.NUMBER, "observed KPI, summed over entities", documents.words.unit),
        Column("Fitted", Kind.NUMBER, "KPI as the model expects it, mean", documents.words.unit),
    ]
    rows = [[index, *row] for index, row in zip(kpi.index, kpi.to_numpy(), strict=True)]
    return Figure(
        "kpi",
        f"{documents.spec.kpi_name} over time",
        "The closer the lines, the more of the ups and downs the model explains.",
        chart,
        PICTURE_HEIGHT,
        Table("fitted", Artifact.FITTED, columns, rows),
    )


def last_parts(documents: ReportDocuments) -> tuple[list[tuple[str, float]], list[str]]:
    """What the last period was made of, up to what was observed.

    Returns
    -------
    tuple
        Name and size (KPI units) of the parts: the baseline, what is not media, the channels in
        page order, the small ones together, and what the model does not explain; then the names of
        the small ones. The sizes add up to the observed KPI of the period.
    """
    totals, kpi = component_totals(documents, slice(-1, None)), documents.kpi
    if totals is None or kpi is None:
        return [], []
    kinds = dict(totals["kind"].items())
    sizes = {str(k): float(v) for k, v in totals["contribution_mean"].items()}
    base = [n for n in sizes if kinds[n] == ComponentKind.BASELINE.value]
    media = documents.in_order(n for n in sizes if kinds[n] == ComponentKind.CHANNEL.value)
    others = [n for n in sizes if n not in {*base, *media}]
    moving = [*others, *media]
    largest = set(sorted(moving, key=lambda n: -abs(sizes[n]))[:MAX_PARTS])
    shown = [n for n in moving if n in largest]
    small = [n for n in moving if n not in largest]
    parts = [(n, sizes[n]) for n in [*base, *shown]]
    if small:
        parts.append(("smaller parts", sum(sizes[n] for n in small)))
    missed = float(kpi["actual"].iloc[-1]) - sum(size for _, size in parts)
    return [*parts, ("not explained", missed)], small


def _last_figure(documents: ReportDocuments) -> Figure | None:
    parts, small = last_parts(documents)
    if not parts:
        return None
    *labels, whole = distinct_labels([*(name for name, _ in parts), "actual"], lines=2)
    height = max(PICTURE_HEIGHT, rows_height(len(parts) + 1, per_row=_row_height(labels)))
    trace = go.Waterfall(
        orientation="h", y=[*labels, whole], x=[*digits(v for _, v in parts), 0.0],
        measure=["relative"] * len(parts) + ["total"],
        text=[*(format_compact(v) for _, v in parts), format_compact(sum(v for _, v in parts))],
        textposition="outside", cliponaxis=False,
        connector={"line": {"color": PALE, "width": 1}},
        increasing={"marker": {"color": BLUE}}, decreasing={"marker": {"color": VERMILLION}},
        totals={"marker": {"color": GREY}},
        hovertemplate="%{y}: %{delta:,.3s}<extra></extra>", showlegend=False,
    )  # fmt: skip
    chart = draw(
        [trace],
        height=height,
        margin={"r": 64},
        xaxis={"title": {"text": label(documents.words.unit_of_kpi)}, "nticks": 5},
        yaxis=names_axis([*labels, whole]),
    )
    last = documents.kpi.index[-1] if documents.kpi is not None else None
    named = f" Smaller parts: {', '.join(small)}." if small else ""
    columns = [
        Column("Part", Kind.TEXT, "part of the KPI of the last period"),
        Column("Size", Kind.NUMBER, "contribution, posterior mean", documents.words.unit),
    ]
    return Figure(
        "last-period",
        f"The last {documents.grain.word}, from {format_day(last)}" if last else "",
        f"Blue adds, orange takes away, grey is the whole.{named}",
        chart,
        height,
        Table("last_period", f"{Artifact.CONTRIBUTIONS}, {Artifact.FITTED}", columns, parts),
    )


def _row_height(labels: Sequence[str]) -> int:
    """Pixels of one bar: names of two lines need room for both, or they run into each other."""
    return 28 if any("<br>" in name for name in labels) else 18
