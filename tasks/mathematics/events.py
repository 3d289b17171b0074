"""Events and holidays as numbers per period."""

import numpy as np
from numpy.typing import NDArray

from schemas.documents.features import EventDays, EventUnit
from schemas.errors import DataContractError
from schemas.spec.run_spec import Grain
from tasks.mathematics.calendar import DAYS_PER_WEEK


def event_column(
    event: EventDays, starts: NDArray[np.datetime64], grain: Grain
) -> NDArray[np.float64]:
    """Value of one event in every period.

    Parameters
    ----------
    event
        Its days, and what a period's number is.
    starts
        First days of the periods, any resolution, shape ``(n_dates,)``.
    grain
        Length of a period.

    Returns
    -------
    NDArray
        Shape ``(n_dates,)``: share of days in [0, 1], or number of days.

    Raises
    ------
    DataContractError
        If a period ends after ``known_until``: no day is not the same as not known.
    """
    first = starts.astype("datetime64[D]")
    after = period_ends(first, grain)
    until = event.known_until
    if until is not None and (after > np.datetime64(until, "D") + 1).any():
        raise DataContractError(
            f"{event.name} are known until {until}, the periods go on until "
            f"{after.max() - 1}; refit to look further ahead."
        )
    days = np.array(event.dates, dtype="datetime64[D]")
    n_days = np.searchsorted(days, after) - np.searchsorted(days, first)
    if event.unit is EventUnit.COUNT:
        return n_days.astype(float)
    return n_days / (after - first).astype(float)


def period_ends(starts: NDArray[np.datetime64], grain: Grain) -> NDArray[np.datetime64]:
    """Return the first day after each period, same shape; starts are days.

    Parameters
    ----------
    starts
        Period starts as days, any shape.
    grain
        Length of a period.

    Returns
    -------
    NDArray
        Days, shape of ``starts``.
    """
    if grain is Grain.WEEK:
        return starts + np.timedelta64(DAYS_PER_WEEK, "D")
    month = starts.astype("datetime64[M]")
    day_of_month = starts - month.astype("datetime64[D]")
    return (month + 1).astype("datetime64[D]") + day_of_month
