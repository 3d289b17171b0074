"""What a unit of money returned per channel, and what the next unit would."""

from collections.abc import Mapping
from typing import Any

import plotly.graph_objects as go

from schemas.names import Artifact
from tasks.report.blocks import Block, Column, Figure, Kind, Section, Table, Text
from tasks.report.documents import ReportDocuments, ReturnWords
from tasks.report.look import (
    BLUE,
    GREY,
    INK,
    VERMILLION,
    digits,
    distinct_labels,
    draw,
    names_axis,
    rows_height,
)

ESTIMATION = "over the fitted periods"


def returns_section(documents: ReportDocuments) -> Section | None:
    """Show ROAS, or cost per unit of a count KPI, with 94 % intervals."""
    if not documents.roi:
        return None
    words = documents.words
    blocks: list[Block] = []
    shown = _with_return(documents.roi, words.stem)
    if shown:
        blocks.append(_figure(documents, words.stem, words.title))
    else:
        blocks.append(
            Text([f"No channel has spend and an effect, so there is no {words.title} to show."])
        )
    if words.stem == "cost_per_unit" and words.has_value:
        blocks.append(_figure(documents, "roas", "ROAS"))
    driven = [name for name, row in documents.roi.items() if row.get("prior_driven")]
    if driven:
        blocks.append(Text([_prior_sentence(driven)], tone="care", title="Decided by assumptions"))
    unpaid = [name for name in documents.roi if name not in shown]
    if shown and unpaid:
        reported = f"Without spend or without a positive effect, so not shown: {', '.join(unpaid)}."
        blocks.append(Text([reported]))
    lead = f"{words.meaning} The bar holds the true value with a probability of 94 %."
    return Section("returns", f"{words.title} by channel", blocks, lead)


def _prior_sentence(driven: list[str]) -> str:
    return (
        f"The data say little about {', '.join(driven)}: these numbers are mostly what was assumed "
        "before. Vary their spend or run a lift test before moving money on them."
    )


def _with_return(roi: Mapping[str, Mapping[str, Any]], stem: str) -> dict[str, Mapping[str, Any]]:
    return {name: row for name, row in roi.items() if row.get(f"{stem}_mean") is not None}


def _figure(documents: ReportDocuments, stem: str, title: str) -> Figure:
    shown = _with_return(documents.roi, stem)
    labels = distinct_labels(shown, lines=2)
    traces = [
        _points(shown, labels, stem, driven=False),
        _points(shown, labels, stem, driven=True),
    ]
    if stem == "roas":
        traces.append(_next_unit(documents, shown, labels))
    target = documents.spec.optimizer.target_return if stem == "roas" else None
    chart = draw(
        [trace for trace in traces if trace.y],
        height=rows_height(len(shown)),
        xaxis={"title": {"text": f"{_axis_word(stem, documents.words)}"}, "rangemode": "tozero"},
        yaxis={**names_axis(labels), "range": [-0.95, len(labels) - 0.5]},
        **({"shapes": [_line_at(target)], "annotations": [_line_note(target)]} if target else {}),
    )
    return Figure(
        key=f"returns-{stem.replace('_', '-')}",
        title=title,
        caption=(
            "Filled: decided by the data. Hollow: mostly assumed before the data. "
            + (
                "Diamond: what one percent more returns (mROAS), in the coming window with a plan."
                if stem == "roas"
                else ""
            )
        ),
        chart=chart,
        height=rows_height(len(shown)),
        table=returns_table(documents, stem),
    )


def _axis_word(stem: str, words: ReturnWords) -> str:
    from tasks.report.look import label

    return "ROAS" if stem == "roas" else f"money per {label(words.kpi_name)}"


def _points(
    shown: Mapping[str, Mapping[str, Any]], labels: list[str], stem: str, *, driven: bool
) -> go.Scatter:
    chosen = [
        (row, name)
        for row, name in zip(shown.values(), labels, strict=True)
        if bool(row.get("prior_driven")) is driven
    ]
    mean = digits(row[f"{stem}_mean"] for row, _ in chosen)
    low = digits(row[f"{stem}_low"] for row, _ in chosen)
    high = digits(row[f"{stem}_high"] for row, _ in chosen)
    colour = VERMILLION if driven else BLUE
    return go.Scatter(
        x=mean,
        y=[name for _, name in chosen],
        name="mostly assumed" if driven else "decided by the data",
        mode="markers",
        marker={
            "size": 12, "symbol": "circle-open" if driven else "circle",
            "color": colour, "line": {"width": 2.5, "color": colour},
        },
        error_x={
            "type": "data", "symmetric": False, "thickness": 2.5, "width": 5,
            "array": _gap(high, mean), "arrayminus": _gap(mean, low),
        },
        customdata=list(zip(low, high, strict=True)),
        hovertemplate="%{y}: %{x:.3~g} (94 %: %{customdata[0]:.3~g} to %{customdata[1]:.3~g})"
        "<extra></extra>",
    )  # fmt: skip


def _gap(upper: list[float | None], lower: list[float | None]) -> list[float | None]:
    return [
        None if u is None or l is None else max(u - l, 0.0)
        for u, l in zip(upper, lower, strict=True)  # noqa: E741
    ]


def _next_unit(
    documents: ReportDocuments, shown: Mapping[str, Mapping[str, Any]], labels: list[str]
) -> go.Scatter:
    marginal = documents.marginal_returns()
    known = [
        (marginal[channel][0], name)
        for channel, name in zip(shown, labels, strict=True)
        if marginal[channel][0] is not None
    ]
    return go.Scatter(
        x=digits(value for value, _ in known),
        y=[name for _, name in known],
        name="one percent more (mROAS)",
        mode="markers",
        marker={
            "size": 9,
            "symbol": "diamond-open",
            "color": INK,
            "line": {"width": 1.8, "color": INK},
        },
        hovertemplate="%{y}: one percent more returns %{x:.3~g}<extra></extra>",
    )  # fmt: skip


def _line_at(value: float) -> dict[str, Any]:
    return {
        "type": "line", "x0": value, "x1": value, "y0": 0, "y1": 1, "yref": "paper",
        "line": {"color": INK, "width": 1.3, "dash": "dot"},
    }  # fmt: skip


def _line_note(value: float) -> dict[str, Any]:
    return {
        "x": value, "y": 0, "yref": "paper", "text": f"break-even {value:g}", "showarrow": False,
        "xanchor": "left", "yanchor": "bottom", "xshift": 4, "font": {"size": 11, "color": GREY},
    }  # fmt: skip


def returns_table(documents: ReportDocuments, stem: str) -> Table:
    """Table of spend, contribution and return per channel."""
    words = documents.words
    title = "ROAS" if stem == "roas" else words.title
    unit = "money per money" if stem == "roas" else f"money per {words.kpi_name}"
    columns = [
        Column("Channel", Kind.TEXT, "channel of the run spec"),
        Column("Spend", Kind.NUMBER, f"money spent {ESTIMATION}", "money"),
        Column("Contribution", Kind.NUMBER, f"KPI due to the channel {ESTIMATION}", words.unit),
        Column(title, Kind.RATIO, "posterior mean", unit),
        Column("94 % from", Kind.RATIO, "lower end of the 94 % interval", unit),
        Column("94 % to", Kind.RATIO, "upper end of the 94 % interval", unit),
    ]
    if stem == "roas":
        columns.append(Column("mROAS", Kind.RATIO, "return of the next coming percent", unit))
    columns += [
        Column("Decided by", Kind.TEXT, "data, or mostly prior assumptions"),
        Column("Evidence", Kind.TEXT, "whether the channel can be told from one without effect"),
    ]
    rows = []
    coming = documents.marginal_returns()
    for name, row in documents.roi.items():
        ends = [row.get(f"{stem}_{end}") for end in ("mean", "low", "high")]
        marginal = [coming[name][0]] if stem == "roas" else []
        decided = "prior" if row.get("prior_driven") else "data"
        said = [decided, row.get("evidence_sentence", "")]
        rows.append([name, row.get("spend"), row.get("contribution_mean"), *ends, *marginal, *said])
    return Table(f"returns_{stem}", Artifact.ROI_METRICS, columns, rows)
