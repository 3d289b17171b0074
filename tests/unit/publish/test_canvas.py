"""Margins of figures: what stands in them is inside the picture, and beside what is drawn."""

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from tasks.publish.canvas import canvas, label, panels

WIDE = label("W" * 60)


def _box(artist):
    return artist.get_window_extent()


@pytest.mark.parametrize("name", ["tv", WIDE])
def test_long_names_at_ticks_and_in_a_legend_are_inside_the_picture(name):
    figure, axes = canvas("title", names=[name, "b"], legend=[name])
    FigureCanvasAgg(figure)
    axes.plot([0, 1], [0, 1], label=name)
    axes.set_yticks([0, 1], [name, "b"])
    axes.set_xlabel("what it is")
    legend = axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), fontsize=8, frameon=False)
    figure.draw_without_rendering()
    inside = figure.bbox
    for artist in (*axes.get_yticklabels(), legend, axes.xaxis.label, axes.title):
        box = _box(artist)
        assert inside.x0 <= box.x0
        assert box.x1 <= inside.x1
        assert inside.y0 <= box.y0
        assert box.y1 <= inside.y1
    assert _box(legend).x0 >= _box(axes).x1


@pytest.mark.parametrize("n_panels", [1, 3, 4, 30])
def test_titles_and_labels_of_panels_do_not_touch_other_panels(n_panels):
    figure, grid = panels("title", n_panels, columns=min(n_panels, 3), size=(4.0, 2.9))
    FigureCanvasAgg(figure)
    for axes in grid:
        axes.plot([0, 1], [0, 1e6])
        axes.set_title("a channel", fontsize=9, loc="left")
        axes.set_xlabel("GRPs per period", fontsize=8)
        axes.tick_params(labelsize=8)
    figure.draw_without_rendering()
    boxes = [axes.get_tightbbox() for axes in grid]
    for place, box in enumerate(boxes):
        assert figure.bbox.x0 <= box.x0
        assert box.x1 <= figure.bbox.x1
        assert figure.bbox.y0 <= box.y0
        assert box.y1 <= figure.bbox.y1
        assert not any(box.overlaps(other) for other in boxes[:place])
