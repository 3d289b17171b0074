"""Figures of single channels: what was believed and what was learned, and the response to spend."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, PercentFormatter

from schemas.documents.effects import Quantiles, ResponseCurve
from schemas.documents.fit import PriorChannel
from tasks.publish.canvas import POSTERIOR_COLOUR, PRIOR_COLOUR, label, panels, window_label
from tasks.publish.outputs import RunOutputs

MAX_CURVE_FIGURES = 30
"""More curves than this are too small to read; the channels that contribute most are shown."""
_PRIOR_REACH = 4.0
"""How far priors are shown, as a multiple of the furthest end of any posterior."""
_OFFSET = 0.17
"""Distance of a channel's two bars from its line, in lines."""


def prior_against_posterior(outputs: RunOutputs) -> Figure:
    """Show share and ROAS per channel: 50 % (thick) and 90 % (thin) intervals, prior in grey."""
    names = [name for name in outputs.channels if name in outputs.quantiles]
    quantities = ["share"]
    if any(outputs.quantiles[name].roas_median is not None for name in names):
        quantities.append("roas")
    named = [label(name, 25) for name in names]
    figure, grid = panels(
        f"Prior (grey) and posterior (blue) with 50 % and 90 % intervals, {window_label(outputs)}",
        len(quantities),
        columns=len(quantities),
        size=(10 / len(quantities), max(3.5, 0.42 * len(names) + 1)),
        names=named,
    )
    for axes, quantity in zip(grid, quantities, strict=True):
        _compare(axes, outputs, names, quantity)
        axes.set_yticks(range(len(names)), named)
        axes.set_ylim(len(names) - 0.5, -0.5)
    if len(grid) > 1:
        grid[1].set_yticklabels([])
    return figure


def _compare(axes: Axes, outputs: RunOutputs, names: list[str], quantity: str) -> None:
    believed = outputs.prior.channels if outputs.prior else {}
    for position, name in enumerate(names):
        if name in believed:
            _bars(axes, believed[name], quantity, position - _OFFSET, PRIOR_COLOUR)
        _bars(axes, outputs.quantiles[name], quantity, position + _OFFSET, POSTERIOR_COLOUR)
    axes.grid(axis="x", color="#eeeeee")
    axes.set_axisbelow(True)
    if quantity == "share":
        axes.set_xlabel(label(f"share of {outputs.spec.kpi_name}"))
        axes.xaxis.set_major_formatter(PercentFormatter(1.0))
        axes.axvline(0.0, color="grey", linewidth=0.8)
    else:
        axes.set_xlabel("ROAS")
        axes.axvline(1.0, color="grey", linewidth=0.8, linestyle="--")
        axes.set_xlim(left=0.0)
    _zoom(axes, [outputs.quantiles[name] for name in names], quantity)


def _zoom(axes: Axes, rows: list[Quantiles], quantity: str) -> None:
    """Let a wide prior run out of the picture before it makes the posteriors unreadable."""
    found = [row.ends(quantity) for row in rows]
    ends = [row[end] for row in found if row is not None for end in ("low_90", "high_90")]
    reach = _PRIOR_REACH * max(map(abs, ends), default=0.0)
    low, high = axes.get_xlim()
    if reach > 0:
        axes.set_xlim(max(low, -reach), min(high, reach))


def _bars(
    axes: Axes, row: Quantiles | PriorChannel, quantity: str, height: float, color: str
) -> None:
    """Draw one distribution as two bars and a dot; nothing where there is none."""
    median = getattr(row, f"{quantity}_median")
    if median is None:
        return
    for percent, width in ((90, 1.4), (50, 4.5)):
        ends = [getattr(row, f"{quantity}_{end}_{percent}") for end in ("low", "high")]
        axes.plot(ends, [height, height], color=color, linewidth=width, solid_capstyle="butt")
    axes.plot(
        [median], [height], "o", color="white", markeredgecolor=color,
        markersize=4,
    )  # fmt: skip


def response_curves(outputs: RunOutputs) -> Figure:
    """Show each channel's long-run contribution per period against its spend or input."""
    names = [name for name in outputs.channels if name in outputs.curves][:MAX_CURVE_FIGURES]
    columns = min(len(names), 3)
    figure, grid = panels(
        f"Response per period with 90 % band, {window_label(outputs)} "
        "(shaded: observed range, dot: mean)",
        len(names),
        columns=columns,
        size=(4.0 if columns > 2 else 5.0, 2.9),
    )
    for axes, name in zip(grid, names, strict=True):
        _curve(axes, outputs.curves[name])
        axes.set_title(label(name, 35), fontsize=9, loc="left")
    for axes in grid[::columns]:
        axes.set_ylabel(label(outputs.spec.kpi_name), fontsize=9)
    return figure


def _curve(axes: Axes, curve: ResponseCurve) -> None:
    x = curve.x
    axes.axvspan(curve.observed_low, curve.observed_high, color="#f0f0f0", linewidth=0)
    axes.fill_between(
        x, curve.low_90, curve.high_90, color=POSTERIOR_COLOUR, alpha=0.25, linewidth=0
    )
    axes.plot(x, curve.median, color=POSTERIOR_COLOUR, linewidth=1.5)
    at_mean = np.interp(curve.current, x, curve.median)
    axes.plot([curve.current], [at_mean], "o", color="black", markersize=5)
    axes.set_xlim(0.0, x[-1])
    axes.set_xlabel(f"{curve.unit} per period", fontsize=8)
    axes.tick_params(labelsize=8)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(EngFormatter(sep=""))
