"""What more or less spend would bring: response curves per channel, and per entity of a panel."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from schemas.documents.effects import ResponseCurve
from schemas.names import Artifact
from schemas.words import format_compact, format_interval, format_ratio
from tasks.report.blocks import Block, Column, Figure, Fold, Grid, Kind, Section, Table, Text
from tasks.report.curve_picture import (
    CURVE_HEIGHT,
    SMALL_HEIGHT,
    band_ends,
    band_words,
    draw_curve,
)
from tasks.report.decision import Holds, what_holds
from tasks.report.documents import ReportDocuments

MAX_CURVES = 300
"""Curves of single entities that are shown; more would make the page too large."""
MAX_SMALL, MAX_SHOWN = 6, 6
"""Curves on the first screen, and in the section before it folds."""
WHERE = {"below": "below all spend seen", "beyond": "beyond the curve"}


def curves_section(documents: ReportDocuments) -> Section | None:
    """One small picture per channel; a choice of entity for panels."""
    if documents.diagnostics is None:
        return None
    title = "What more or less would bring"
    if not documents.curves:
        why = (
            f"Models of kind {documents.spec.model.kind} have no curve of one channel alone: what "
            "a channel brings depends on the others."
        )
        return Section("curves", title, [Text([why])])
    ordered, planned = _with_marginal(documents)
    shown = _entities_shown(documents, ordered)
    figures = [
        _figure(documents, position, (name, curve), shown, is_planned=name in planned)
        for position, (name, curve) in enumerate(ordered.items())
    ]
    choices = ["All together", *shown] if shown else []
    choice = "Entity" if shown else ""

    def grid(key: str, chosen: Sequence[Figure]) -> Grid:
        own = {f.title: ordered[f.title] for f in chosen}
        return Grid(key, chosen, _points_table(documents, own), choice, choices)

    blocks: list[Block] = [grid("curves", figures[:MAX_SHOWN])]
    if figures[MAX_SHOWN:]:
        rest = figures[MAX_SHOWN:]
        blocks.append(Fold(f"Curves of {len(rest)} more channels", [grid("more-curves", rest)]))
    blocks.append(
        Fold("Today, break-even and headroom", [_marks_table(documents, ordered, planned)])
    )
    blocks += _left_out(documents, ordered, shown)
    period = documents.period_words(1).split()[1]
    lead = (
        f"What a channel adds per {period} in the long run, if it got the same amount in every "
        f"{period}. Today is the {documents.today_words}. The band holds the truth with "
        f"{band_words(ordered)}; grey ground is the range seen in the data, and beyond it the "
        "curve is a guess."
    )
    return Section("curves", title, blocks, lead)


def small_curves(documents: ReportDocuments) -> Grid | None:
    """Curves of the channels with most spend today, with today and the plan marked."""
    curves = documents.curves
    names = [*curves][:MAX_SMALL]
    if not names:
        return None
    figures = [
        Figure(
            key=f"small-curve-{position}",
            title=name,
            caption="",
            chart=draw_curve(
                curves[name], unit="", kpi_name="", planned=_planned(documents, name), is_small=True
            ),
            height=SMALL_HEIGHT,
        )
        for position, name in enumerate(names)
    ]
    return Grid("small-curves", figures, _points_table(documents, {n: curves[n] for n in names}))


def _planned(documents: ReportDocuments, name: str) -> float | None:
    """Planned spend per period of a channel; None where this run's plan is not acted on."""
    plan = documents.plan
    if plan is None or name not in plan.channels or what_holds(documents) is not Holds.THIS:
        return None
    return plan.channels[name].planned / plan.horizon


def _with_marginal(documents: ReportDocuments) -> tuple[dict[str, ResponseCurve], set[str]]:
    """Curves with the mROAS that advice stands on, where a plan has one: one number per channel.

    The names are those whose mROAS is a plan's, with an interval of 94 %.
    """
    found, planned = dict(documents.curves), set()
    for name, (mean, low, high) in documents.marginal_returns().items():
        if name in found and low is not None:
            own = {"mroas_mean": mean, "mroas_low": low, "mroas_high": high}
            found[name] = found[name].model_copy(update=own)
            planned.add(name)
    return found, planned


def _entities_shown(documents: ReportDocuments, curves: Mapping[str, ResponseCurve]) -> list[str]:
    """Entities that have curves of their own, the largest KPI first, as many as fit the page."""
    with_curves = {e for curve in curves.values() for e in curve.entities or {}}
    fitted = documents.run.frame(Artifact.FITTED)
    if fitted is None:
        return sorted(with_curves)[: MAX_CURVES // len(curves)]
    size = fitted.groupby("entity_id")["actual"].sum().sort_values(ascending=False)
    ordered = [str(e) for e in size.index if str(e) in with_curves]
    return ordered[: max(1, MAX_CURVES // len(curves))]


def _left_out(
    documents: ReportDocuments, curves: Mapping[str, ResponseCurve], shown: Sequence[str]
) -> list[Block]:
    all_entities = {e for curve in curves.values() for e in curve.entities or {}}
    n_hidden = len(all_entities) - len(shown)
    if n_hidden <= 0:
        return []
    text = (
        f"Curves of the {len(shown)} entities with the largest {documents.spec.kpi_name} can be "
        f"chosen here; those of {n_hidden} more come with an export."
    )
    return [Text([text])]


def _figure(
    documents: ReportDocuments,
    position: int,
    channel: tuple[str, ResponseCurve],
    shown: Sequence[str],
    *,
    is_planned: bool,
) -> Figure:
    name, curve = channel
    entities = curve.entities or {}
    period = documents.period_words(1).split()[1]
    unit = f"spend per {period}" if curve.unit == "spend" else f"input per {period}"
    return Figure(
        key=f"curve-{position}",
        title=name,
        caption=_sentence(documents, curve, is_planned=is_planned),
        chart=draw_curve(
            curve, unit=unit, kpi_name=documents.spec.kpi_name, planned=_planned(documents, name)
        ),
        height=CURVE_HEIGHT,
        by_choice={
            entity: draw_curve(entities[entity], unit=unit, kpi_name=documents.spec.kpi_name)
            for entity in shown
            if entity in entities
        },
    )


def _sentence(documents: ReportDocuments, curve: ResponseCurve, *, is_planned: bool) -> str:
    """Say what the next unit returns and where it breaks even, as far as the file knows."""
    reported = []
    if curve.mroas_mean is not None:
        what = "" if documents.words.in_money else f" {documents.spec.kpi_name}"
        mean = format_ratio(curve.mroas_mean)
        ends = format_interval(curve.mroas_low, curve.mroas_high)
        interval = f" (94 %: {ends})" if is_planned else ""
        reported.append(f"The next money brings {mean}{what}{interval}.")
    if curve.breakeven_where in WHERE:
        reported.append(f"Break-even is {WHERE[curve.breakeven_where]}.")
    elif curve.breakeven is not None:
        reported.append(f"It breaks even at {format_compact(curve.breakeven)}.")
    return " ".join(reported)


def _marks_table(
    documents: ReportDocuments, curves: Mapping[str, ResponseCurve], planned: Collection[str]
) -> Table:
    returns = "return per money" if documents.words.in_money else "KPI per money"
    columns = [
        Column("Channel", Kind.TEXT, "channel of the run spec"),
        Column("Per", Kind.TEXT, "money, or the channel's own input"),
        Column(
            f"Today, {documents.today_words}",
            Kind.NUMBER,
            "mean per period, all entities",
            "money or input",
        ),
        Column("Seen from", Kind.NUMBER, "least in a fitted period", "money or input"),
        Column("Seen to", Kind.NUMBER, "most in a fitted period", "money or input"),
        Column(f"Next money, {documents.coming_words}", Kind.RATIO, f"{returns} of the next money"),
        Column("94 %", Kind.INTERVAL, "94 % interval of the next money's return, with a plan"),
        Column("Break-even", Kind.NUMBER, "spend per period where the next unit returns its cost"),
        Column("Headroom", Kind.NUMBER, "break-even less today", "money"),
    ]
    # The interval of a file without a plan is a 90 % one, which this page does not mix in.
    rows = [
        [
            name, "money" if curve.unit == "spend" else "input",
            curve.current, curve.observed_low, curve.observed_high, curve.mroas_mean,
            format_interval(curve.mroas_low, curve.mroas_high) if name in planned else "–",
            curve.breakeven, curve.headroom,
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


def _points_table(documents: ReportDocuments, curves: Mapping[str, ResponseCurve]) -> Table:
    unit = documents.words.unit
    columns = [
        Column("Channel", Kind.TEXT, "channel of the run spec"),
        Column("Per period", Kind.NUMBER, "spend or input, all entities together"),
        Column("Median", Kind.NUMBER, "KPI added per period, median", unit),
        Column(f"{band_words(curves)} from", Kind.NUMBER, "lower end of the band", unit),
        Column(f"{band_words(curves)} to", Kind.NUMBER, "upper end of the band", unit),
    ]
    rows = [
        [name, *point]
        for name, curve in curves.items()
        for point in zip(curve.x, curve.median, *band_ends(curve), strict=True)
    ]
    return Table("response_curves", Artifact.RESPONSE_CURVES, columns, rows)
