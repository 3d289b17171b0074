"""Canonical values in the warehouse: what is known now, what was known then, what a batch changes.

Belongs here: SQL over ``canonical.*`` and ``ops.snapshots``. Does not: parsing, hashing.
Invariant: a value that changes moves to ``canonical.restated``; what was known on any past day can
be read for ever. A value is known once; no key of a table says so, which took 150 of 165 bytes.
A batch is applied as a whole inside the caller's transaction, or not at all.
"""
# ruff: noqa: S608 - SQL is made of constants; values are parameters

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import duckdb

from schemas.errors import DataContractError
from schemas.names import ENTITY_COLUMN, PERIOD_COLUMN

if TYPE_CHECKING:
    import pandas as pd

_KEY = "role, entity_id, period_start, name"
_CURRENT = """
    select case when name = 'value_per_unit' then 'unit_value' else 'kpi' end as role,
           entity_id, period_start, name, value, batch_id, known_from
      from canonical.kpi where dataset_id = $dataset
    union all
    select measure, entity_id, period_start, name, value, batch_id, known_from
      from canonical.media where dataset_id = $dataset
    union all
    select 'control', entity_id, period_start, name, value, batch_id, known_from
      from canonical.controls where dataset_id = $dataset
"""
_AS_OF = f"""
    select {_KEY}, value, batch_id, known_from from ({_CURRENT}) where known_from <= $as_of
    union all
    select {_KEY}, value, batch_id, known_from from canonical.restated
     where dataset_id = $dataset and known_from <= $as_of and superseded_from > $as_of
"""


def stored_names(
    con: duckdb.DuckDBPyConnection, dataset_id: str, as_of: date
) -> set[tuple[str, str]]:
    """Return every ``(role, name)`` known on a day."""
    rows = con.execute(
        f"select distinct role, name from ({_AS_OF})", {"dataset": dataset_id, "as_of": as_of}
    ).fetchall()
    return {(str(role), str(name)) for role, name in rows}


def stored_keys(
    con: duckdb.DuckDBPyConnection, dataset_id: str, as_of: date
) -> tuple[list[str], list[date]]:
    """Return the entities and the period starts known on a day, each once and in order."""
    rows = con.execute(
        f"select distinct entity_id, period_start from ({_AS_OF}) where role = 'kpi'",
        {"dataset": dataset_id, "as_of": as_of},
    ).fetchall()
    return sorted({str(entity) for entity, _ in rows}), sorted({start for _, start in rows})


def newest_batch(
    con: duckdb.DuckDBPyConnection, dataset_id: str, as_of: date
) -> tuple[str, str] | None:
    """Return id and file name of the newest batch accepted by a day."""
    row = con.execute(
        "select batch_id, source_name from ops.batches where dataset_id = ? "
        "and status = 'ACCEPTED' "
        "and known_from <= ? order by known_from desc, received_at desc limit 1",
        [dataset_id, as_of],
    ).fetchone()
    return (str(row[0]), str(row[1])) if row else None


def newest_knowledge(con: duckdb.DuckDBPyConnection, dataset_id: str) -> date | None:
    """Return the latest day on which a value of the dataset became known."""
    row = con.execute(
        f"select max(known_from) from ({_CURRENT})", {"dataset": dataset_id}
    ).fetchone()
    return row[0] if row else None


def stage_batch(
    con: duckdb.DuckDBPyConnection, long: Path, *, dataset_id: str, batch_id: str, accepted: bool
) -> None:
    """Load a batch's long rows into the temporary table ``staged``: those that may be applied.

    A batch that was accepted before may add rows and correct its own (the spec may read it in
    another way now), but never undo what a later batch restated. A KPI is never null.
    """
    con.execute(
        f"""create or replace temp table staged as
            select {_KEY}, value from read_parquet($long)
             where value is not null or role not in ('kpi', 'unit_value')""",
        {"long": str(long)},
    )
    con.execute(
        f"create or replace temp table known as select * from ({_CURRENT})", {"dataset": dataset_id}
    )
    if accepted:
        con.execute(
            f"""delete from staged where exists (
                 select 1 from known k
                  where k.batch_id <> $batch and {same_cell("k", "staged")})""",
            {"batch": batch_id},
        )


def count_changes(con: duckdb.DuckDBPyConnection) -> tuple[int, int]:
    """Return how many staged rows are new and how many change a known value."""
    row = con.execute(
        f"""select count(*) filter (where k.role is null),
                   count(*) filter (where k.role is not null and k.value is distinct from s.value)
              from staged s left join known k on {same_cell("k", "s")}"""
    ).fetchone()
    return (int(row[0]), int(row[1])) if row else (0, 0)


def same_cell(left: str, right: str) -> str:
    """Return the SQL condition that two tables speak of the same value."""
    columns = ("role", "entity_id", "period_start", "name")
    return " and ".join(f"{left}.{c} = {right}.{c}" for c in columns)


def apply_staged(
    con: duckdb.DuckDBPyConnection,
    *,
    dataset_id: str,
    batch_id: str,
    known_from: date,
    accepted: bool,
) -> int:
    """Write the staged rows; return how many known values they changed.

    Raises
    ------
    DataContractError
        If two of them speak of the same value.
    """
    _require_one_of_each(con)
    con.execute(
        f"""create or replace temp table changed as
            select k.* from known k join staged s on {same_cell("k", "s")}
             where k.value is distinct from s.value"""
    )
    if accepted:
        # Rows of this very batch that its present reading no longer has: another date or entity.
        con.execute(
            f"""insert into changed select k.* from known k
                 where k.batch_id = $batch
                   and exists (select 1 from staged s where s.role = k.role and s.name = k.name)
                   and not exists (select 1 from staged s where {same_cell("k", "s")})""",
            {"batch": batch_id},
        )
    keys = {"dataset": dataset_id, "batch": batch_id, "known": known_from}
    con.execute(
        f"""insert into canonical.restated
            select $dataset, {_KEY}, value, batch_id, known_from, $batch, $known from changed""",
        keys,
    )
    for table, roles, measure in _TABLES:
        extra = f" and t.{measure} = c.role" if measure else ""
        con.execute(
            f"""delete from canonical.{table} t using changed c
                 where t.dataset_id = $dataset and c.role in {roles} and c.entity_id = t.entity_id
                   and c.period_start = t.period_start and c.name = t.name{extra}""",
            {"dataset": dataset_id},
        )
        con.execute(
            f"""insert into canonical.{table} by name
                select $dataset as dataset_id, entity_id, period_start, name,
                       {f"role as {measure}," if measure else ""} value,
                       $batch as batch_id, $known as known_from
                  from staged s where role in {roles} and not exists (
                       select 1 from known k where {same_cell("k", "s")}
                          and k.value is not distinct from s.value)""",
            keys,
        )
    row = con.execute("select count(*) from changed").fetchone()
    return int(row[0]) if row else 0


def _require_one_of_each(con: duckdb.DuckDBPyConnection) -> None:
    """Raise if two staged rows would be one value."""
    twice = con.execute(
        """select entity_id, period_start, name from staged
             group by replace(role, 'unit_value', 'kpi'), entity_id, period_start, name
            having count(*) > 1 order by all limit 1"""
    ).fetchone()
    if twice:
        raise DataContractError(f"{twice[2]!r} of {twice[0]}, {twice[1]} is there twice.")


_TABLES = (
    ("kpi", "('kpi', 'unit_value')", None),
    ("media", "('activity', 'spend')", "measure"),
    ("controls", "('control')", None),
)


class PanelColumn(NamedTuple):
    """A column of a panel, and the number that it holds."""

    role: str
    name: str
    column: str


def read_panel(
    con: duckdb.DuckDBPyConnection,
    *,
    dataset_id: str,
    as_of: date,
    wanted: Sequence[PanelColumn],
    staged: bool,
) -> "pd.DataFrame":
    """Return the panel known on a day, overlaid by the staged batch, one column per wanted number.

    Parameters
    ----------
    con
        Open warehouse; with ``staged`` the temporary table of ``stage_batch``.
    dataset_id, as_of
        What is read, and the day whose knowledge counts.
    wanted
        In the order of the columns.
    staged
        Whether to overlay the staged rows.

    Returns
    -------
    pd.DataFrame
        ``entity_id, period_start`` and the wanted columns, sorted by key; future periods included.
    """
    con.execute(
        f"create or replace temp table as_of_rows as select {_KEY}, value from ({_AS_OF})",
        {"dataset": dataset_id, "as_of": as_of},
    )
    rows = "select * from as_of_rows"
    if staged:
        rows = f"""select {_KEY}, value from staged union all
                   select r.* from as_of_rows r where not exists (
                       select 1 from staged s where {same_cell("s", "r")})"""
    con.execute("create or replace temp table wanted (place integer, role varchar, name varchar)")
    con.executemany(
        "insert into wanted values (?, ?, ?)",
        [[i, one.role, one.name] for i, one in enumerate(wanted)],
    )
    pivoted = ", ".join(
        f"max(value) filter (where place = {i}) as v{i}" for i in range(len(wanted))
    )
    panel = con.execute(
        f"""select {ENTITY_COLUMN}, {PERIOD_COLUMN}, {pivoted}
              from ({rows}) join wanted using (role, name)
             group by all order by {ENTITY_COLUMN}, {PERIOD_COLUMN}"""
    ).df()
    # Names are the user's: only pandas, which is case-sensitive, ever sees them.
    return panel.set_axis([ENTITY_COLUMN, PERIOD_COLUMN, *(one.column for one in wanted)], axis=1)


@dataclass(frozen=True)
class SnapshotRow:
    """A row of ``ops.snapshots``."""

    snapshot_id: str
    dataset_id: str
    as_of: date
    grain: str
    n_entities: int
    n_periods: int
    first_period: date
    last_period: date
    batch_id: str | None
    """The newest batch that is in it."""


def insert_snapshot(con: duckdb.DuckDBPyConnection, row: SnapshotRow) -> None:
    """Record a snapshot; one that is known stays as it is."""
    con.execute(
        "insert into ops.snapshots (snapshot_id, dataset_id, as_of, grain, n_entities, n_periods, "
        "first_period, last_period, batch_id, created_at) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
        "on conflict do nothing",
        [row.snapshot_id, row.dataset_id, row.as_of, row.grain, row.n_entities, row.n_periods,
         row.first_period, row.last_period, row.batch_id, datetime.now(UTC)],
    )  # fmt: skip
