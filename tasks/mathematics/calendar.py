"""The period grid: its grain, and which dates belong on it.

Belongs here: grain detection from period starts, the weekday of a weekly panel, missing periods.
Does not: parsing of text, SQL, the window of one model.
"""

import calendar
from collections import Counter
from collections.abc import Sequence
from datetime import date, timedelta
from itertools import pairwise

from schemas.spec.run_spec import Grain

DAYS_PER_WEEK = 7
PERIODS_PER_YEAR = {Grain.WEEK: 52, Grain.MONTH: 12}
"""Periods of a year, near enough for a control to be in the same season."""
MONTH_DAYS = range(28, 32)
"""Days between the starts of two neighbouring months."""

_FEWEST_MONTH_ENDS = 3
_FRIDAY = 4
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def detect_grain(starts: Sequence[date]) -> Grain | None:
    """Return the grain that most steps between distinct period starts speak for.

    Parameters
    ----------
    starts
        Period starts in any order, repeats allowed.

    Returns
    -------
    Grain | None
        None with fewer than two distinct dates, or when neither whole weeks nor months make up
        more than half of the steps.
    """
    ordered = sorted(set(starts))
    steps = [(b - a).days for a, b in pairwise(ordered)]
    if not steps:
        return None
    weekly = sum(step == DAYS_PER_WEEK for step in steps)
    monthly = sum(step in MONTH_DAYS for step in steps)
    if weekly * 2 > len(steps):
        return Grain.WEEK
    # A weekly panel with four-week gaps also has steps of 28 days: one true week reports.
    return Grain.MONTH if monthly * 2 > len(steps) and not weekly else None


def are_month_ends(days: Sequence[date]) -> bool:
    """Say whether days stand at the ends of months: the last day, or the last working day.

    Three months and more are needed to say so, none of them twice, and the days of the month must
    differ: a period may well start on the 28th of every month.
    """
    distinct = sorted(set(days))
    months = {(d.year, d.month) for d in distinct}
    if len(distinct) < _FEWEST_MONTH_ENDS or len(months) != len(distinct):
        return False
    return len({d.day for d in distinct}) > 1 and all(_ends_month(d) for d in distinct)


def continue_month_ends(days: Sequence[date], stored: Sequence[date]) -> bool:
    """Say the same of days beside the period starts that are known already.

    A single day at the end of a month is one more month where the known ones begin on the first.
    """
    if not days or any(day.day == 1 for day in days):
        return False
    is_monthly = detect_grain(stored) is Grain.MONTH and all(s.day == 1 for s in stored)
    before = [last_day(s, Grain.MONTH) for s in stored] if is_monthly else []
    months = {(d.year, d.month): d for d in [*before, *days]}
    return are_month_ends(days) or (bool(before) and are_month_ends(list(months.values())))


def _ends_month(day: date) -> bool:
    last = calendar.monthrange(day.year, day.month)[1]
    weekday = date(day.year, day.month, last).weekday()
    return day.day in (last, last - max(0, weekday - _FRIDAY))


def last_day(start: date, grain: Grain) -> date:
    """Return the last day of the period that begins on ``start``."""
    return next_start(start, grain) - timedelta(days=1)


def common_anchor(starts: Sequence[date], grain: Grain) -> int:
    """Return the weekday (0 is Monday) or the day of month that most period starts share."""
    days = Counter(d.weekday() if grain is Grain.WEEK else d.day for d in starts)
    return min(days, key=lambda day: (-days[day], day))


def is_on_grid(start: date, *, anchor: int, grain: Grain) -> bool:
    """Say whether a period start falls on the panel's weekday or day of month."""
    return (start.weekday() if grain is Grain.WEEK else start.day) == anchor


def describe_anchor(anchor: int, grain: Grain) -> str:
    """Render the anchor of a grid for a message."""
    return WEEKDAYS[anchor] if grain is Grain.WEEK else f"day {anchor} of the month"


def next_start(start: date, grain: Grain) -> date:
    """Return the period start that follows ``start`` (month grids anchor on days 1 to 28)."""
    if grain is Grain.WEEK:
        return start + timedelta(days=DAYS_PER_WEEK)
    return date(start.year + start.month // 12, start.month % 12 + 1, min(start.day, 28))


def nth_day(first: date, n: int, grain: Grain) -> date:
    """Return the day ``n`` periods after ``first``: the same weekday, or the same day of the month.

    A month that is too short for the day gives its last day.
    """
    if grain is Grain.WEEK:
        return first + timedelta(days=DAYS_PER_WEEK * n)
    months = first.year * 12 + first.month - 1 + n
    year, month = months // 12, months % 12 + 1
    return date(year, month, min(first.day, calendar.monthrange(year, month)[1]))


def n_periods_between(first: date, last: date, grain: Grain) -> int:
    """Count the steps of the grid from ``first`` to ``last``."""
    if grain is Grain.WEEK:
        return (last - first).days // DAYS_PER_WEEK
    return (last.year - first.year) * 12 + last.month - first.month
