"""What comes next if things go on as they are, and how good earlier forecasts were."""

from typing import Any

import pandas as pd
import plotly.graph_objects as go

from schemas.names import PERIOD_COLUMN, QUANTILES, Artifact
from schemas.words import format_compact, format_share
from tasks.mathematics.calendar import PERIODS_PER_YEAR
from tasks.report.blocks import Block, Column, Figure, Kind, Row, Section, Table, Text
from tasks.report.documents import ReportDocuments
from tasks.report.look import BLUE, INK, ORANGE, VERMILLION, days, digits, draw, label

BAND_90, BAND_50 = "rgba(0,114,178,0.15)", "rgba(0,114,178,0.28)"


def coming_section(documents: ReportDocuments) -> Section | None:
    """Forecast ahead, and earlier forecasts against what then happened."""
    ahead = whole(documents.run.frame(Artifact.FORECAST))
    scored = whole(documents.run.frame(Artifact.FORECAST_ACTUALS))
    if ahead is None and scored is None:
        return None
    pictures: list[Block] = []
    if ahead is not None:
        pictures.append(_ahead_figure(documents, ahead))
    if scored is not None:
        pictures.append(_scored_figure(documents, scored))
    blocks: list[Block] = [Row(pictures), Text([accuracy_sentence(documents, scored)])]
    lead = (
        "If media and spend go on as in the last periods, and controls as a year ago. The dark "
        "band holds the KPI in half of all cases, the light band in nine of ten."
    )
    return Section("horizon", "What comes next", blocks, lead)


def accuracy_sentence(documents: ReportDocuments, scored: pd.DataFrame | None) -> str:
    """Say how far forecasts were off in the last horizon, before its periods were known."""
    if scored is None:
        return (
            "How good its forecasts are is not known yet: no earlier accepted run has forecast a "
            "period that has happened since."
        )
    part = scored[scored["periods_ahead"] <= documents.n_recent]
    last = part.sort_values("periods_ahead").groupby(PERIOD_COLUMN).first().sort_index()
    last = last.iloc[-documents.n_recent :]
    inside = ((last["actual"] >= last["kpi_p05"]) & (last["actual"] <= last["kpi_p95"])).sum()
    missed = ((last["kpi_p50"] - last["actual"]).abs() / last["actual"].abs()).replace(
        float("inf"), float("nan")
    )
    off = f"were off by {format_share(float(missed.mean()))} on average, and " * bool(
        missed.notna().any()
    )
    return (
        f"Forecasts of the last {documents.period_words(len(last))}, made before they were known, "
        f"{off}{int(inside)} of {len(last)} fell into the band of nine in ten."
    )


def whole(table: pd.DataFrame | None) -> pd.DataFrame | None:
    """Rows of the sum over entities; those of the only entity where there is no sum."""
    if table is None:
        return None
    part = table[table["scope"] == "all"]
    if part.empty and len(table["entity_id"].unique()) == 1:
        part = table
    return None if part.empty else part.sort_values(PERIOD_COLUMN)


def _bands(table: pd.DataFrame) -> list[Any]:
    x = days(table[PERIOD_COLUMN])
    edge = {"mode": "lines", "line": {"width": 0}, "hoverinfo": "skip"}
    return [
        go.Scatter(x=x, y=digits(table["kpi_p95"]), showlegend=False, **edge),
        go.Scatter(
            x=x, y=digits(table["kpi_p05"]), name="90 %", fill="tonexty", fillcolor=BAND_90, **edge
        ),
        go.Scatter(x=x, y=digits(table["kpi_p75"]), showlegend=False, **edge),
        go.Scatter(
            x=x, y=digits(table["kpi_p25"]), name="50 %", fill="tonexty", fillcolor=BAND_50, **edge
        ),
        go.Scatter(
            x=x, y=digits(table["kpi_p50"]), name="forecast (median)", mode="lines",
            line={"color": BLUE, "width": 2.2, "dash": "dash"},
            hovertemplate="forecast: %{y:,.3s}<extra></extra>",
        ),
    ]  # fmt: skip


def _ahead_figure(documents: ReportDocuments, ahead: pd.DataFrame) -> Figure:
    traces = _bands(ahead)
    kpi = documents.kpi
    if kpi is not None:
        recent = kpi.iloc[-PERIODS_PER_YEAR[documents.grain] :]
        traces.append(
            go.Scatter(
                x=days(recent.index), y=digits(recent["actual"]), name="actual", mode="lines",
                line={"color": INK, "width": 1.6},
                hovertemplate="actual: %{y:,.3s}<extra></extra>",
            )
        )  # fmt: skip
    chart = draw(
        traces,
        height=300,
        hovermode="x unified",
        legend={"traceorder": "normal"},
        yaxis={"title": {"text": label(documents.words.unit_of_kpi)}},
        xaxis={"type": "date", "showgrid": False},
    )
    total = format_compact(float(ahead["kpi_mean"].sum()))
    return Figure(
        "forecast",
        f"The next {documents.period_words(len(ahead))}",
        f"{total} {documents.spec.kpi_name} expected in all.",
        chart,
        300,
        _ahead_table(documents, ahead),
    )


def _ahead_table(documents: ReportDocuments, ahead: pd.DataFrame) -> Table:
    """Recent periods with what happened, then the coming ones with what is forecast."""
    columns = [
        Column("Period", Kind.DATE, "first day of the period"),
        Column("Actual", Kind.NUMBER, "observed KPI, summed over entities", documents.words.unit),
        *_quantile_columns(documents.words.unit),
    ]
    kpi = documents.kpi
    n_recent = PERIODS_PER_YEAR[documents.grain]
    recent = [] if kpi is None else list(kpi["actual"].iloc[-n_recent:].items())
    rows: list[list[Any]] = [[period, value, *[None] * len(QUANTILES)] for period, value in recent]
    rows += [
        [row[PERIOD_COLUMN], None, *(row[name] for name in QUANTILES)]
        for row in ahead.to_dict("records")
    ]
    return Table("forecast", f"{Artifact.FORECAST}, {Artifact.FITTED}", columns, rows)


def _quantile_columns(unit: str) -> list[Column]:
    return [
        Column(f"{q} %", Kind.NUMBER, f"the KPI is below this in {q} of 100 cases", unit)
        for q in (round(100 * share) for share in QUANTILES.values())
    ]


def _scored_figure(documents: ReportDocuments, scored: pd.DataFrame) -> Figure:
    inside = (scored["actual"] >= scored["kpi_p05"]) & (scored["actual"] <= scored["kpi_p95"])
    middle = digits(scored["kpi_p50"])
    x = days(scored[PERIOD_COLUMN])
    traces: list[Any] = [
        go.Scatter(
            x=x, y=middle, name="forecast, 90 % interval", mode="markers",
            marker={"color": BLUE, "size": 8, "symbol": "line-ew-open", "line": {"width": 2.5}},
            error_y={
                "type": "data", "symmetric": False, "thickness": 2, "width": 4,
                "array": _gap(scored["kpi_p95"], scored["kpi_p50"]),
                "arrayminus": _gap(scored["kpi_p50"], scored["kpi_p05"]),
            },
            hovertemplate="forecast: %{y:,.3s}<extra></extra>",
        ),
        _actuals(scored[inside], "actual, inside", INK, "circle"),
        _actuals(scored[~inside], "actual, outside", VERMILLION, "x"),
    ]  # fmt: skip
    chart = draw(
        [trace for trace in traces if trace.x],
        height=300,
        showlegend=True,
        yaxis={"title": {"text": label(documents.words.unit_of_kpi)}},
        xaxis={"type": "date", "showgrid": False},
    )
    caption = (
        f"{int(inside.sum())} of {len(scored)} actual values ({format_share(inside.mean())}) fell "
        "inside the 90 % interval that was forecast before they were known."
    )
    return Figure(
        "scored", "Earlier forecasts and what happened", caption, chart, 300,
        _scored_table(documents, scored),
    )  # fmt: skip


def _actuals(part: pd.DataFrame, name: str, colour: str, symbol: str) -> go.Scatter:
    return go.Scatter(
        x=days(part[PERIOD_COLUMN]), y=digits(part["actual"]), name=name, mode="markers",
        marker={"color": colour, "size": 8, "symbol": symbol, "line": {"color": ORANGE}},
        hovertemplate="actual: %{y:,.3s}<extra></extra>",
    )  # fmt: skip


def _gap(upper: "pd.Series[float]", lower: "pd.Series[float]") -> list[float | None]:
    return digits((upper - lower).clip(lower=0))


def _scored_table(documents: ReportDocuments, scored: pd.DataFrame) -> Table:
    columns = [
        Column("Period", Kind.DATE, "first day of the period"),
        Column("Periods ahead", Kind.NUMBER, "how far ahead it was forecast"),
        Column("Forecast run", Kind.TEXT, "run that made the forecast"),
        Column("Actual", Kind.NUMBER, "KPI that happened", documents.words.unit),
        *_quantile_columns(documents.words.unit),
    ]
    names = [
        PERIOD_COLUMN, "periods_ahead", "forecast_run_id", "actual",
        "kpi_p05", "kpi_p25", "kpi_p50", "kpi_p75", "kpi_p95",
    ]  # fmt: skip
    rows = [[row[name] for name in names] for row in scored.to_dict("records")]
    return Table("forecast_actuals", Artifact.FORECAST_ACTUALS, columns, rows)
