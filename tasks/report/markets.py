"""Where media work: return by entity and channel, for panels."""

import pandas as pd
import plotly.graph_objects as go

from schemas.names import ENTITY_COLUMN, Artifact
from schemas.words import format_interval, format_ratio
from tasks.report.blocks import Column, Figure, Kind, Section, Table
from tasks.report.documents import ReportDocuments
from tasks.report.look import distinct_labels, draw

MAX_ENTITIES = 60
MAX_OPEN = 4
"""More entities than this would push everything else down the page: they open on demand."""


def markets_section(documents: ReportDocuments) -> Section | None:
    """Heatmap of ROAS; absent for one entity, and where the KPI has no value in money."""
    table = documents.run.frame(Artifact.ROAS_BY_ENTITY)
    if table is None or table[ENTITY_COLUMN].nunique() < 2 or table["roas_mean"].isna().all():
        return None
    size = table.groupby(ENTITY_COLUMN)["spend"].sum().sort_values(ascending=False)
    shown = _by_return(table, [str(name) for name in size.index[:MAX_ENTITIES]])
    channels = documents.in_order(sorted(table["channel"].unique()))
    part = table[table[ENTITY_COLUMN].astype(str).isin(shown)]
    n_hidden = len(size) - len(shown)
    lead = (
        "ROAS per entity and channel over the fitted periods, with its 94 % interval; the entity "
        "that returns most on top."
    )
    if n_hidden:
        lead += (
            f" The {len(shown)} entities with the largest spend are shown; {n_hidden} more come "
            "with an export."
        )
    figure = Figure(
        "markets",
        "ROAS by entity and channel",
        "Yellow returns more than blue. An empty cell had no spend.",
        _heatmap(part, shown, channels),
        _height(shown),
        _table(documents, part, shown),
        min_width=150 + 84 * len(channels),
    )
    return Section("markets", "Markets", [figure], lead, is_folded=len(shown) > MAX_OPEN)


def _by_return(table: pd.DataFrame, names: list[str]) -> list[str]:
    """Entities by what all their media return, the best first."""
    sums = table.assign(**{ENTITY_COLUMN: table[ENTITY_COLUMN].astype(str)})
    sums = sums.assign(value=sums["roas_mean"] * sums["spend"])
    sums = sums.groupby(ENTITY_COLUMN)[["value", "spend"]].sum()
    returned = (sums["value"] / sums["spend"].where(sums["spend"] > 0)).fillna(float("-inf"))
    return sorted(names, key=lambda name: -float(returned[name]))


def _height(shown: list[str]) -> int:
    return 130 + 34 * max(len(shown), 3)


def _heatmap(part: pd.DataFrame, shown: list[str], channels: list[str]) -> go.Figure:
    by_name = part.assign(**{ENTITY_COLUMN: part[ENTITY_COLUMN].astype(str)})
    mean, low, high = (
        by_name.pivot_table(index=ENTITY_COLUMN, columns="channel", values=f"roas_{end}")
        .reindex(index=shown, columns=channels)
        .to_numpy(float)
        for end in ("mean", "low", "high")
    )
    values = [[None if pd.isna(v) else float(f"{v:.5g}") for v in row] for row in mean]
    texts = [
        [
            "" if pd.isna(m) else f"{format_ratio(m)}<br>{format_interval(a, b)}"
            for m, a, b in zip(*rows, strict=True)
        ]
        for rows in zip(mean, low, high, strict=True)
    ]
    rows, columns = distinct_labels(shown, 20), distinct_labels(channels, 16)
    trace = go.Heatmap(
        z=values, x=columns, y=rows, colorscale="Cividis", xgap=2, ygap=2,
        text=texts, texttemplate="%{text}", textfont={"size": 10},
        colorbar={"title": {"text": "ROAS"}, "thickness": 10, "outlinewidth": 0},
        zmax=_upper(values), zmin=_lower(values),
        hovertemplate="%{y}, %{x}: %{z:.3~g}<extra></extra>",
    )  # fmt: skip
    axis = {"type": "category", "showgrid": False}
    return draw(
        [trace],
        height=_height(shown),
        xaxis={**axis, "side": "top", "tickangle": -35},
        yaxis={**axis, "autorange": "reversed"},
    )


def _known(values: list[list[float | None]]) -> list[float]:
    return sorted(v for row in values for v in row if v is not None)


def _upper(values: list[list[float | None]]) -> float:
    """95th percentile: one cell far out would leave all others in one colour."""
    known = _known(values)
    return known[min(len(known) - 1, int(0.95 * len(known)))]


def _lower(values: list[list[float | None]]) -> float:
    return min(0.0, _known(values)[0])


def _table(documents: ReportDocuments, part: pd.DataFrame, shown: list[str]) -> Table:
    columns = [
        Column("Entity", Kind.TEXT, "market, store or brand"),
        Column("Channel", Kind.TEXT, "channel of the run spec"),
        Column("Spend", Kind.NUMBER, "money spent over the fitted periods", documents.words.money),
        Column("Contribution", Kind.NUMBER, "KPI due to the channel", documents.words.unit),
        Column("ROAS", Kind.RATIO, "posterior mean", "money per money"),
        Column("94 %", Kind.INTERVAL, "94 % interval of the ROAS"),
    ]
    position = {name: i for i, name in enumerate(shown)}
    ordered = part.assign(_at=part[ENTITY_COLUMN].astype(str).map(position)).sort_values(
        "_at", kind="stable"
    )
    rows = [
        [
            row[ENTITY_COLUMN], row["channel"], row["spend"], row["contribution_mean"],
            row["roas_mean"],
            "–" if pd.isna(row["roas_low"]) else format_interval(row["roas_low"], row["roas_high"]),
        ]
        for row in ordered.to_dict("records")
    ]  # fmt: skip
    return Table("roas_by_entity", Artifact.ROAS_BY_ENTITY, columns, rows)
