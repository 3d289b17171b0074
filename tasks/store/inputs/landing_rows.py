"""Landed text as typed rows: the frame that raw rules judge, and the long canonical rows.

Belongs here: SQL over one opened batch (view ``landed``). Does not: verdicts.
Invariant: a text that cannot be read is null in values and named in the check frame.
"""
# ruff: noqa: S608 - identifiers and literals are quoted by text_values

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import duckdb

from schemas.names import ENTITY_COLUMN, LINE_COLUMN, PERIOD_COLUMN, TOTAL_ENTITY
from schemas.spec.roles import UNIT_VALUE_COLUMN, ColumnRoles
from tasks.store.inputs.date_formats import DateReading, ShapeCount, decide_date_format
from tasks.store.inputs.text_values import (
    date_shape_sql,
    date_sql,
    entity_sql,
    literal,
    number_sql,
    quote,
    text_sql,
)

if TYPE_CHECKING:
    import pandas as pd

MAX_FRAME_ROWS = 100_000
"""Of a larger file DuckDB counts every row, and the rows that break a rule are shown by example."""
_SHOWN_ROWS = 100


@dataclass(frozen=True)
class CheckedRows:
    """Rows that raw rules judge, and how many rows they stand for."""

    frame: "pd.DataFrame"
    n_rows: int
    counts: dict[str, int] | None
    """Rows that break the rule of a column of ``frame``, over the whole file; ``KEY`` counts those
    that share their key. None where ``frame`` is the whole file."""


KEY = f"{ENTITY_COLUMN}, {PERIOD_COLUMN}"


def read_date_shapes(con: duckdb.DuckDBPyConnection, column: str) -> list[ShapeCount]:
    """Count the shapes of a date column."""
    numbers = r"'^(\d+)[/.-](\d+)[/.-]'"
    text = text_sql(column)
    rows = con.execute(
        f"select {date_shape_sql(column)} as shape, count(*), min({LINE_COLUMN}), "
        f"max(try_cast(regexp_extract({text}, {numbers}, 1) as integer)), "
        f"max(try_cast(regexp_extract({text}, {numbers}, 2) as integer)) "
        "from landed group by shape order by shape"
    ).fetchall()
    return [
        ShapeCount(shape=shape, n_rows=n, first_line=line, max_first=first, max_second=second)
        for shape, n, line, first, second in rows
    ]


def read_dates(
    con: duckdb.DuckDBPyConnection, roles: ColumnRoles, date_format: str | None
) -> DateReading:
    """Settle how the period column is written."""
    return decide_date_format(read_date_shapes(con, roles.period), date_format)


def distinct_days(
    con: duckdb.DuckDBPyConnection, roles: ColumnRoles, reading: DateReading
) -> list[date]:
    """Return every day of the period column once, as it is written."""
    day = date_sql(roles.period, reading.date_format)
    found = con.execute(f"select distinct {day} as day from landed order by 1").fetchall()
    return [row[0] for row in found if row[0] is not None]


def day_sql(roles: ColumnRoles, reading: DateReading) -> str:
    """Return an expression for the start of a row's period."""
    day = date_sql(roles.period, reading.date_format)
    return f"cast(date_trunc('month', {day}) as date)" if reading.month_ends else day


def coming_sql(
    con: duckdb.DuckDBPyConnection,
    roles: ColumnRoles,
    reading: DateReading,
    known_until: date | None = None,
) -> str:
    """Return the condition that a row speaks of a coming period: it holds a plan, and no KPI yet.

    Its KPI is blank, and it starts after the last row whose KPI is not, of any entity.

    Parameters
    ----------
    con
        Opened batch.
    roles, reading
        Columns, and how the period is written.
    known_until
        Last period whose KPI is known from elsewhere: rows up to it are of the past.
    """
    blank, day = f"{text_sql(roles.kpi)} is null", day_sql(roles, reading)
    if not _scalar(con, f"select count(*) from landed where {blank}"):
        return "false"
    row = con.execute(f"select max({day}) from landed where not ({blank})").fetchone()
    if row is None or row[0] is None:
        return "false"
    last = max(row[0], known_until or row[0])
    return f"coalesce({blank} and {day} > date {literal(last.isoformat())}, false)"


def check_rows(
    con: duckdb.DuckDBPyConnection, roles: ColumnRoles, reading: DateReading, decimal: str
) -> CheckedRows:
    """Return the rows of the file with the text of whatever could not be read.

    Columns: ``_line, entity_id, period_start, unreadable date, ambiguous date, empty entity``, and
    per numeric source column ``value of X``, ``text in X`` (not a number) and ``missing X``, which
    a row of a coming period (``coming_sql``) never is. Every row of a file is looked at; of a large
    one the frame holds the first that break each rule.

    Returns
    -------
    CheckedRows
        Those columns, in the order of the file.
    """
    sources = list(dict.fromkeys(roles.numeric_sources().values()))
    coming = coming_sql(con, roles, reading)
    columns = _checked_columns(roles, reading, decimal, coming)
    checked = f"select {', '.join(columns)} from landed"
    n_rows = _scalar(con, "select count(*) from landed")
    if n_rows <= MAX_FRAME_ROWS:
        frame = con.execute(f"{checked} order by {LINE_COLUMN}").df()
        return CheckedRows(frame, n_rows, None)
    con.execute(f"create or replace temp table checked as {checked}")
    broken = _broken(sources)
    counts = {column: _scalar(con, f"select count(*) {rule}") for column, rule in broken.items()}
    shown = " union ".join(
        f"(select {LINE_COLUMN} {rule} order by {LINE_COLUMN} limit {_SHOWN_ROWS})"
        for column, rule in broken.items()
        if counts[column]
    )
    lines = f"or {LINE_COLUMN} in ({shown})" if shown else ""
    frame = con.execute(
        f"select * from checked where {LINE_COLUMN} <= {_SHOWN_ROWS} {lines} order by {LINE_COLUMN}"
    ).df()
    return CheckedRows(frame, n_rows, counts)


def _checked_columns(
    roles: ColumnRoles, reading: DateReading, decimal: str, coming: str
) -> list[str]:
    period, entity = text_sql(roles.period), entity_sql(roles.entity, TOTAL_ENTITY)
    day = day_sql(roles, reading)
    unreadable = "false" if reading.ambiguous else f"{day} is null"
    columns = [
        LINE_COLUMN,
        f"{entity} as {ENTITY_COLUMN}",
        f"{day} as {PERIOD_COLUMN}",
        f"case when {unreadable} then coalesce({period}, '(empty)') end as \"unreadable date\"",
        f'case when {str(reading.ambiguous).lower()} then {period} end as "ambiguous date"',
        f"case when {entity} is null then '(empty)' end as \"empty entity\"",
    ]
    for source in dict.fromkeys(roles.numeric_sources().values()):
        number, text = number_sql(source, decimal), text_sql(source)
        columns += [
            f"{number} as {quote(f'value of {source}')}",
            f"case when {number} is null then {text} end as {quote(f'text in {source}')}",
            f"case when {text} is null and not {coming} then '(empty)' end "
            f"as {quote(f'missing {source}')}",
        ]
    return columns


def _broken(sources: list[str]) -> dict[str, str]:
    """Return, per column that a rule judges, the ``from`` clause of the rows that break it."""
    flags = ["unreadable date", "ambiguous date", "empty entity"]
    flags += [f"{what} {source}" for source in sources for what in ("text in", "missing")]
    rules = {flag: f"from checked where {quote(flag)} is not null" for flag in flags}
    for source in sources:
        value = f"value of {source}"
        rules[value] = f"from checked where {quote(value)} < 0"
    rules[KEY] = (
        f"from checked join (select {KEY} from checked group by {KEY} having count(*) > 1) "
        f"using ({KEY})"  # a null joins with nothing: a row without its key has no twin
    )
    return rules


def _scalar(con: duckdb.DuckDBPyConnection, query: str) -> int:
    row = con.execute(query).fetchone()
    return int(row[0]) if row else 0


def missing_rates(con: duckdb.DuckDBPyConnection, columns: list[str]) -> dict[str, float]:
    """Return the share of empty cells of every source column."""
    shares = ", ".join(f"1 - count({text_sql(c)}) / count(*)" for c in columns)
    row = con.execute(f"select {shares} from landed").fetchone() or ()
    return {column: round(float(share), 6) for column, share in zip(columns, row, strict=True)}


def write_long_rows(
    con: duckdb.DuckDBPyConnection,
    target: Path,
    *,
    roles: ColumnRoles,
    reading: DateReading,
    decimal: str,
    coming: str = "false",
) -> None:
    """Write the batch's rows (``role, entity_id, period_start, name, value``) as Parquet.

    Rows that the condition ``coming`` holds for are left out.
    """
    entity, day = (
        entity_sql(roles.entity, TOTAL_ENTITY),
        day_sql(roles, reading),
    )
    selects = [
        f"select {literal(role)} as role, {entity} as {ENTITY_COLUMN}, {day} as {PERIOD_COLUMN}, "
        f"{literal(name)} as name, {number_sql(source, decimal)} as value from landed "
        f"where not {coming}"
        for role, name, source, _ in number_roles(roles)
    ]
    con.execute(
        f"copy ({' union all '.join(selects)} order by all) "
        f"to {literal(str(target))} (format parquet)"
    )


def read_coming(
    con: duckdb.DuckDBPyConnection,
    roles: ColumnRoles,
    reading: DateReading,
    decimal: str,
    coming: str,
) -> "pd.DataFrame":
    """Return the rows of coming periods.

    Returns
    -------
    pd.DataFrame
        ``entity_id, period_start`` and every canonical column of a number, in the order of periods.
    """
    columns = [
        f"{entity_sql(roles.entity, TOTAL_ENTITY)} as {ENTITY_COLUMN}",
        f"{day_sql(roles, reading)} as {PERIOD_COLUMN}",
        *(f"{number_sql(n.source, decimal)} as {quote(n.column)}" for n in number_roles(roles)),
    ]
    return con.execute(f"select {', '.join(columns)} from landed where {coming} order by 2, 1").df()


class NumberRole(NamedTuple):
    """A number of a file: what it is, where it comes from, and where it goes."""

    role: str
    name: str
    source: str
    """Column of the file."""
    column: str
    """Canonical column."""


def number_roles(roles: ColumnRoles) -> list[NumberRole]:
    """Return every number of a file, in order."""
    listed = [NumberRole("kpi", roles.kpi_name, roles.kpi, roles.kpi_name)]
    if roles.unit_value:
        given = roles.unit_value
        listed.append(NumberRole("unit_value", UNIT_VALUE_COLUMN, given, UNIT_VALUE_COLUMN))
    for channel in roles.channels:
        if channel.activity and channel.activity_column:
            given, column = channel.activity, channel.activity_column
            listed.append(NumberRole("activity", channel.name, given, column))
        if channel.spend and channel.spend_column:
            given, column = channel.spend, channel.spend_column
            listed.append(NumberRole("spend", channel.name, given, column))
    listed += [NumberRole("control", c.name, c.source, c.column) for c in roles.controls]
    return listed
