"""Runs side by side as pictures: returns with intervals, response curves, a colour per run."""

from collections.abc import Mapping

import plotly.graph_objects as go

from schemas.answers.comparison import (
    ChannelInComparison,
    CurveInComparison,
    RunInComparison,
    RunsCompared,
)
from tasks.report.blocks import Column, Figure, Kind, Table
from tasks.report.look import (
    CHANNEL_COLOURS,
    digits,
    distinct_labels,
    draw,
    label,
    names_axis,
    rows_height,
)

_SYMBOLS = ("circle", "square", "diamond", "triangle-up", "cross", "x", "star", "hexagon")
_DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
_FAINT = 0.12
_CURVE_CAPTION = (
    "Response in the long run per period, 90 % interval. Colours as above; the runs in their order "
    "are a solid, a dashed, a dotted line."
)


def returns_figure(found: RunsCompared) -> Figure | None:
    """ROAS of every channel in every run, with 94 % intervals; None where no run has any."""
    names = [
        name
        for name, rows in found.channels.items()
        if any(row.roas_mean is not None for row in rows.values())
    ]
    if not names:
        return None
    labels = dict(zip(names, distinct_labels(names, lines=2), strict=True))
    height = rows_height(len(names), per_row=24 + 14 * len(found.runs), extra=90)
    chart = draw(
        [_returns_of(found, run, place, labels) for place, run in enumerate(found.runs)],
        height=height,
        scattermode="group",
        showlegend=True,
        xaxis={"title": {"text": "ROAS"}, "rangemode": "tozero"},
        yaxis=names_axis([*labels.values()]),
    )
    return Figure(
        "side-returns",
        "ROAS, run by run",
        "Means over the fitted periods of each run, with 94 % intervals.",
        chart,
        height,
        _returns_table(found, names),
    )


def curve_figures(found: RunsCompared) -> list[Figure]:
    """Return a response curve per channel, a line per run."""
    places = {run.run_id: place for place, run in enumerate(found.runs)}
    return [
        _curve_figure(f"side-curve-{place}", name, rows, places)
        for place, (name, rows) in enumerate(found.curves.items())
        if any(curve.x for curve in rows.values())
    ]


def _returns_of(
    found: RunsCompared, run: RunInComparison, place: int, labels: Mapping[str, str]
) -> go.Scatter:
    rows: dict[str, ChannelInComparison] = {
        name: found.channels[name][run.run_id]
        for name in labels
        if run.run_id in found.channels[name]
    }
    known = {
        name: (row.roas_low, row.roas_mean, row.roas_high)
        for name, row in rows.items()
        if row.roas_mean is not None
    }
    mean = [value[1] or 0.0 for value in known.values()]
    colour = CHANNEL_COLOURS[place % len(CHANNEL_COLOURS)]
    return go.Scatter(
        x=digits(mean),
        y=[labels[name] for name in known],
        name=label(run.title, 60),
        orientation="h",
        offsetgroup=str(place),
        mode="markers",
        marker={"size": 9, "color": colour, "symbol": _SYMBOLS[place % len(_SYMBOLS)]},
        error_x={
            "type": "data", "symmetric": False, "thickness": 2, "width": 3, "color": colour,
            "array": digits((v[2] or m) - m for v, m in zip(known.values(), mean, strict=True)),
            "arrayminus": digits(
                m - (v[0] or m) for v, m in zip(known.values(), mean, strict=True)
            ),
        },
        hovertemplate="%{y}: %{x:.3~g}<extra></extra>",
    )  # fmt: skip


def _returns_table(found: RunsCompared, names: list[str]) -> Table:
    columns = [
        Column("Channel", Kind.TEXT, "channel of the run spec"),
        Column("Run", Kind.TEXT, "run"),
        Column("ROAS", Kind.RATIO, "posterior mean over the fitted periods"),
        Column("94 % from", Kind.RATIO, "lower end of the 94 % interval"),
        Column("94 % to", Kind.RATIO, "upper end of the 94 % interval"),
    ]
    rows = [
        [name, run_id, row.roas_mean, row.roas_low, row.roas_high]
        for name in names
        for run_id, row in found.channels[name].items()
    ]
    return Table("roas_run_by_run", "roi_metrics.json of each run", columns, rows)


def _curve_figure(
    key: str, name: str, rows: Mapping[str, CurveInComparison], places: Mapping[str, int]
) -> Figure:
    traces = []
    for run_id, curve in rows.items():
        colour = CHANNEL_COLOURS[places[run_id] % len(CHANNEL_COLOURS)]
        dash = _DASHES[places[run_id] % len(_DASHES)]
        x = digits(curve.x)
        traces += [
            go.Scatter(
                x=[*x, *reversed(x)],
                y=[*digits(curve.low_90), *reversed(digits(curve.high_90))],
                fill="toself", fillcolor=colour, opacity=_FAINT, line={"width": 0},
                hoverinfo="skip", showlegend=False,
            ),
            go.Scatter(x=x, y=digits(curve.median), name=label(run_id, 40), mode="lines",
                       line={"color": colour, "width": 2, "dash": dash}, showlegend=False),
        ]  # fmt: skip
    unit = next(iter(rows.values())).unit
    columns = [
        Column("Run", Kind.TEXT, "run"),
        Column(unit.capitalize(), Kind.NUMBER, "per period, the same in every period"),
        Column("Adds", Kind.NUMBER, "median, per period"),
        Column("90 % from", Kind.NUMBER, "5 % quantile"),
        Column("90 % to", Kind.NUMBER, "95 % quantile"),
    ]
    points = [
        [run_id, *point]
        for run_id, curve in rows.items()
        for point in zip(curve.x, curve.median, curve.low_90, curve.high_90, strict=True)
    ]
    chart = draw(traces, height=230, xaxis={"title": {"text": f"{unit} per period"}, "nticks": 4})
    return Figure(
        key, label(name), _CURVE_CAPTION, chart, 230,
        Table(f"response of {name}", "response_curves.json of each run", columns, points),
    )  # fmt: skip
