"""Which one date format a text column is written in, decided by all its rows together.

Belongs here: the decision from counted shapes. Does not: reading rows (``landing_rows``).
Invariant: a day-month order is never guessed.
"""

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

_ORDERED = {"d/d/Y": "/", "d.d.Y": ".", "d-d-Y": "-"}
_UNREADABLE = ("empty", "other")
_LAST_MONTH = 12


class ShapeCount(BaseModel):
    """How often one shape of date text occurs, and what its first two numbers reach."""

    model_config = ConfigDict(frozen=True)

    shape: str
    n_rows: int
    first_line: int
    max_first: int | None = None
    max_second: int | None = None


class DateReading(BaseModel):
    """The format to read a column with; None where none can be reported.

    ``ambiguous`` says that day and month, or the century, cannot be told apart; ``mixed`` names
    the shapes when there is more than one.
    """

    model_config = ConfigDict(frozen=True)

    date_format: str | None
    ambiguous: bool = False
    mixed: list[ShapeCount] = []
    month_ends: bool = False
    """Dates are ends of months and are read as the first day of theirs."""

    def with_month_ends(self, are_ends: bool) -> "DateReading":
        """Return the same reading of dates that are, or are not, ends of months."""
        return self.model_copy(update={"month_ends": are_ends})


def decide_date_format(shapes: Sequence[ShapeCount], explicit: str | None) -> DateReading:
    """Choose the format of a column from the shapes of its texts.

    Parameters
    ----------
    shapes
        One count per shape that occurs.
    explicit
        The run spec's ``date_format``, which decides everything.
    """
    if explicit:
        return DateReading(date_format=explicit)
    readable = sorted(
        (s for s in shapes if s.shape not in _UNREADABLE), key=lambda s: (-s.n_rows, s.first_line)
    )
    if not readable:
        return DateReading(date_format=None)
    main = readable[0]
    mixed = readable if len(readable) > 1 else []
    if main.shape not in _ORDERED:
        two_digit = main.shape == "two-digit year"
        return DateReading(
            date_format=None if two_digit else main.shape, ambiguous=two_digit, mixed=mixed
        )
    mark = _ORDERED[main.shape]
    day_first = (main.max_first or 0) > _LAST_MONTH
    month_first = (main.max_second or 0) > _LAST_MONTH
    if day_first == month_first:
        # Both: two orders in one column. Neither: no row reports the order.
        return DateReading(
            date_format=f"%d{mark}%m{mark}%Y" if day_first else None,
            ambiguous=not day_first,
            mixed=mixed or ([main] if day_first else []),
        )
    order = f"%d{mark}%m{mark}%Y" if day_first else f"%m{mark}%d{mark}%Y"
    return DateReading(date_format=order, mixed=mixed)
