"""The picture of one response curve: median, band, and what is marked on it."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import plotly.graph_objects as go

from schemas.documents.effects import EntityCurve, ResponseCurve
from tasks.report.decision import STILL
from tasks.report.look import BLUE, FAINT, GREEN, GREY, INK, VERMILLION, digits, draw, label

type Curve = ResponseCurve | EntityCurve

CURVE_HEIGHT, SMALL_HEIGHT = 215, 135


def band_words(curves: Mapping[str, ResponseCurve]) -> str:
    """Probability of the band: 94 %, or 90 % in runs of before."""
    return "94 %" if all(curve.low_94 for curve in curves.values()) else "90 %"


def band_ends(curve: Curve) -> tuple[list[float | None], list[float | None]]:
    """Ends of the band of a curve: the 94 % one where the file has it."""
    if curve.low_94:
        return digits(curve.low_94), digits(curve.high_94)
    return digits(curve.low_90), digits(curve.high_90)


def draw_curve(
    curve: Curve,
    *,
    unit: str,
    kpi_name: str,
    planned: float | None = None,
    is_small: bool = False,
) -> go.Figure:
    """Draw median and band, today, the plan, the observed range and the break-even point."""
    x, (low, high), end = digits(curve.x), band_ends(curve), max(curve.x)
    band = {"mode": "lines", "line": {"width": 0}, "hoverinfo": "skip", "showlegend": False}
    traces = [
        go.Scatter(x=x, y=high, **band),
        go.Scatter(
            x=x, y=low, fill="tonexty", fillcolor="rgba(0,114,178,0.18)", **band
        ),
        go.Scatter(
            x=x, y=digits(curve.median), mode="lines", line={"color": BLUE, "width": 2.4},
            customdata=list(zip(low, high, strict=True)),
            hovertemplate="%{x:,.3s}: %{y:,.3s} (%{customdata[0]:,.3s} to "
            "%{customdata[1]:,.3s})<extra></extra>",
            showlegend=False,
        ),
    ]  # fmt: skip
    marks = _marks(curve, planned)
    if is_small:
        marks = [mark for mark in marks if mark.text != "break-even"]
    return draw(
        traces,
        height=SMALL_HEIGHT if is_small else CURVE_HEIGHT,
        shapes=[_observed(curve), *(_line(mark) for mark in marks)],
        annotations=[_note(mark, end) for mark in marks],
        margin={"t": 22},
        xaxis={
            "title": {"text": unit} if unit else None,
            "nticks": 4,
            "range": [0, end],
        },
        yaxis={
            "title": {"text": label(kpi_name, 18)} if kpi_name else None,
            "nticks": 4,
            "rangemode": "tozero",
        },
    )


def _observed(curve: Curve) -> dict[str, Any]:
    return {
        "type": "rect", "x0": curve.observed_low, "x1": curve.observed_high,
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


def _marks(curve: Curve, planned: float | None) -> list[Mark]:
    current = curve.current
    marks = [Mark("today", current, INK, "solid", is_above=True)]
    if planned is not None and abs(planned - current) > STILL * current:
        marks.append(Mark("plan", planned, GREEN, "solid", is_above=False))
    breakeven = curve.breakeven if isinstance(curve, ResponseCurve) else None
    if breakeven is not None and breakeven <= max(curve.x):
        marks.append(Mark("break-even", breakeven, VERMILLION, "dash", is_above=False))
    return marks


def _line(mark: Mark) -> dict[str, Any]:
    return {
        "type": "line", "x0": mark.x, "x1": mark.x, "y0": 0, "y1": 1, "yref": "paper",
        "line": {"color": mark.colour, "width": 1.4, "dash": mark.dash},
    }  # fmt: skip


def _note(mark: Mark, end: float) -> dict[str, Any]:
    """Return the words of a mark, inside a picture whose axis ends at ``end``."""
    on_left = mark.x > end / 2
    side, shift = ("right", -4) if on_left else ("left", 4)
    return {
        "x": mark.x, "y": 1 if mark.is_above else 0, "yref": "paper",
        # On a phone a picture is a hundred pixels wide.
        "text": mark.text.replace("-", "-<br>"), "align": side,
        "showarrow": False, "yanchor": "bottom", "xanchor": "center" if mark.is_above else side,
        "xshift": 0 if mark.is_above else shift, "yshift": _lift(mark),
        "font": {"size": 11, "color": GREY if mark.is_above else mark.colour},
        "bgcolor": "rgba(255,255,255,0.8)",
    }  # fmt: skip


def _lift(mark: Mark) -> int:
    """Pixels above the axis: plan and break-even may stand side by side."""
    return {"plan": 30, "break-even": 3}.get(mark.text, 0)
