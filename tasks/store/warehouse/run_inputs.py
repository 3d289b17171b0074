"""What each run was fitted on. Belongs here: SQL over ``ops.run_inputs``."""

from dataclasses import dataclass
from datetime import date

import duckdb

from schemas.documents.results import RunStatus
from tasks.store.home import Home
from tasks.store.warehouse.connection import reading


@dataclass(frozen=True)
class RunInput:
    """What decides the numbers of a run."""

    run_id: str
    dataset_id: str
    snapshot_id: str
    as_of: date
    run_key: str
    """Digest of snapshot, spec, day and code."""


def write_run_input(con: duckdb.DuckDBPyConnection, given: RunInput) -> None:
    """Record what decides the numbers of a run; a try that is taken up again replaces its row."""
    con.execute(
        "insert or replace into ops.run_inputs (run_id, dataset_id, snapshot_id, as_of, run_key) "
        "values (?, ?, ?, ?, ?)",
        [given.run_id, given.dataset_id, given.snapshot_id, given.as_of, given.run_key],
    )


def find_finished_run(home: Home, dataset_id: str, run_key: str) -> str | None:
    """Return the newest run that ended with outputs and has this key, or None."""
    with reading(home, dataset_id) as con:
        row = con.execute(
            "select r.run_id from ops.runs r join ops.run_inputs i using (run_id) "
            "where i.dataset_id = ? and i.run_key = ? and r.status = ? "
            "order by r.created_at desc limit 1",
            [dataset_id, run_key, RunStatus.OUTPUTS_READY.value],
        ).fetchone()
    return str(row[0]) if row else None


def newest_grain(home: Home, dataset_id: str) -> str | None:
    """Return the grain of the newest snapshot of a dataset, or None."""
    with reading(home, dataset_id) as con:
        row = con.execute(
            "select grain from ops.snapshots where dataset_id = ? order by created_at desc limit 1",
            [dataset_id],
        ).fetchone()
    return str(row[0]) if row else None


def count_known(home: Home, dataset_id: str) -> tuple[int, int]:
    """Return how many KPI values and how many named columns of a dataset are known."""
    with reading(home, dataset_id) as con:
        row = con.execute(
            """
            select
                (select count(*) from canonical.kpi where dataset_id = $1),
                (select count(distinct name || measure) from canonical.media where dataset_id = $1)
                + (select count(distinct name) from canonical.controls where dataset_id = $1)
            """,
            [dataset_id],
        ).fetchone()
    return (0, 0) if row is None else (int(row[0]), int(row[1]))
