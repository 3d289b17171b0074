"""SQL that turns landed text into numbers and dates, with hostile names safely quoted.

Belongs here: expressions over one text column. A text that cannot be read gives null.
Does not: judging what was not readable (``tasks.validate``), choosing a format.
Invariant: nothing from a file or spec enters SQL except as a quoted identifier or literal.
"""

from pathlib import PurePath

from schemas.names import TEXT_SUFFIXES

_PLAIN_NUMBER = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"
_COMMA_NUMBER = r"^[+-]?(\d+|\d{1,3}(\.\d{3})+)?(,\d*)?([eE][+-]?\d+)?$"

ISO_DATE = "%Y-%m-%d"
ISO_WEEK = "%G-W%V"

DATE_SHAPES = {
    ISO_DATE: r"^\d{4}-\d{1,2}-\d{1,2}([ T]00:00(:00(\.0+)?)?( ?(Z|UTC|[+-]\d{2}:?\d{2}))?)?$",
    ISO_WEEK: r"^\d{4}-?W\d{1,2}$",
    "%Y/%m/%d": r"^\d{4}/\d{1,2}/\d{1,2}$",
    "%Y.%m.%d": r"^\d{4}\.\d{1,2}\.\d{1,2}$",
    "%Y%m%d": r"^\d{8}$",
    "%Y-%m": r"^\d{4}-\d{1,2}$",
    "d/d/Y": r"^\d{1,2}/\d{1,2}/\d{4}$",
    "d.d.Y": r"^\d{1,2}\.\d{1,2}\.\d{4}$",
    "d-d-Y": r"^\d{1,2}-\d{1,2}-\d{4}$",
    "two-digit year": r"^\d{1,2}[/.-]\d{1,2}[/.-]\d{2}$",
}
"""Shape of a date text, with its strptime format where the shape alone decides it."""


def quote(identifier: str) -> str:
    """Quote an SQL identifier."""
    return '"' + identifier.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Quote an SQL string literal."""
    return "'" + text.replace("'", "''") + "'"


def effective_decimal(source_name: str, decimal: str) -> str:
    """Return a landed file's decimal mark: the spec's for text files, a point for typed ones."""
    return decimal if PurePath(source_name).suffix.lower() in TEXT_SUFFIXES else "."


def text_sql(column: str) -> str:
    """Return an expression for the trimmed text, null where it is blank."""
    return f"nullif(trim({quote(column)}, ' \t\u00a0'), '')"


def number_sql(column: str, decimal: str) -> str:
    """Return an expression for a finite number; words, infinity and NaN give null."""
    text = text_sql(column)
    if decimal == ".":
        return (
            f"case when regexp_full_match({text}, {literal(_PLAIN_NUMBER)}) "
            f"and isfinite(try_cast({text} as double)) then try_cast({text} as double) end"
        )
    plain = f"replace(replace({text}, '.', ''), ',', '.')"
    return (
        f"case when regexp_full_match({text}, {literal(_COMMA_NUMBER)}) "
        f"and isfinite(try_cast({plain} as double)) then try_cast({plain} as double) end"
    )


def date_shape_sql(column: str) -> str:
    """Return an expression for the shape of a date text, ``other`` where none fits."""
    text = text_sql(column)
    cases = " ".join(
        f"when regexp_full_match({text}, {literal(pattern)}) then {literal(shape)}"
        for shape, pattern in DATE_SHAPES.items()
    )
    return f"case when {text} is null then 'empty' {cases} else 'other' end"


def date_sql(column: str, date_format: str | None) -> str:
    """Return an expression for the date under one strptime format; no format gives null."""
    text = text_sql(column)
    if date_format is None:
        return "cast(null as date)"
    if date_format == ISO_DATE:
        shaped = f"regexp_full_match({text}, {literal(DATE_SHAPES[ISO_DATE])})"
        day = f"regexp_extract({text}, '^[0-9]+-[0-9]+-[0-9]+')"
        return f"case when {shaped} then try_cast({day} as date) end"
    if date_format == ISO_WEEK:
        # A week is a day only with a day of the week: its Monday.
        text = f"regexp_replace({text}, '-?W', '-W') || '-1'"
        date_format = f"{ISO_WEEK}-%u"
    return f"cast(try_strptime({text}, {literal(date_format)}) as date)"


def entity_sql(column: str | None, total: str) -> str:
    """Return an expression for the entity's name, blank null; without a column ``total``."""
    return literal(total) if column is None else text_sql(column)
