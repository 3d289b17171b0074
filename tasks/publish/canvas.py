"""The look that all figures share.

Margins are laid out here, in inches, from the lengths of what stands in them. Matplotlib's own
layout draws a figure once to find them, which was half of what figures cost a refit.
"""

from collections.abc import Iterable
from functools import cache

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, get_font

from tasks.publish.outputs import RunOutputs

POSTERIOR_COLOUR, PRIOR_COLOUR = "#4477aa", "#9a9a9a"

_DPI = 110
_WIDTH, _HEIGHT = 10.0, 5.0
_LEAST = 2.4
"""The least width of what is drawn in; where names leave less, the picture is wider."""
_TICKS = 10.0
"""Size of the letters at ticks, in points."""
_AXIS = 0.95
"""What numbers at the ticks of an axis and its name take, left of it."""
_BELOW, _ABOVE, _EDGE = 0.62, 0.48, 0.15
_HEAD = 0.42
"""What the title of several panels takes."""
_KEY = 0.6
"""What a legend takes beside its words."""


def canvas(
    title: str, *, names: Iterable[str] = (), legend: Iterable[str] = (), legend_size: float = 8.0
) -> tuple[Figure, Axes]:
    """Return a figure with one panel.

    Parameters
    ----------
    title
        Its title.
    names
        What stands at the ticks of its vertical axis, where that is not numbers.
    legend, legend_size
        What the legend on its right says, and the size of the letters there.
    """
    words = list(legend)
    right = _widest(words, legend_size) + _KEY if words else _EDGE
    left = max(_AXIS, _widest(names, _TICKS) + 2 * _EDGE)
    width = max(_WIDTH, left + _LEAST + right)
    figure = Figure(figsize=(width, _HEIGHT), dpi=_DPI)
    figure.subplots_adjust(
        left=left / width, right=1 - right / width,
        bottom=_BELOW / _HEIGHT, top=1 - _ABOVE / _HEIGHT,
    )  # fmt: skip
    axes = figure.subplots()
    axes.set_title(label(title, 120), loc="left", fontsize=11)
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def panels(
    title: str,
    n_panels: int,
    *,
    columns: int,
    size: tuple[float, float],
    names: Iterable[str] = (),
) -> tuple[Figure, list[Axes]]:
    """Return a figure with ``n_panels`` panels of ``size`` inches, row by row.

    ``names`` stand at the ticks of the vertical axis on its left, where those are not numbers.
    """
    rows = -(-n_panels // columns)
    listed = list(names)
    left = _widest(listed, _TICKS) + 2 * _EDGE if listed else _AXIS
    between = 2 * _EDGE if listed else _BELOW
    beside = left + _EDGE + (columns - 1) * between
    width, height = max(columns * size[0], beside + columns * _LEAST), rows * size[1] + _HEAD
    panel_width = (width - beside) / columns
    figure = Figure(figsize=(width, height), dpi=_DPI)
    figure.suptitle(label(title, 120), x=0.01, y=1 - 0.1 / height, ha="left", va="top", fontsize=11)
    gap = _BELOW + (0.0 if listed else _ABOVE - _EDGE)
    above = _HEAD + (_EDGE if listed else _ABOVE - _EDGE)
    panel_height = (height - above - _BELOW - (rows - 1) * gap) / rows
    figure.subplots_adjust(
        left=left / width, right=1 - _EDGE / width, bottom=_BELOW / height, top=1 - above / height,
        wspace=between / panel_width, hspace=gap / panel_height,
    )  # fmt: skip
    grid = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes in grid:
        axes.spines[["top", "right"]].set_visible(False)
    for axes in grid[n_panels:]:
        axes.set_axis_off()
    return figure, list(grid[:n_panels])


def window_label(outputs: RunOutputs) -> str:
    """Name the dataset and its newest period."""
    return f"{outputs.spec.dataset_id} to {outputs.last_period}"


def label(text: object, limit: int = 40) -> str:
    """Shorten a name; a dollar sign would otherwise start a formula, an underscore hide a label."""
    shown = str(text).replace("$", r"\$").replace("\n", " ")
    shown = shown if len(shown) <= limit else shown[: limit - 1] + "…"
    return f" {shown}" if shown.startswith("_") else shown


def _widest(texts: Iterable[str], size: float) -> float:
    """Return the width of the widest text in inches, at a size in points."""
    return max((_width(text) for text in texts), default=0.0) * size / 72


@cache
def _width(text: str) -> float:
    """Return the width of a text in the size of its letters."""
    font = get_font(findfont(FontProperties()))
    font.set_size(100, 72)
    font.set_text(text)
    return float(font.get_width_height()[0]) / 64 / 100
