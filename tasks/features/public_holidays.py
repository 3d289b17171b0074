"""Public holidays of a country as one event, fixed when the features are built.

Later releases of the calendar may correct a past holiday; a fit keeps the days it was made with.
"""

from datetime import date

import holidays

from schemas.documents.features import EventDays, EventUnit
from schemas.errors import SpecError
from schemas.hints import suggest
from schemas.spec.baseline import HOLIDAYS_TERM

YEARS_AHEAD = 5
"""Calendar years after the last period for which the days are kept, for forecasts; fewer where the
calendar of a country ends earlier."""


def holidays_event(code: str, first: date, last: date) -> EventDays:
    """Return the holidays of a country as one event.

    Parameters
    ----------
    code
        ISO 3166 country code, with a subdivision after a dash where wanted: ``US``, ``US-CA``.
    first, last
        First and last period start of the panel.

    Raises
    ------
    SpecError
        If the country or its subdivision is not known, or its calendar does not cover the panel.
    """
    country, _, subdivision = code.partition("-")
    _require_known(country, subdivision)
    calendar = holidays.country_holidays(country, subdiv=subdivision or None)
    _require_covered(code, calendar, first, last)
    until = min(last.year + YEARS_AHEAD, calendar.end_year)
    days = holidays.country_holidays(
        country, subdiv=subdivision or None, years=range(first.year, until + 1)
    )
    return EventDays(
        name=HOLIDAYS_TERM,
        unit=EventUnit.COUNT,
        dates=sorted(days),
        known_until=date(until, 12, 31),
    )


def _require_known(country: str, subdivision: str) -> None:
    known = holidays.list_supported_countries()
    if country not in known:
        raise SpecError(
            f"model.holidays: no holidays are known of the country {country!r}; "
            f"{_nearest(country, list(known))}write a code such as DE, US or US-CA."
        )
    if subdivision and subdivision not in known[country]:
        raise SpecError(
            f"model.holidays: {country} has no subdivision {subdivision!r}; "
            f"it has: {', '.join(known[country]) or 'none'}."
        )


def _require_covered(code: str, calendar: holidays.HolidayBase, first: date, last: date) -> None:
    if first.year < calendar.start_year or last.year > calendar.end_year:
        raise SpecError(
            f"model.holidays: the days of {code} are known from {calendar.start_year} to "
            f"{calendar.end_year}, the data go from {first} to {last}; leave model.holidays out, "
            "and state the days as model.events."
        )


def _nearest(code: str, known: list[str]) -> str:
    hint = suggest(code.upper(), known, "")
    return f"{hint} If not, " if hint else ""
