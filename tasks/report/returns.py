"""What channels returned lately, and what the next money would."""

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from schemas.documents.effects import ReturnStem
from schemas.names import Artifact
from schemas.words import format_interval, format_ratio, format_share
from tasks.report.blocks import Block, Column, Figure, Fold, Kind, Row, Section, Table, Text
from tasks.report.brought import lately_figure
from tasks.report.documents import ReportDocuments
from tasks.report.lately import is_outdone, lead_channel
from tasks.report.look import (
    BLUE,
    GREY,
    INK,
    VERMILLION,
    digits,
    distinct_labels,
    draw,
    label,
    names_axis,
    rows_height,
)
from tasks.report.timing import returns_over_time, timing_figure
from tasks.report.today import ChannelToday, Decided, channels_today, decided_by, period_of

ESTIMATION = "over the fitted periods"


def returns_section(documents: ReportDocuments) -> Section | None:
    """The lead channel in words; return, return over time, and timing of every channel."""
    if not documents.roi:
        return None
    words = documents.words
    rows = channels_today(documents)
    shown = [row for row in rows if row.returned[0] is not None]
    blocks: list[Block] = []
    lead = lead_words(documents)
    if lead:
        blocks.append(Text(lead))
    pictures: list[Block] = [_figure(documents, shown)] if shown else []
    over_time = returns_over_time(documents, rows_height(len(shown), per_row=38, extra=80))
    pictures += [over_time] if over_time else []
    if pictures:
        blocks.append(Row(pictures))
    else:
        blocks.append(
            Text([f"No channel has spend and an effect, so there is no {words.title} to show."])
        )
    timing, lately = timing_figure(documents), lately_figure(documents)
    more: list[Block] = [figure for figure in (timing, lately) if figure]
    if more:
        blocks.append(Row(more))
    driven = [row.name for row in rows if row.decided is Decided.PRIOR]
    if driven:
        blocks.append(Text([_prior_sentence(driven)], tone="care", title="Decided by assumptions"))
    unpaid = [row.name for row in rows if row not in shown]
    if shown and unpaid:
        reported = f"Without spend or without a positive effect, so not shown: {', '.join(unpaid)}."
        blocks.append(Text([reported], tone="quiet"))
    blocks.append(Fold("Over all fitted periods, with the evidence", _whole_tables(documents)))
    return Section("returns", "Channels", blocks, f"{words.meaning} Intervals hold 94 %.")


def _whole_tables(documents: ReportDocuments) -> list[Block]:
    words = documents.words
    tables: list[Block] = [returns_table(documents, words.stem)]
    if words.stem == "cost_per_unit" and words.has_value:
        tables.append(returns_table(documents, "roas"))
    return tables


def lead_words(documents: ReportDocuments) -> list[str]:
    """Say about the lead channel what no other number of the page says in words."""
    lead = lead_channel(documents)
    if lead is None:
        return []
    among = "of channels that the data speak of" if is_outdone(documents, lead) else ""
    most = " ".join(filter(None, [f"{lead.name} brings most", among]))
    by = {Decided.BOTH: "partly by the data"}.get(lead.decided, f"by {lead.decided.value}")
    said = [f"{most}. Its return was decided {by}"]
    if lead.decided is Decided.UNCLEAR:
        said = [f"{most}, though its effect is {lead.decided.value}"]
    mean, low, high = documents.marginal_returns().get(lead.name, (None, None, None))
    if mean is not None:
        ends = f" (94 %: {format_interval(low, high)})" if low is not None else ""
        said.append(f"its next money returns {format_ratio(mean)}{ends}")
    row = documents.effects.get(lead.name)
    if row is not None and row.immediate_share_mean is not None:
        period = documents.period_words(1).split()[1]
        said.append(
            f"{format_share(row.immediate_share_mean)} of what it does comes in the {period} of "
            "the spend"
        )
    return ["; ".join(said) + "."]


def _prior_sentence(driven: list[str]) -> str:
    return (
        f"The data say little about {', '.join(driven)}: these numbers are mostly what was assumed "
        "before. Vary their spend or run a lift test before moving money on them."
    )


def _figure(documents: ReportDocuments, shown: Sequence[ChannelToday]) -> Figure:
    words = documents.words
    names = [row.name for row in shown]
    labels = dict(zip(names, distinct_labels(names, lines=2), strict=True))
    traces = [_points(shown, labels, decided) for decided in Decided]
    is_roas = words.stem == "roas"
    if is_roas:
        traces.append(_next_unit(documents, labels))
    target = documents.spec.optimizer.target_return if is_roas else None
    height = rows_height(len(shown), per_row=38, extra=80)
    unit = "ROAS" if is_roas else f"{words.money} per {label(words.kpi_name)}"
    chart = draw(
        [trace for trace in traces if trace.y],
        height=height,
        showlegend=True,
        xaxis={"title": {"text": unit}, "rangemode": "tozero"},
        yaxis={**names_axis([*labels.values()]), "range": [-0.95, len(labels) - 0.5]},
        **({"shapes": [_line_at(target)], "annotations": [_line_note(target)]} if target else {}),
    )
    next_money = f" Diamond: what the next money returns, {documents.coming_words}."
    return Figure(
        key=f"returns-{words.stem.replace('_', '-')}",
        title=f"{words.title}, {period_of(documents)}",
        caption=(
            "Filled: decided by the data alone. Hollow: not, or not alone."
            + (next_money if is_roas else "")
        ),
        chart=chart,
        height=height,
        table=_today_table(documents, shown),
    )


_LOOKS = {
    Decided.DATA: ("circle", BLUE),
    Decided.BOTH: ("circle-open", BLUE),
    Decided.UNCLEAR: ("circle-open", GREY),
    Decided.PRIOR: ("circle-open", VERMILLION),
}


def _points(
    shown: Sequence[ChannelToday], labels: Mapping[str, str], decided: Decided
) -> go.Scatter:
    chosen = [row for row in shown if row.decided is decided]
    mean, low, high = (digits(row.returned[end] for row in chosen) for end in range(3))
    symbol, colour = _LOOKS[decided]
    return go.Scatter(
        x=mean,
        y=[labels[row.name] for row in chosen],
        name=str(decided),
        mode="markers",
        marker={
            "size": 12, "symbol": symbol, "color": colour, "line": {"width": 2.5, "color": colour}
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


def _next_unit(documents: ReportDocuments, labels: Mapping[str, str]) -> go.Scatter:
    marginal = documents.marginal_returns()
    known = [
        (marginal[name][0], text) for name, text in labels.items() if marginal[name][0] is not None
    ]
    return go.Scatter(
        x=digits(value for value, _ in known),
        y=[text for _, text in known],
        name="next money",
        mode="markers",
        marker={
            "size": 9, "symbol": "diamond-open", "color": INK, "line": {"width": 1.8, "color": INK}
        },
        hovertemplate="%{y}: the next money returns %{x:.3~g}<extra></extra>",
    )  # fmt: skip


def _today_table(documents: ReportDocuments, shown: Sequence[ChannelToday]) -> Table:
    words, marginal = documents.words, documents.marginal_returns()
    columns = [
        Column("Channel", Kind.TEXT, "channel of the run spec"),
        Column(words.title, Kind.RATIO, f"posterior mean, {period_of(documents)}"),
        Column("94 % from", Kind.RATIO, "lower end of the 94 % interval"),
        Column("94 % to", Kind.RATIO, "upper end of the 94 % interval"),
        Column(
            f"Next money returns, {documents.coming_words}", Kind.RATIO,
            "mROAS, on which the plan stands; of the fitted periods without a plan",
        ),
        Column("Decided by", Kind.TEXT, "the data, or assumptions made before"),
    ]  # fmt: skip
    rows = [[r.name, *r.returned, marginal[r.name][0], r.decided.value] for r in shown]
    return Table("returns_today", f"{Artifact.CHANNEL_EFFECTS}, {Artifact.PLAN}", columns, rows)


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


def returns_table(documents: ReportDocuments, stem: ReturnStem) -> Table:
    """Table of spend, contribution and return per channel over all fitted periods."""
    words = documents.words
    title = "ROAS" if stem == "roas" else words.title
    unit = f"{words.money} per {words.money if stem == 'roas' else words.kpi_name}"
    columns = [
        Column("Channel", Kind.TEXT, "channel of the run spec"),
        Column("Spend", Kind.NUMBER, f"money spent {ESTIMATION}", words.money),
        Column("Contribution", Kind.NUMBER, f"KPI due to the channel {ESTIMATION}", words.unit),
        Column(title, Kind.RATIO, f"posterior mean {ESTIMATION}", unit),
        Column("94 %", Kind.INTERVAL, "94 % interval", unit),
        Column("Decided by", Kind.TEXT, "the data, or assumptions made before"),
        Column("Evidence", Kind.LONG, "whether the channel can be told from one without effect"),
    ]
    rows = [
        [
            name, row.spend, row.contribution_mean, row.returned(stem)[0],
            format_interval(*row.returned(stem)[1:]),
            decided_by(row).value, row.evidence_sentence or None,
        ]
        for name, row in documents.roi.items()
    ]  # fmt: skip
    return Table(f"returns_{stem}", Artifact.ROI_METRICS, columns, rows)
