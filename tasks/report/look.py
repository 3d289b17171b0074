"""The look that all pictures share: colours, patterns, labels, a quiet layout.

Names come from files and are hostile: Plotly reads tags and entities in its texts, so every name
that reaches a picture goes through ``label`` or ``distinct_labels``.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd
import plotly.graph_objects as go
import plotly.io as pio

BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY = (
    "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9",
)  # fmt: skip
"""Okabe and Ito: told apart with any kind of colour vision."""
INK, GREY, PALE, FAINT = "#1f2933", "#6b7785", "#c9d1d9", "#eef1f4"
CHANNEL_COLOURS = (BLUE, ORANGE, GREEN, PURPLE, SKY, VERMILLION, "#8a7a12", "#4b5563")
CHANNEL_PATTERNS = ("", "/", ".", "x", "-", "\\", "+", "|")
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"
MAX_LABEL = 26
LINE = 13
"""A label that is longer has two lines where names stand beside a picture."""


def label(name: object, limit: int = MAX_LABEL) -> str:
    """Shorten a name to one line and take its power to be markup."""
    shown = re.sub(r"\s+", " ", re.sub(r"[\x00-\x1f\x7f]", " ", str(name))).strip() or "(no name)"
    shown = shown if len(shown) <= limit else shown[: limit - 1].rstrip() + "…"
    return shown.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def distinct_labels(
    names: Iterable[object], limit: int = MAX_LABEL, *, lines: int = 1
) -> list[str]:
    """Labels of names; equal labels get a number, for an axis would merge them.

    ``lines`` 2 breaks long labels, so that a phone has room for the picture beside them.
    """
    taken: dict[str, int] = {}
    result = []
    for name in names:
        shown = label(name, limit)
        shown = _in_two(shown) if lines > 1 else shown
        taken[shown] = taken.get(shown, 0) + 1
        result.append(shown if taken[shown] == 1 else f"{shown} ({taken[shown]})")
    return result


def _in_two(shown: str) -> str:
    """Break a label near its middle, after a blank, a hyphen or an underscore."""
    places = [found.end() for found in re.finditer(r"[ _-]+", shown) if found.end() < len(shown)]
    if len(shown) <= LINE or not places:
        return shown
    cut = min(places, key=lambda place: abs(place - len(shown) / 2))
    return f"{shown[:cut].rstrip()}<br>{shown[cut:]}"


def digits(values: Iterable[Any]) -> list[float | None]:
    """Keep five significant digits: more cannot be seen, and the page stays small."""
    return [None if v is None or pd.isna(v) else float(f"{v:.5g}") for v in values]


def days(values: Iterable[Any]) -> list[str]:
    """Write dates as Plotly reads them."""
    return [f"{pd.Timestamp(v):%Y-%m-%d}" for v in values]


def draw(traces: Sequence[Any], *, height: int, **layout: Any) -> go.Figure:
    """Return a picture with the common look; ``layout`` adds to it or replaces it."""
    axis = {
        "gridcolor": FAINT, "zerolinecolor": PALE, "linecolor": PALE, "ticks": "",
        "fixedrange": True, "automargin": True,
        "title": {"standoff": 10, "font": {"size": 12, "color": GREY}},
    }  # fmt: skip
    common = {
        # Without a template of its own a figure carries Plotly's, seven kilobytes of it.
        "template": go.layout.Template(),
        "height": height,
        "font": {"family": FONT, "size": 12.5, "color": INK},
        "margin": {"l": 8, "r": 16, "t": 16, "b": 8},
        "paper_bgcolor": "white",
        "plot_bgcolor": "white",
        "dragmode": False,
        "hoverlabel": {"font": {"family": FONT, "size": 12}, "namelength": -1},
        "legend": {"orientation": "h", "x": 0, "xanchor": "left", "y": 1.02, "yanchor": "bottom"},
        "separators": ".,",
        "xaxis": axis,
        "yaxis": axis,
    }
    # Merged before, since updating a finished figure takes longer than all the rest.
    return go.Figure(data=list(traces), layout=_merged(common, layout))


def _merged(base: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    return dict(base) | {
        key: _merged(base[key], value)
        if isinstance(value, Mapping) and isinstance(base.get(key), Mapping)
        else value
        for key, value in more.items()
    }


def to_json(figure: go.Figure) -> str:
    """Write a picture as JSON that can stand inside a script element."""
    return script_json(pio.to_json(figure, engine="json", validate=False))


def script_json(text: str) -> str:
    """Escape JSON so that nothing in it can end the script element, or open a comment in it."""
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def names_axis(labels: Sequence[str]) -> dict[str, Any]:
    """Return a vertical axis of names, first on top; a name that looks like a number is a name."""
    return {
        "type": "category",
        "categoryorder": "array",
        "categoryarray": list(reversed(labels)),
        "showgrid": False,
        "tickfont": {"size": 12.5},
    }


def rows_height(n_rows: int, *, per_row: int = 34, extra: int = 90) -> int:
    """Height of a picture with one row per name, pixels."""
    return extra + per_row * max(n_rows, 2)
