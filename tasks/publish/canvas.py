"""The look that all figures share."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tasks.publish.outputs import RunOutputs

POSTERIOR_COLOUR, PRIOR_COLOUR = "#4477aa", "#9a9a9a"


def canvas(title: str) -> tuple[Figure, Axes]:
    """Return a figure with one panel."""
    figure = Figure(figsize=(10, 5), dpi=110, layout="constrained")
    axes = figure.subplots()
    axes.set_title(label(title, 120), loc="left", fontsize=11)
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def panels(
    title: str, n_panels: int, *, columns: int, size: tuple[float, float]
) -> tuple[Figure, list[Axes]]:
    """Return a figure with ``n_panels`` panels of ``size`` inches, row by row."""
    rows = -(-n_panels // columns)
    figure = Figure(
        figsize=(columns * size[0], rows * size[1] + 0.5), dpi=110, layout="constrained"
    )
    figure.suptitle(label(title, 120), x=0.01, ha="left", fontsize=11)
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
