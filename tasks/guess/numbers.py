"""Which columns are numbers of a model, and which of their cells are none.

Belongs here: numbers against texts, events and counters of time. Does not: what a number is of.
Invariant: no column with the name of media or the KPI is left out for how its numbers are written.
"""

from collections.abc import Callable, Sequence

from schemas.column_profile import ColumnProfile
from schemas.errors import SpecError
from tasks.guess.guess import Guess
from tasks.guess.vocabulary import (
    CALENDAR,
    COMPETITOR,
    CONTROL,
    KPI_WORDS,
    MEDIA,
    NO_EVENT,
    OWNED,
    SIZE,
    read_name,
    split_words,
)

NEARLY_ALL = 0.95
"""Share of cells that make a column one of dates."""
LEAST_NUMBERS = 0.5
"""Share of cells that make a column one of numbers; the rest are faults, for `validate` to name."""
NO_NUMBER = "is no number"
PLAIN = (
    "write them as 80000.00 (or 80000,00), without signs of money or percent, and without "
    "blanks or marks between thousands; 0 where there was none."
)
Distinct = Callable[[Sequence[str]], int]
"""How many different rows there are in some columns."""


def keep_numbers(
    guess: Guess,
    rest: Sequence[ColumnProfile],
    decimal: str,
    distinct: Distinct,
    *,
    n_periods: int,
) -> list[ColumnProfile]:
    """Return the columns that may be numbers of a model; the others get a reason.

    Parameters
    ----------
    guess
        Gets the reasons, and columns of events.
    rest
        Columns that are neither period nor entity.
    decimal
        Decimal mark of the numbers.
    distinct
        Counts different rows of some columns.
    n_periods
        Periods of the file.

    Raises
    ------
    SpecError
        If a column that the model needs by its name holds numbers with signs.
    """
    kept = []
    for profile in rest:
        words = set(split_words(profile.name))
        share = profile.share_comma_numbers if decimal == "," else profile.share_numbers
        if profile.is_constant:
            guess.unused[profile.name] = "never changes"
        elif _is_events(profile, share):
            _take_events(guess, profile)
        elif share < LEAST_NUMBERS:
            guess.unused[profile.name] = NO_NUMBER
        elif guess.entity and distinct([guess.entity, profile.name]) <= distinct([guess.entity]):
            size = " (effects are scaled by the KPI of each market, so its size is not needed)"
            guess.unused[profile.name] = "is one number per market" + size * bool(words & SIZE)
        elif _is_calendar(profile, words, n_periods):
            guess.unused[profile.name] = "counts time; the model has a trend and a season"
        else:
            kept.append(profile)
            if profile.odd:
                guess.faults[profile.name] = (
                    f"cells that are no number, such as {profile.odd[:20]!r}, are to be filled in"
                )
    _refuse_marked(guess, rest)
    return kept


def _refuse_marked(guess: Guess, rest: Sequence[ColumnProfile]) -> None:
    """Refuse numbers with signs in a column that the model needs by its name.

    Raises
    ------
    SpecError
        If there are some: left out without a word, their effect would go to other columns.
    """
    for profile in rest:
        is_text = guess.unused.get(profile.name) == NO_NUMBER
        marked = profile.share_marked >= LEAST_NUMBERS and profile.share_dates < NEARLY_ALL
        if is_text and marked and _is_needed(profile.name):
            raise SpecError(
                f"Column {profile.name!r} is not to be left out, by its name, and its values are "
                f"no plain numbers ({profile.odd[:20]!r}): {PLAIN} So in all other columns."
            )


def _is_needed(column: str) -> bool:
    name = read_name(column, has_letters=False)
    known = CONTROL | COMPETITOR | MEDIA | OWNED | set(KPI_WORDS)
    return name.is_spend or name.is_activity or bool(name.all & known)


def _take_events(guess: Guess, profile: ColumnProfile) -> None:
    if guess.events:
        guess.unused[profile.name] = "names events; name them and their days in model.events"
        return
    guess.events = profile.name
    guess.reasons["events"] = f"text that is {_nothing(profile)!r} in most periods"


def _is_events(profile: ColumnProfile, share_numbers: float) -> bool:
    named = [value for value in profile.values if value.casefold() not in NO_EVENT]
    return (
        share_numbers < NEARLY_ALL
        and _nothing(profile) is not None
        and any(any(letter.isalpha() for letter in value) for value in named)
    )


def _nothing(profile: ColumnProfile) -> str | None:
    """Return the commonest text, if it says that there is no event."""
    first = profile.values[0] if profile.values else ""
    return first if first.casefold() in NO_EVENT else None


def _is_calendar(profile: ColumnProfile, words: set[str], n_periods: int) -> bool:
    is_count = profile.share_whole == 1 and profile.n_distinct <= max(n_periods, 366)
    return not words or (words <= CALENDAR and is_count)
