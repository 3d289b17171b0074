"""The period grid: its grain, and which dates belong on it.

Belongs here: grain detection from period starts, the weekday of a weekly panel, missing periods.
Does not: parsing of text, SQL, the window of one model.
"""

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


def n_periods_between(first: date, last: date, grain: Grain) -> int:
    """Count the steps of the grid from ``first`` to ``last``."""
    if grain is Grain.WEEK:
        return (last - first).days // DAYS_PER_WEEK
    return (last.year - first.year) * 12 + last.month - first.month
