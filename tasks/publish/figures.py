"""Figures of one refit for MLflow: still pictures, so that two runs compare side by side."""

import pandas as pd
from matplotlib.figure import Figure

from schemas.names import PERIOD_COLUMN, ComponentKind
from schemas.spec.kpi import KpiKind
from tasks.publish.canvas import canvas, label, window_label
from tasks.publish.media_figures import prior_against_posterior, response_curves
from tasks.publish.outputs import RunOutputs

MAX_BANDS = 10
"""More channels than this cannot be told apart in one stack; the rest is one band."""
_REST = "baseline, controls, season, trend"


def build_figures(outputs: RunOutputs) -> dict[str, Figure]:
    """Return figures by name; response curves only where the kind of model has them."""
    figures = {
        "contributions": contributions_over_time(outputs),
        "returns": returns_per_channel(outputs),
        "fitted": fitted_against_actual(outputs),
        "prior_posterior": prior_against_posterior(outputs),
    }
    if len(outputs.curves):
        figures["response_curves"] = response_curves(outputs)
    return figures


def contributions_over_time(outputs: RunOutputs) -> Figure:
    """Stack the channels' contributions on everything else, summed over entities."""
    table = outputs.contributions
    is_channel = table["kind"] == ComponentKind.CHANNEL.value
    rest = table[~is_channel].groupby(PERIOD_COLUMN)["contribution_mean"].sum()
    wide = (
        table[is_channel]
        .pivot_table(
            index=PERIOD_COLUMN,
            columns="component",
            values="contribution_mean",
            aggfunc="sum",
            sort=False,
        )
        .reindex(rest.index, fill_value=0.0)
    )
    bands = _largest_bands(wide)
    figure, axes = canvas(
        f"Contributions to {outputs.spec.kpi_name}, {window_label(outputs)}",
        legend=[_REST, *map(label, bands.columns)],
    )
    lower = rest.to_numpy()
    axes.fill_between(rest.index, 0, lower, color="#d9d9d9", label=_REST)
    for name in bands.columns:
        upper = lower + bands[name].to_numpy()
        axes.fill_between(rest.index, lower, upper, alpha=0.85, linewidth=0, label=label(name))
        lower = upper
    actual = outputs.fitted.groupby(PERIOD_COLUMN)["actual"].sum()
    axes.plot(actual.index, actual.to_numpy(), color="black", linewidth=0.9, label="actual")
    axes.set_ylabel(label(outputs.spec.kpi_name))
    axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), fontsize=8, frameon=False)
    return figure


def returns_per_channel(outputs: RunOutputs) -> Figure:
    """Show ROAS (cost per unit of a count KPI) with intervals; hollow where the prior decided."""
    count = outputs.spec.kpi.kind is KpiKind.COUNT
    stem, word = (
        ("cost_per_unit", f"cost per {outputs.spec.kpi_name}") if count else ("roas", "ROAS")
    )
    shown = [
        name for name in outputs.channels if getattr(outputs.roas[name], f"{stem}_mean") is not None
    ]
    named = [label(name) for name in shown]
    figure, axes = canvas(f"{word} with 94 % interval, {window_label(outputs)}", names=named)
    for position, name in enumerate(shown):
        row = outputs.roas[name]
        mean, low, high = (getattr(row, f"{stem}_{end}") for end in ("mean", "low", "high"))
        if low is not None and high is not None:
            axes.plot([low, high], [position, position], color="#4477aa", linewidth=2)
        face = "white" if row.prior_driven else "#4477aa"
        axes.plot([mean], [position], "o", color="#4477aa", markerfacecolor=face)
    axes.set_yticks(range(len(shown)), named)
    axes.invert_yaxis()
    axes.set_xlabel(
        label(f"{word} (hollow: decided by the prior)") if shown else "no channel has spend"
    )
    if not count:
        axes.axvline(1.0, color="grey", linewidth=0.8, linestyle="--")
    return figure


def fitted_against_actual(outputs: RunOutputs) -> Figure:
    """Show the KPI and its fit over time; intervals of several entities would not add up."""
    figure, axes = canvas(f"{outputs.spec.kpi_name}: actual and fitted, {window_label(outputs)}")
    table = outputs.fitted
    total = table.groupby(PERIOD_COLUMN)[["actual", "fitted_mean"]].sum()
    if len(table["entity_id"].unique()) == 1:
        ordered = table.sort_values(PERIOD_COLUMN)
        axes.fill_between(
            ordered[PERIOD_COLUMN], ordered["fitted_low"], ordered["fitted_high"],
            color="#4477aa", alpha=0.25, linewidth=0, label="94 % interval",
        )  # fmt: skip
    axes.plot(total.index, total["actual"], color="black", linewidth=1, label="actual")
    axes.plot(total.index, total["fitted_mean"], color="#4477aa", linewidth=1.2, label="fitted")
    axes.set_ylabel(label(outputs.spec.kpi_name))
    axes.legend(fontsize=8, frameon=False)
    return figure


def _largest_bands(wide: pd.DataFrame) -> pd.DataFrame:
    by_size = wide[wide.sum().sort_values(ascending=False).index]
    if by_size.shape[1] <= MAX_BANDS:
        return by_size
    shown = by_size.iloc[:, : MAX_BANDS - 1].copy()
    shown[f"{by_size.shape[1] - MAX_BANDS + 1} other channels"] = by_size.iloc[
        :, MAX_BANDS - 1 :
    ].sum(axis=1)
    return shown
