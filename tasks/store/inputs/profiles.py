"""What the columns of a landed file look like, whatever they may mean.

Belongs here: counts over an opened batch, by DuckDB. Does not: what a column is (``tasks.guess``).
"""

from collections.abc import Collection, Sequence
from datetime import date

import duckdb

from schemas.column_profile import ColumnProfile
from tasks.store.inputs.date_formats import ShapeCount
from tasks.store.inputs.landing_rows import read_date_shapes
from tasks.store.inputs.text_values import date_sql, number_sql, text_sql

Connection = duckdb.DuckDBPyConnection
MAX_VALUES = 40
"""Most texts of a column that are listed."""
_MARK = r"(?:[A-Z]{3}|[^0-9A-Za-z]|[kKmM])"
_MARKED = rf"{_MARK}{{0,4}}\d[\d .,'’]*{_MARK}{{0,4}}"
"""A number as a report shows it, with a sign of money or per cent and marks between thousands."""


def profile_columns(
    con: duckdb.DuckDBPyConnection,
    columns: Sequence[str],
    *,
    decimal: str,
    nothing: Collection[str],
) -> list[ColumnProfile]:
    """Describe columns of an opened batch.

    Parameters
    ----------
    con
        See ``landing.opened``.
    columns
        Source columns.
    decimal
        Decimal mark by which signs and whole numbers are counted.
    nothing
        Texts that stand for a number which is not there, in lower case.
    """
    return [_profile(con, column, decimal, nothing) for column in columns]


def _profile(
    con: duckdb.DuckDBPyConnection, column: str, decimal: str, nothing: Collection[str]
) -> ColumnProfile:
    text, number = text_sql(column), number_sql(column, decimal)
    row = (
        con.execute(
            f"select count({text}), count(distinct {text}), count({number_sql(column, '.')}), "  # noqa: S608 - quoted columns
            f"count({number_sql(column, ',')}), count(*) filter ({number} < 0), "
            f"count(*) filter ({number} = round({number})), "
            f"count(*) filter (regexp_full_match({text}, ?) or lower({text}) in ?), "
            f"min({text}) filter ({number} is null) from landed",
            [_MARKED, sorted(nothing)],
        ).fetchone()
        or (0,) * 8
    )
    n_given, n_distinct, *counts = (int(n) for n in row[:-1])
    plain, comma, negative, whole, marked = (n / max(n_given, 1) for n in counts)
    return ColumnProfile(
        name=column,
        n_given=n_given,
        n_distinct=n_distinct,
        share_numbers=plain,
        share_comma_numbers=comma,
        share_dates=_share_dates(read_date_shapes(con, column)),
        share_negative=negative,
        share_whole=whole,
        share_marked=marked,
        odd=str(row[-1] or ""),
        values=_values(con, text) if n_distinct <= MAX_VALUES else (),
    )


def _share_dates(shapes: list[ShapeCount]) -> float:
    given = sum(s.n_rows for s in shapes if s.shape != "empty")
    return sum(s.n_rows for s in shapes if s.shape not in ("empty", "other")) / max(given, 1)


def _values(con: duckdb.DuckDBPyConnection, text: str) -> tuple[str, ...]:
    rows = con.execute(
        f"select {text} as value from landed where value is not null "  # noqa: S608 - quoted columns
        "group by value order by count(*) desc, value"
    ).fetchall()
    return tuple(str(row[0]) for row in rows)


def count_distinct(con: duckdb.DuckDBPyConnection, columns: Sequence[str]) -> int:
    """Return how many different rows there are in some columns."""
    listed = ", ".join(text_sql(column) for column in columns)
    row = con.execute(f"select count(*) from (select distinct {listed} from landed)").fetchone()  # noqa: S608 - quoted columns
    return int(row[0]) if row else 0


def days_of_values(
    con: duckdb.DuckDBPyConnection, column: str, *, period: str, date_format: str | None
) -> dict[str, list[date]]:
    """Return on which days a column has each of its values, oldest first."""
    rows = con.execute(
        f"select {text_sql(column)} as value, {date_sql(period, date_format)} as day from landed "  # noqa: S608 - quoted columns
        f"where value is not null and day is not null group by value, day order by value, day"
    ).fetchall()
    days: dict[str, list[date]] = {}
    for value, day in rows:
        days.setdefault(str(value), []).append(day)
    return days


def days_of_file(
    con: duckdb.DuckDBPyConnection, period: str, date_format: str | None
) -> list[date]:
    """Return every day of a column of dates once."""
    day = date_sql(period, date_format)
    found = con.execute(f"select distinct {day} as day from landed order by 1").fetchall()  # noqa: S608 - quoted columns
    return [row[0] for row in found if row[0] is not None]
