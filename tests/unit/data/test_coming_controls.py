"""Occasions that move in the calendar are told where a forecast repeats last year's."""

import numpy as np
import pandas as pd
import pytest
from support.documents import make_metadata

from schemas.documents.features import ControlFeatures
from schemas.outcomes import Verdict
from schemas.spec.planned import PlannedPeriod
from tasks.validate.coming_controls import judge_coming_controls

STARTS = pd.date_range("2023-01-02", "2026-02-23", freq="7D")
EASTER = ["2023-04-03", "2024-03-25", "2025-04-14"]
"""Mondays of the weeks with Easter in them."""


def note_on(values, *, horizon=13, planned=(), entities=("all",)):
    """Judge one control, ``ctrl_easter``."""
    frames = [
        pd.DataFrame({"entity_id": e, "period_start": STARTS, "ctrl_easter": values})
        for e in entities
    ]
    return judge_coming_controls(pd.concat(frames), METADATA, horizon=horizon, planned=planned)


METADATA = make_metadata(
    controls=[ControlFeatures(name="easter", column="ctrl_easter")],
    control_columns=["ctrl_easter"],
)


def flags(days):
    return np.isin(STARTS.strftime("%Y-%m-%d"), days).astype(float)


def test_easter_is_told_with_the_week_that_is_repeated():
    (note,) = note_on(flags(EASTER))
    assert (note.rule, note.verdict, note.column) == ("moving_control", Verdict.PASS, "ctrl_easter")
    assert "it was a year ago: in the week from 2026-04-13" in note.message
    assert "`planned`" in note.remedy


def test_it_is_told_as_well_where_last_years_was_just_outside():
    """The next one may be in the horizon although last year's week is not."""
    (note,) = note_on(flags(EASTER), horizon=5)
    assert "in none of these weeks" in note.message


def test_entities_are_one_calendar():
    assert len(note_on(flags(EASTER), entities=("north", "south"))) == 1


@pytest.mark.parametrize(
    "values",
    [
        flags(["2023-12-25", "2024-12-23", "2025-12-22"]),
        np.sin(np.arange(len(STARTS)) / 8),
        np.zeros(len(STARTS)),
        flags(["2023-08-07", "2024-09-02", "2025-10-06"]),
    ],
    ids=["same-week-each-year", "a-quantity", "never", "far-from-the-horizon"],
)
def test_what_does_not_move_or_does_not_come_is_not_told(values):
    assert note_on(values) == []


def test_the_remedy_ends_it():
    stated = PlannedPeriod(period_start="2026-03-30", values={"ctrl_easter": 1})
    assert note_on(flags(EASTER), planned=[stated]) == []


def test_a_year_that_is_not_known_says_nothing():
    frame = pd.DataFrame({"period_start": STARTS[:40], "ctrl_easter": flags(EASTER)[:40]})
    assert judge_coming_controls(frame, METADATA, horizon=13) == []
