"""What is written into a picture stays in it, on white paper and in the app's dark look."""

from typing import Any

import pytest

from schemas.documents.effects import ResponseCurve
from tasks.report.curve_picture import draw_curve
from tasks.report.look import FAINT, GREY, INK
from tasks.store.home import CHECKOUT


def curve(**facts: Any) -> ResponseCurve:
    x = [0.0, 50.0, 100.0]
    band = dict.fromkeys(("median", "low_90", "high_90", "low_94", "high_94"), x)
    return ResponseCurve.model_validate(
        {
            "x": x, "unit": "spend", "current": 20.0, "observed_low": 5.0, "observed_high": 60.0,
            "breakeven": None, **band, **facts,
        }
    )  # fmt: skip


@pytest.mark.parametrize(("breakeven", "side"), [(10.0, "left"), (49.0, "left"), (95.0, "right")])
def test_the_words_of_a_mark_stand_on_the_side_that_has_room(breakeven, side):
    drawn = draw_curve(curve(breakeven=breakeven), unit="money", kpi_name="sales")
    (note,) = [each for each in drawn.layout.annotations if "even" in each.text]
    assert (note.xanchor, note.text) == (side, "break-<br>even"), "two lines: a phone is narrow"
    assert note.xshift * (1 if side == "left" else -1) > 0, "beside its line, not on it"


def test_the_app_knows_the_colours_that_stand_for_ink_and_paper():
    """Otherwise a line in the ink of the report is there on a dark page, and nobody sees it."""
    script = (CHECKOUT / "flows/web/static/figures.js").read_text(encoding="utf-8")
    drawn = draw_curve(curve(breakeven=10.0), unit="money", kpi_name="sales")
    grounds = {each.bgcolor for each in drawn.layout.annotations}
    for colour in (INK, GREY, FAINT, *grounds):
        assert f'["{colour}", "--' in script, colour
