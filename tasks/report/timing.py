"""Channels over time: return horizon by horizon, and how much of an effect comes at once."""

from typing import Any

import plotly.graph_objects as go

from schemas.names import Artifact
from schemas.words import format_interval, format_share
from tasks.report.blocks import Column, Figure, Kind, Table
from tasks.report.documents import ReportDocuments
from tasks.report.look import (
    BLUE,
    CHANNEL_COLOURS,
    PALE,
    SKY,
    days,
    digits,
    distinct_labels,
    draw,
    names_axis,
    rows_height,
)
from tasks.report.today import return_of

DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
MAX_LINES = 6
"""Channels with a line; those with the largest spend today."""


def returns_over_time(documents: ReportDocuments, height: int) -> Figure | None:
    """Lines of the return per horizon; None where there are no two horizons to compare."""
    words = documents.words
    rows = {
        name: [(w, *return_of(documents, w)) for w in documents.effects[name].windows]
        for name in documents.channels
        if name in documents.effects
    }
    known = {n: r for n, r in rows.items() if sum(mean is not None for _, mean, _, _ in r) > 1}
    if not known:
        return None
    shown = list(known)[:MAX_LINES]
    traces = [
        go.Scatter(
            x=days(w.last_period for w, *_ in known[name]), name=text, mode="lines+markers",
            y=digits(mean for _, mean, _, _ in known[name]),
            line={"width": 2, "dash": DASHES[i % len(DASHES)], "color": CHANNEL_COLOURS[i]},
            marker={"size": 6},
            hovertemplate="%{fullData.name}: %{y:.3~g}<extra></extra>",
        )
        for i, (name, text) in enumerate(zip(shown, distinct_labels(shown), strict=True))
    ]  # fmt: skip
    chart = draw(
        traces,
        height=height,
        showlegend=True,
        yaxis={"title": {"text": words.title}, "rangemode": "tozero"},
        xaxis={"type": "date", "showgrid": False},
    )
    left = f" The {len(known) - len(shown)} with less spend are in the table." * (
        len(known) > len(shown)
    )
    return Figure(
        "returns-over-time",
        f"{words.title} over time",
        f"Per {documents.period_words(documents.n_recent)}, carryover of spend before included; "
        f"intervals are in the table.{left}",
        chart,
        height,
        _over_time_table(documents, known),
    )


def _over_time_table(documents: ReportDocuments, known: dict[str, list[Any]]) -> Table:
    words = documents.words
    columns = [
        Column("Channel", Kind.TEXT, "channel of the run spec"),
        Column("From", Kind.DATE, "first day of the first period"),
        Column("To", Kind.DATE, "first day of the last period"),
        Column("Spend", Kind.NUMBER, "money spent in it", words.money),
        Column("Contribution", Kind.NUMBER, "KPI due to the channel in it", words.unit),
        Column(words.title, Kind.RATIO, "posterior mean"),
        Column("94 %", Kind.INTERVAL, "94 % interval of the return"),
    ]
    rows = [
        [
            name, w.first_period, w.last_period, w.spend, w.contribution_mean, mean,
            format_interval(low, high),
        ]
        for name, windows in known.items()
        for w, mean, low, high in windows
    ]  # fmt: skip
    return Table("returns_over_time", Artifact.CHANNEL_EFFECTS, columns, rows)


def timing_figure(documents: ReportDocuments) -> Figure | None:
    """Bars of the effect at once, in the next three periods, and later."""
    known = {
        name: row
        for name in documents.channels
        for row in [documents.effects.get(name)]
        if row is not None and row.immediate_share_mean is not None
    }
    if not known:
        return None
    at_once = [row.immediate_share_mean or 0.0 for row in known.values()]
    within = [row.within_4_share_mean or 0.0 for row in known.values()]
    soon = [max(w - a, 0.0) for w, a in zip(within, at_once, strict=True)]
    parts = [at_once, soon, [max(1 - w, 0.0) for w in within]]
    labels = distinct_labels(known, lines=2)
    period = documents.period_words(1).split()[1]
    names = (f"in the same {period}", f"in the 3 {period}s after", "later")
    height = rows_height(len(known), per_row=34)
    chart = draw(
        [
            go.Bar(
                orientation="h", y=labels, x=digits(part), name=name, marker={"color": colour},
                text=[format_share(v) if v >= 0.08 else "" for v in part],
                textposition="inside", insidetextanchor="middle",
                hovertemplate="%{y}: %{x:.0%}<extra></extra>",
            )
            for part, name, colour in zip(parts, names, (BLUE, SKY, PALE), strict=True)
        ],
        height=height,
        barmode="stack",
        bargap=0.35,
        # Where a phone has no room for a share, it is left out rather than turned or shrunk.
        uniformtext={"minsize": 10, "mode": "hide"},
        showlegend=True,
        legend={"traceorder": "normal"},
        xaxis={"tickformat": ".0%", "range": [0, 1], "nticks": 6},
        yaxis=names_axis(labels),
    )  # fmt: skip
    columns = [
        Column("Channel", Kind.TEXT, "channel of the run spec"),
        Column("At once", Kind.SHARE, f"share of the effect in the {period} of the spend"),
        Column("94 % from", Kind.SHARE, "lower end of the 94 % interval of the share at once"),
        Column("94 % to", Kind.SHARE, "upper end of the 94 % interval of the share at once"),
        Column(f"3 {period}s after", Kind.SHARE, f"share in the three {period}s after"),
        Column("Later", Kind.SHARE, "share that comes after that"),
    ]
    rows = [
        [name, first, row.immediate_share_low, row.immediate_share_high, second, late]
        for (name, row), first, second, late in zip(known.items(), *parts, strict=True)
    ]
    return Figure(
        "timing",
        "When the effect comes",
        "Of what a little more spend today would bring.",
        chart,
        height,
        Table("timing", Artifact.CHANNEL_EFFECTS, columns, rows),
    )
