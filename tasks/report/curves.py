"""What more or less spend would bring: response curves per channel, and per entity of a panel."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import plotly.graph_objects as go

from schemas.names import Artifact
from schemas.words import format_interval, format_number, format_ratio
from tasks.report.blocks import Block, Column, Figure, Grid, Kind, Section, Table, Text
from tasks.report.documents import ReportDocuments
from tasks.report.look import BLUE, FAINT, GREY, INK, VERMILLION, digits, draw, label

MAX_CURVES = 300
"""Curves of single entities that are shown; more would make the page too large."""
HEIGHT = 260
WHERE = {"below": "below all spend seen", "beyond": "beyond the curve"}


def curves_section(documents: ReportDocuments) -> Section | None:
    """One small picture per channel; a choice of entity for panels."""
    curves = documents.run.json(Artifact.RESPONSE_CURVES)
    if not documents.diagnostics:
        return None
    title = "What more or less would bring"
    if not curves:
        why = (
            f"Models of kind {documents.spec.model.kind} have no curve of one channel alone: what "
            "a channel brings depends on the others."
        )
        return Section("curves", title, [Text([why])])
    ordered = {name: curves[name] for name in documents.roi if name in curves} | dict(curves)
    ordered = _with_marginal(documents, ordered)
    shown = _entities_shown(documents, ordered)
    figures = [
        _figure(documents, position, name, curve, shown)
        for position, (name, curve) in enumerate(ordered.items())
    ]
    blocks: list[Block] = [
        Grid(
            "curves",
            figures,
            _points_table(documents, ordered),
            "Entity" if shown else "",
            ["All together", *shown] if shown else [],
        ),
        _marks_table(documents, ordered),
    ]
    blocks += _left_out(documents, ordered, shown)
    lead = (
        "What a channel adds per period in the long run, if it got the same amount in every "
        "period. The band holds the truth with 90 %; grey ground is the range seen in the data, "
        "and beyond it the curve is a guess."
    )
    return Section("curves", title, blocks, lead)


def _with_marginal(
    documents: ReportDocuments, curves: Mapping[str, Mapping[str, Any]]
) -> dict[str, Mapping[str, Any]]:
    """Curves with the mROAS that advice stands on, where a plan has one: one number per channel."""
    found = dict(curves)
    for name, (mean, low, high) in documents.marginal_returns().items():
        if name in found and low is not None:
            own = {"mroas_mean": mean, "mroas_low": low, "mroas_high": high, "is_coming": True}
            found[name] = {**found[name], **own}
    return found


def _entities_shown(
    documents: ReportDocuments, curves: Mapping[str, Mapping[str, Any]]
) -> list[str]:
    """Entities that have curves of their own, the largest KPI first, as many as fit the page."""
    with_curves = {e for curve in curves.values() for e in curve.get("entities") or {}}
    fitted = documents.run.frame(Artifact.FITTED)
    if fitted is None:
        return sorted(with_curves)[: MAX_CURVES // len(curves)]
    size = fitted.groupby("entity_id")["actual"].sum().sort_values(ascending=False)
    ordered = [str(e) for e in size.index if str(e) in with_curves]
    return ordered[: max(1, MAX_CURVES // len(curves))]


def _left_out(
    documents: ReportDocuments, curves: Mapping[str, Mapping[str, Any]], shown: Sequence[str]
) -> list[Block]:
    all_entities = {e for curve in curves.values() for e in curve.get("entities") or {}}
    n_hidden = len(all_entities) - len(shown)
    if n_hidden <= 0:
        return []
    text = (
        f"Curves of the {len(shown)} entities with the largest {documents.spec.kpi_name} can be "
        f"chosen here; those of {n_hidden} more are in {Artifact.RESPONSE_CURVES}."
    )
    return [Text([text])]


def _figure(
    documents: ReportDocuments,
    position: int,
    name: str,
    curve: Mapping[str, Any],
    shown: Sequence[str],
) -> Figure:
    entities = curve.get("entities") or {}
    unit = "spend per period" if curve.get("unit", "spend") == "spend" else "input per period"
    return Figure(
        key=f"curve-{position}",
        title=name,
        caption=_sentence(documents, curve),
        chart=draw_curve(curve, unit, documents.spec.kpi_name),
        height=HEIGHT,
        by_choice={
            entity: draw_curve(entities[entity], unit, documents.spec.kpi_name)
            for entity in shown
            if entity in entities
        },
    )


def _sentence(documents: ReportDocuments, curve: Mapping[str, Any]) -> str:
    """Say what the next unit returns and where it breaks even, as far as the file knows."""
    reported = []
    if curve.get("mroas_mean") is not None:
        what = "" if documents.words.in_money else f" {documents.spec.kpi_name}"
        interval = format_interval(curve.get("mroas_low"), curve.get("mroas_high"))
        mean = format_ratio(curve["mroas_mean"])
        start = (
            "In the coming window the next unit"
            if curve.get("is_coming")
            else "From today's steady level the next unit"
        )
        reported.append(f"{start} of money brings {mean}{what} (94 %: {interval}).")
    where = curve.get("breakeven_where")
    if where in WHERE:
        reported.append(f"Break-even is {WHERE[where]}.")
    elif curve.get("breakeven") is not None:
        reported.append(f"It breaks even at {format_number(curve['breakeven'])} per period.")
    return " ".join(reported)


def draw_curve(curve: Mapping[str, Any], unit: str, kpi_name: str) -> go.Figure:
    """Draw median and band, today's level, the observed range and the break-even point."""
    x = digits(curve["x"])
    band = {"mode": "lines", "line": {"width": 0}, "hoverinfo": "skip", "showlegend": False}
    traces = [
        go.Scatter(x=x, y=digits(curve["high_90"]), **band),
        go.Scatter(
            x=x, y=digits(curve["low_90"]), fill="tonexty", fillcolor="rgba(0,114,178,0.18)", **band
        ),
        go.Scatter(
            x=x, y=digits(curve["median"]), mode="lines", line={"color": BLUE, "width": 2.4},
            customdata=list(zip(digits(curve["low_90"]), digits(curve["high_90"]), strict=True)),
            hovertemplate="%{x:,.4s}: %{y:,.4s} (90 %: %{customdata[0]:,.4s} to "
            "%{customdata[1]:,.4s})<extra></extra>",
            showlegend=False,
        ),
    ]  # fmt: skip
    marks = _marks(curve)
    return draw(
        traces,
        height=HEIGHT,
        shapes=[_observed(curve), *(_line(mark) for mark in marks)],
        annotations=[_note(mark) for mark in marks],
        margin={"t": 22},
        xaxis={"title": {"text": unit}, "nticks": 5, "range": [0, max(curve["x"])]},
        yaxis={"title": {"text": label(kpi_name, 18)}, "nticks": 5, "rangemode": "tozero"},
    )


def _observed(curve: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": "rect", "x0": curve.get("observed_low", 0), "x1": curve.get("observed_high", 0),
        "y0": 0, "y1": 1, "yref": "paper", "fillcolor": FAINT, "line": {"width": 0},
        "layer": "below",
    }  # fmt: skip


class Mark(NamedTuple):
    """A spend that is marked on a curve, with a note above or below."""

    text: str
    x: float
    colour: str
    dash: str
    is_above: bool


def _marks(curve: Mapping[str, Any]) -> list[Mark]:
    marks = []
    if curve.get("current") is not None:
        marks.append(Mark("today", curve["current"], INK, "solid", is_above=True))
    breakeven = curve.get("breakeven")
    if breakeven is not None and breakeven <= max(curve["x"]):
        marks.append(Mark("break-even", breakeven, VERMILLION, "dash", is_above=False))
    return marks


def _line(mark: Mark) -> dict[str, Any]:
    return {
        "type": "line", "x0": mark.x, "x1": mark.x, "y0": 0, "y1": 1, "yref": "paper",
        "line": {"color": mark.colour, "width": 1.4, "dash": mark.dash},
    }  # fmt: skip


def _note(mark: Mark) -> dict[str, Any]:
    return {
        "x": mark.x, "y": 1 if mark.is_above else 0, "yref": "paper", "text": mark.text,
        "showarrow": False, "yanchor": "bottom", "xanchor": "center" if mark.is_above else "left",
        "xshift": 0 if mark.is_above else 4, "yshift": 0 if mark.is_above else 3,
        "font": {"size": 11, "color": GREY if mark.is_above else mark.colour},
        "bgcolor": "rgba(255,255,255,0.8)",
    }  # fmt: skip


def _marks_table(documents: ReportDocuments, curves: Mapping[str, Mapping[str, Any]]) -> Table:
    returns = "return per money" if documents.words.in_money else "KPI per money"
    columns = [
        Column("Channel", Kind.TEXT, "channel of the run spec"),
        Column("Per", Kind.TEXT, "money, or the channel's own input"),
        Column("Today", Kind.NUMBER, "mean per fitted period, all entities", "money or input"),
        Column("Seen from", Kind.NUMBER, "least in a fitted period", "money or input"),
        Column("Seen to", Kind.NUMBER, "most in a fitted period", "money or input"),
        Column("Next unit", Kind.RATIO, f"{returns} of the next unit; with a plan, in its window"),
        Column("94 %", Kind.INTERVAL, "94 % interval of the next unit's return"),
        Column("Break-even", Kind.NUMBER, "spend per period where the next unit returns its cost"),
        Column("Headroom", Kind.NUMBER, "break-even less today", "money"),
    ]
    rows = [
        [
            name, "money" if curve.get("unit", "spend") == "spend" else "input",
            curve.get("current"), curve.get("observed_low"), curve.get("observed_high"),
            curve.get("mroas_mean"),
            format_interval(curve.get("mroas_low"), curve.get("mroas_high")),
            curve.get("breakeven"), curve.get("headroom"),
        ]
        for name, curve in curves.items()
    ]  # fmt: skip
    used = [i for i, c in enumerate(columns) if i < 5 or _is_known(rows, i)]
    return Table(
        "response_marks", Artifact.RESPONSE_CURVES, [columns[i] for i in used],
        [[row[i] for i in used] for row in rows],
    )  # fmt: skip


def _is_known(rows: Sequence[Sequence[Any]], position: int) -> bool:
    return any(row[position] not in (None, "–") for row in rows)


def _points_table(documents: ReportDocuments, curves: Mapping[str, Mapping[str, Any]]) -> Table:
    unit = documents.words.unit
    columns = [
        Column("Channel", Kind.TEXT, "channel of the run spec"),
        Column("Per period", Kind.NUMBER, "spend or input, all entities together"),
        Column("Median", Kind.NUMBER, "KPI added per period, median", unit),
        Column("90 % from", Kind.NUMBER, "lower end of the 90 % band", unit),
        Column("90 % to", Kind.NUMBER, "upper end of the 90 % band", unit),
    ]
    rows = [
        [name, *point]
        for name, curve in curves.items()
        for point in zip(
            curve["x"], curve["median"], curve["low_90"], curve["high_90"], strict=True
        )
    ]
    return Table("response_curves", Artifact.RESPONSE_CURVES, columns, rows)
