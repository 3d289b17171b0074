"""Events as numbers per period: shares and counts by hand."""

from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.documents.features import EventDays
from schemas.errors import DataContractError
from schemas.spec.run_spec import Grain
from tasks.mathematics.calendar import next_start
from tasks.mathematics.events import event_column, period_ends

MONDAYS = np.array(["2024-11-18", "2024-11-25", "2024-12-02"], dtype="datetime64[ns]")
MONTHS = np.array(["2024-01-01", "2024-02-01", "2024-03-01"], dtype="datetime64[ns]")


def event(*dates, unit="share", known_until=None):
    return EventDays(name="black friday", unit=unit, dates=list(dates), known_until=known_until)


def test_one_day_is_a_seventh_of_its_week():
    got = event_column(event("2024-11-29"), MONDAYS, Grain.WEEK)
    np.testing.assert_allclose(got, [0, 1 / 7, 0], rtol=1e-15)


def test_a_long_event_is_shared_by_the_weeks_it_crosses():
    # Saturday to Wednesday: two days of one week, three of the next.
    days = [f"2024-11-{d}" for d in (30,)] + [f"2024-12-0{d}" for d in (1, 2, 3, 4)]
    got = event_column(event(*days), MONDAYS, Grain.WEEK)
    np.testing.assert_allclose(got, [0, 2 / 7, 3 / 7], rtol=1e-15)


def test_the_first_day_of_a_week_is_in_and_that_of_the_next_is_not():
    got = event_column(event("2024-11-25", "2024-12-02"), MONDAYS, Grain.WEEK)
    np.testing.assert_allclose(got, [0, 1 / 7, 1 / 7], rtol=1e-15)


def test_a_month_is_as_long_as_the_calendar_says():
    got = event_column(event("2024-01-01", "2024-02-10", "2024-02-11"), MONTHS, Grain.MONTH)
    np.testing.assert_allclose(got, [1 / 31, 2 / 29, 0], rtol=1e-15)


def test_holidays_are_counted():
    got = event_column(event("2024-11-28", "2024-11-29", unit="count"), MONDAYS, Grain.WEEK)
    np.testing.assert_array_equal(got, [0, 2, 0])


def test_days_before_and_after_the_panel_do_not_count():
    got = event_column(event("2020-01-01", "2030-01-01"), MONDAYS, Grain.WEEK)
    np.testing.assert_array_equal(got, 0)


def test_a_forecast_beyond_what_is_known_is_refused():
    known = event("2024-11-28", unit="count", known_until="2024-12-07")
    with pytest.raises(DataContractError, match="known until 2024-12-07, the periods go on until"):
        event_column(known, MONDAYS, Grain.WEEK)


def test_the_last_day_that_is_known_may_end_a_period():
    known = event("2024-11-28", unit="count", known_until="2024-12-08")
    np.testing.assert_array_equal(event_column(known, MONDAYS, Grain.WEEK), [0, 1, 0])


@given(st.dates(date(1990, 1, 1), date(2060, 1, 1)), st.sampled_from(Grain))
def test_a_period_ends_where_the_next_one_starts(start, grain):
    start = start.replace(day=min(start.day, 28))
    got = period_ends(np.array([start], dtype="datetime64[D]"), grain)
    assert got[0].astype(object) == next_start(start, grain)


@given(st.sets(st.dates(date(2024, 11, 18), date(2024, 12, 8))))
def test_every_day_is_reported_in_one_week(days):
    got = event_column(event(*sorted(str(d) for d in days)), MONDAYS, Grain.WEEK)
    assert got.sum() * 7 == pytest.approx(len(days))
    assert ((got >= 0) & (got <= 1)).all()
