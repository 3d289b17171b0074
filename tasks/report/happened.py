"""What happened lately: the KPI against a year before, and what each channel added."""

from dataclasses import dataclass

import pandas as pd
import plotly.graph_objects as go

from schemas.names import PERIOD_COLUMN, Artifact, ComponentKind
from schemas.words import format_change, format_compact, format_share
from tasks.mathematics.calendar import PERIODS_PER_YEAR
from tasks.report.blocks import Block, Card, Cards, Column, Figure, Kind, Section, Table
from tasks.report.documents import ReportDocuments
from tasks.report.look import (
    BLUE,
    INK,
    PALE,
    days,
    digits,
    distinct_labels,
    draw,
    label,
    names_axis,
    rows_height,
)


@dataclass(frozen=True)
class Lately:
    """The KPI of the last ``n`` periods, and of the same periods a year before where known."""

    n: int
    total: float
    year_before: float | None
    media: float | None
    """Part of it that the model gives to all channels together."""
    expected: float


def measure_lately(documents: ReportDocuments, n: int) -> Lately | None:
    """Sum the last ``n`` periods; None without a fit or with fewer periods."""
    kpi = documents.kpi
    if kpi is None or len(kpi) < n:
        return None
    year = PERIODS_PER_YEAR[documents.grain]
    before = kpi["actual"].iloc[-n - year : -year] if len(kpi) >= n + year else None
    media = channel_totals(documents, slice(-n, None))
    return Lately(
        n=n,
        total=float(kpi["actual"].iloc[-n:].sum()),
        year_before=float(before.sum()) if before is not None else None,
        media=float(media.sum()) if media is not None else None,
        expected=float(kpi["fitted_mean"].iloc[-n:].sum()),
    )


def channel_totals(documents: ReportDocuments, window: slice) -> pd.Series | None:
    """Contribution per channel over the periods of ``window``, summed over entities."""
    table = documents.run.frame(Artifact.CONTRIBUTIONS)
    if table is None:
        return None
    media = table[table["kind"] == ComponentKind.CHANNEL.value]
    chosen = sorted(table[PERIOD_COLUMN].unique())[window]
    part = media[media[PERIOD_COLUMN].isin(chosen)]
    return part.groupby("component", sort=False)["contribution_mean"].sum()


def headline_cards(documents: ReportDocuments) -> Cards | None:
    """KPI of the last period and of the last quarter, and the share of media."""
    last, lately = measure_lately(documents, 1), measure_lately(documents, documents.n_recent)
    cards = []
    for found in (last, lately):
        if found is not None:
            cards.append(_kpi_card(documents, found))
    if lately is not None and lately.media is not None and lately.expected > 0:
        cards.append(
            Card(
                "Due to media",
                format_share(lately.media / lately.expected),
                f"of expected {documents.spec.kpi_name}, "
                f"last {documents.period_words(lately.n)}: {format_compact(lately.media)}",
            )
        )
    return Cards(cards) if cards else None


def _kpi_card(documents: ReportDocuments, found: Lately) -> Card:
    name = documents.spec.kpi_name
    what = f"{name}, last {documents.period_words(found.n)}".replace("last 1 ", "last ")
    if found.year_before is None:
        return Card(what, format_compact(found.total), "no data of a year before")
    change = format_change(found.total, found.year_before)
    note = f"{change} against a year before" if change else "a year before there was none"
    return Card(what, format_compact(found.total), f"{note} ({format_compact(found.year_before)})")


def happened_section(documents: ReportDocuments) -> Section | None:
    """KPI over time, and the contribution of each channel in the last quarter."""
    if documents.kpi is None:
        return None
    blocks: list[Block] = [_kpi_figure(documents)]
    lately = channel_totals(documents, slice(-documents.n_recent, None))
    if lately is not None and len(lately):
        blocks.append(_channels_figure(documents, lately))
    return Section("happened", "What happened", blocks, _lead(documents))


def _lead(documents: ReportDocuments) -> str:
    lately = measure_lately(documents, documents.n_recent)
    if lately is None:
        return ""
    name, words = documents.spec.kpi_name, documents.period_words(lately.n)
    text = f"In the last {words}, {name} came to {format_compact(lately.total)}"
    if lately.year_before is not None:
        change = format_change(lately.total, lately.year_before)
        text += f", {change} against the same {words} a year before" if change else ""
    if lately.media is not None and lately.expected > 0:
        text += (
            f". Of the {format_compact(lately.expected)} that the model expects there, "
            f"{format_compact(lately.media)} ({format_share(lately.media / lately.expected)}) "
            "is due to media"
        )
    return f"{text}."


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
        trace.hovertemplate = "%{fullData.name}: %{y:,.4s}<extra></extra>"
    chart = draw(
        traces,
        height=320,
        hovermode="x unified",
        yaxis={"title": {"text": label(documents.spec.kpi_name)}},
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
        320,
        Table("fitted", Artifact.FITTED, columns, rows),
    )


def _channels_figure(documents: ReportDocuments, lately: pd.Series) -> Figure:
    year = PERIODS_PER_YEAR[documents.grain]
    n = documents.n_recent
    n_periods = len(documents.kpi) if documents.kpi is not None else 0
    before = channel_totals(documents, slice(-n - year, -year)) if n_periods >= n + year else None
    ordered = lately.sort_values(ascending=False)
    labels = distinct_labels(ordered.index, lines=2)
    words = documents.period_words(n)
    # Plotly draws the first trace of a group lowest.
    traces = [
        go.Bar(
            orientation="h", y=labels, x=digits(ordered), name=f"last {words}",
            marker={"color": BLUE},
            text=[format_compact(v) for v in ordered], textposition="outside", cliponaxis=False,
            hovertemplate="%{y}: %{x:,.4s}<extra></extra>",
        )
    ]  # fmt: skip
    if before is not None:
        earlier = before.reindex(ordered.index)
        traces.insert(
            0,
            go.Bar(
                orientation="h", y=labels, x=digits(earlier), name="a year before",
                marker={"color": PALE, "pattern": {"shape": "/", "fgcolor": "#8894a0", "size": 6}},
                hovertemplate="%{y}, a year before: %{x:,.4s}<extra></extra>",
            ),
        )  # fmt: skip
    height = rows_height(len(ordered), per_row=46)
    chart = draw(
        traces,
        height=height,
        barmode="group",
        bargap=0.35,
        showlegend=True,
        legend={"traceorder": "reversed"},
        margin={"r": 60},
        xaxis={"title": {"text": label(documents.spec.kpi_name)}, "nticks": 5},
        yaxis=names_axis(labels),
    )
    return Figure(
        "lately",
        f"What each channel added in the last {words}",
        "Carryover of earlier spend included.",
        chart,
        height,
        _channels_table(documents, ordered, before),
    )


def _channels_table(
    documents: ReportDocuments, lately: pd.Series, before: pd.Series | None
) -> Table:
    unit = documents.words.unit
    words = documents.period_words(documents.n_recent)
    columns = [
        Column("Channel", Kind.TEXT, "channel of the run spec"),
        Column(f"Last {words}", Kind.NUMBER, "contribution, posterior mean, summed", unit),
    ]
    if before is not None:
        columns.append(Column("A year before", Kind.NUMBER, "the same a year before", unit))
    rows = []
    for name, value in lately.items():
        old = [None if before is None else before.get(name)] if before is not None else []
        rows.append([name, value, *old])
    return Table("contributions_lately", Artifact.CONTRIBUTIONS, columns, rows)
