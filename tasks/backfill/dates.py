"""The days of a replay. Belongs here: calendar arithmetic. Does not: I/O."""

import calendar
from datetime import date, timedelta

from schemas.spec.run_spec import Grain
from tasks.mathematics.calendar import DAYS_PER_WEEK


def nth_day(first: date, n: int, grain: Grain) -> date:
    """Return the day ``n`` periods after ``first``: the same weekday, or the same day of the month.

    A month that is too short for the day gives its last day.
    """
    if grain is Grain.WEEK:
        return first + timedelta(days=DAYS_PER_WEEK * n)
    months = first.year * 12 + first.month - 1 + n
    year, month = months // 12, months % 12 + 1
    return date(year, month, min(first.day, calendar.monthrange(year, month)[1]))
