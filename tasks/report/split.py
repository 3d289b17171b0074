"""What the KPI is made of: in total, and over time."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from schemas.documents.effects import ComponentSummary, ContributionSummary
from schemas.names import PERIOD_COLUMN, Artifact, ComponentKind
from schemas.words import format_share
from tasks.report.bands import MAX_LAYERS, stack_bands
from tasks.report.blocks import Block, Column, Figure, Kind, Section, Table
from tasks.report.documents import ReportDocuments
from tasks.report.look import (
    BLUE,
    CHANNEL_COLOURS,
    CHANNEL_PATTERNS,
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

SMALL = 0.001
"""Components below this share of the expected KPI are one bar of the waterfall."""
MAX_BARS = 18
KIND_WORD = {
    ComponentKind.CHANNEL: "media", ComponentKind.CONTROL: "control",
    ComponentKind.SEASONALITY: "season", ComponentKind.TREND: "trend",
    ComponentKind.BASELINE: "baseline", ComponentKind.EVENT: "event",
}  # fmt: skip


def split_section(documents: ReportDocuments) -> Section | None:
    """Waterfall of the totals, then the split over time."""
    blocks: list[Block] = []
    summary = documents.run.document(Artifact.CONTRIBUTION_SUMMARY, ContributionSummary)
    if summary:
        blocks.append(_waterfall(documents, summary.root))
    table = documents.run.frame(Artifact.CONTRIBUTIONS)
    if table is not None:
        wide = period_totals(table)
        blocks.append(_stack(documents, wide, _kinds(table)))
        rest = _rest_figure(documents, wide, _kinds(table))
        if rest:
            blocks.append(rest)
    if not blocks:
        return None
    lead = (
        f"In all fitted periods, and over time. The parts add up to {documents.spec.kpi_name} as "
        "the model expects it, without noise; the baseline is what would be there with average "
        "season and trend, controls at their reference, and no media."
    )
    title = f"What makes up {documents.spec.kpi_name}"
    return Section("split", title, blocks, lead, is_folded=True)


def period_totals(table: pd.DataFrame) -> pd.DataFrame:
    """Contributions summed over entities, one row per period and one column per component."""
    return table.pivot_table(
        index=PERIOD_COLUMN, columns="component", values="contribution_mean", aggfunc="sum",
        sort=False,
    ).sort_index()  # fmt: skip


def _kinds(table: pd.DataFrame) -> dict[str, ComponentKind]:
    pairs = table[["component", "kind"]].drop_duplicates()
    return {str(c): ComponentKind(k) for c, k in pairs.itertuples(index=False)}


def _waterfall(documents: ReportDocuments, summary: Mapping[str, ComponentSummary]) -> Figure:
    bars, small = _bars(documents, summary)
    *labels, whole = distinct_labels([*(name for name, _ in bars), "expected in all"], lines=2)
    values = digits(value for _, value in bars)
    total = sum(value for _, value in bars)
    height = rows_height(len(bars) + 1, per_row=34, extra=70)
    trace = go.Waterfall(
        orientation="h",
        y=[*labels, whole],
        x=[*values, 0.0],
        measure=["relative"] * len(bars) + ["total"],
        text=[*(format_share(value / total) for _, value in bars), "100 %"],
        textposition="outside",
        cliponaxis=False,
        connector={"line": {"color": PALE, "width": 1}},
        increasing={"marker": {"color": BLUE}},
        decreasing={"marker": {"color": VERMILLION}},
        totals={"marker": {"color": GREY}},
        hovertemplate="%{y}: %{delta:,.3s} (%{text})<extra></extra>",
        showlegend=False,
    )
    chart = draw(
        [trace],
        height=height,
        margin={"r": 56},
        xaxis={"title": {"text": label(documents.spec.kpi_name)}, "nticks": 5},
        yaxis=names_axis([*labels, whole]),
    )
    return Figure(
        "waterfall",
        "From the baseline to the whole",
        "Blue adds, orange takes away, grey is the whole; the percentage is the share of the whole."
        + (f" Smaller parts: {', '.join(small)}." if small else ""),
        chart,
        height,
        _summary_table(documents, summary),
    )


def _bars(
    documents: ReportDocuments, summary: Mapping[str, ComponentSummary]
) -> tuple[list[tuple[str, float]], list[str]]:
    """Baseline, what is not media, channels in page order; small parts are one bar, and named."""
    sizes = {name: row.contribution_mean for name, row in summary.items()}
    whole = sum(sizes.values())
    kinds = {name: row.kind for name, row in summary.items()}
    first = [(n, v) for n, v in sizes.items() if kinds[n] == ComponentKind.BASELINE]
    rest = sorted(
        ((n, v) for n, v in sizes.items() if kinds[n] != ComponentKind.BASELINE),
        key=lambda item: -abs(item[1]),
    )
    seen = {n for n, v in rest if abs(v) >= SMALL * abs(whole)}
    seen &= {n for n, _ in rest[:MAX_BARS]}
    small = [(n, v) for n, v in rest if n not in seen]
    media = [n for n in seen if kinds[n] == ComponentKind.CHANNEL]
    others = [(n, v) for n, v in rest if n in seen and kinds[n] != ComponentKind.CHANNEL]
    shown = [*first, *others, *((n, sizes[n]) for n in documents.in_order(media))]
    if small:
        shown.append(("smaller parts", sum(v for _, v in small)))
    return shown, [n for n, _ in small]


def _summary_table(documents: ReportDocuments, summary: Mapping[str, ComponentSummary]) -> Table:
    unit = documents.words.unit
    columns = [
        Column("Component", Kind.TEXT, "part of the expected KPI"),
        Column("Kind", Kind.TEXT, "media, control, season, trend, baseline or event"),
        Column("Contribution", Kind.NUMBER, "posterior mean over the fitted periods", unit),
        Column("94 % from", Kind.NUMBER, "lower end of the 94 % interval", unit),
        Column("94 % to", Kind.NUMBER, "upper end of the 94 % interval", unit),
        Column("Share", Kind.SHARE, "share of the observed KPI, posterior mean"),
    ]
    rows = [
        [
            name,
            KIND_WORD[row.kind],
            row.contribution_mean,
            row.contribution_low,
            row.contribution_high,
            row.share_mean,
        ]
        for name, row in sorted(summary.items(), key=lambda item: -item[1].contribution_mean)
    ]
    note = "Season and trend are measured against their own average, so they come near 0."
    return Table("contribution_summary", Artifact.CONTRIBUTION_SUMMARY, columns, rows, note)


def _stack(
    documents: ReportDocuments, wide: pd.DataFrame, kinds: dict[str, ComponentKind]
) -> Figure:
    bands, small = stack_bands(wide, kinds, documents.in_order)
    dates = days(wide.index)
    labels = distinct_labels(bands.columns)
    traces: list[Any] = []
    for position, (column, shown) in enumerate(zip(bands.columns, labels, strict=True)):
        style = (position - 1) % MAX_LAYERS
        traces.append(
            go.Scatter(
                x=dates, y=digits(bands[column]), name=shown, stackgroup="kpi", mode="lines",
                line={"width": 0.6, "color": "white"},
                fillcolor=PALE if position == 0 else CHANNEL_COLOURS[style],
                fillpattern={
                    "shape": "" if position == 0 else CHANNEL_PATTERNS[style],
                    "fgcolor": "white", "fgopacity": 0.55, "size": 7, "solidity": 0.25,
                    "bgcolor": PALE if position == 0 else CHANNEL_COLOURS[style],
                },
                hovertemplate="%{fullData.name}: %{y:,.3s}<extra></extra>",
            )
        )  # fmt: skip
    kpi = documents.kpi
    if kpi is not None:
        traces.append(
            go.Scatter(
                x=days(kpi.index), y=digits(kpi["actual"]), name="actual", mode="lines",
                line={"color": INK, "width": 1.3},
                hovertemplate="actual: %{y:,.3s}<extra></extra>",
            )
        )  # fmt: skip
    chart = draw(
        traces,
        height=430,
        hovermode="x unified",
        legend={"traceorder": "normal"},
        yaxis={"title": {"text": label(documents.spec.kpi_name)}, "rangemode": "tozero"},
        xaxis={"type": "date", "showgrid": False},
    )
    return Figure(
        "over-time",
        "Over time",
        f"Media stacked on everything else{_over_entities(documents)}; the line is what happened."
        + (f" Smaller channels: {', '.join(small)}." if small else ""),
        chart,
        430,
        _wide_table(documents, bands if kpi is None else bands.assign(actual=kpi["actual"])),
    )


def _rest_figure(
    documents: ReportDocuments, wide: pd.DataFrame, kinds: dict[str, ComponentKind]
) -> Figure | None:
    """Season, trend, controls, events and competitors, as lines around zero."""
    totals = wide.sum()
    moving = [
        c
        for c in wide.columns
        if kinds[str(c)] is not ComponentKind.BASELINE
        and (kinds[str(c)] is not ComponentKind.CHANNEL or totals[c] < 0)
        and wide[c].abs().max() > 0
    ]
    moving.sort(key=lambda c: -wide[c].std())
    shown = moving[:6]
    if not shown:
        return None
    dashes = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
    chart = draw(
        [
            go.Scatter(
                x=days(wide.index), y=digits(wide[name]), name=text, mode="lines",
                line={"width": 1.8, "dash": dash, "color": colour},
                hovertemplate="%{fullData.name}: %{y:,.3s}<extra></extra>",
            )
            for name, text, dash, colour in zip(
                shown, distinct_labels(shown), dashes, CHANNEL_COLOURS, strict=False
            )
        ],
        height=330,
        hovermode="x unified",
        showlegend=True,
        yaxis={"title": {"text": label(documents.spec.kpi_name)}},
        xaxis={"type": "date", "showgrid": False},
    )  # fmt: skip
    left = f" Left out as small: {', '.join(map(str, moving[6:]))}." if moving[6:] else ""
    return Figure(
        "not-media",
        "What moves it besides media",
        f"Against the average{_over_entities(documents)}.{left}",
        chart,
        330,
        _wide_table(documents, wide[shown]),
    )


def _over_entities(documents: ReportDocuments) -> str:
    return f", all {len(documents.entities)} entities together" if documents.is_panel else ""


def _wide_table(documents: ReportDocuments, frame: pd.DataFrame) -> Table:
    unit = documents.words.unit
    columns = [
        Column("Period", Kind.DATE, "first day of the period"),
        *(
            Column(str(c), Kind.NUMBER, f"{what}, summed over entities", unit)
            for c in frame.columns
            for what in ["observed KPI" if c == "actual" else "contribution, posterior mean"]
        ),
    ]
    rows = [[index, *row] for index, row in zip(frame.index, frame.to_numpy(), strict=True)]
    if "everything else" not in frame:
        return Table("contributions_other", Artifact.CONTRIBUTIONS, columns, rows)
    source = f"{Artifact.CONTRIBUTIONS}, {Artifact.FITTED}"
    return Table("contributions_media", source, columns, rows)
