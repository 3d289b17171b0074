"""SQL of runs: what was done (``ops.*``) and what was published (``mart.*``).

Writers take the connection of an open transaction, so that a caller decides what appears together.
"""

from datetime import UTC
from typing import TYPE_CHECKING, Any

import duckdb

from schemas.documents.effects import RoiMetrics
from schemas.documents.results import ENDED, RunRecord, RunStatus, StatusFile
from schemas.errors import UnknownRunError
from schemas.hints import suggest
from schemas.names import CONTRIBUTION_COLUMNS, FITTED_COLUMNS, ROAS_COLUMNS, Artifact
from schemas.outcomes import Verdict
from tasks.store.home import Home
from tasks.store.warehouse.across import ask, ask_all, ask_run

if TYPE_CHECKING:
    import pandas as pd

_RUN_COLUMNS = (
    "run_id, dataset_id, status, reason, verdict, snapshot_id, mlflow_run_id, model_version, "
    "created_at, updated_at"
)
_ONE_RUN = f"select {_RUN_COLUMNS} from ops.runs where run_id = ?"  # noqa: S608 - constant columns


def write_run(con: duckdb.DuckDBPyConnection, record: RunRecord) -> None:
    """Insert or replace one run."""
    con.execute(
        f"insert or replace into ops.runs ({_RUN_COLUMNS}) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608 - constant columns
        [
            record.run_id, record.dataset_id, record.status.value, record.reason,
            record.verdict.value if record.verdict else None, record.snapshot_id,
            record.mlflow_run_id, record.model_version, record.created_at, record.updated_at,
        ],
    )  # fmt: skip


def find_run(con: duckdb.DuckDBPyConnection, run_id: str) -> RunRecord | None:
    """Return one run, or None."""
    row = con.execute(_ONE_RUN, [run_id]).fetchone()
    return _record(row) if row else None


def as_it_stands(home: Home, record: RunRecord) -> RunRecord:
    """Return a run that has not ended with what its folder says of it since it began."""
    if record.status in ENDED:
        return record
    try:
        text = (home.run_dir(record.run_id) / Artifact.RUN_STATUS).read_text(encoding="utf-8")
        said = RunRecord.model_validate(
            StatusFile.model_validate_json(text).model_dump(include=set(RunRecord.model_fields))
        )
    except (OSError, ValueError):  # it was never written, or is nobody's
        return record
    if (said.run_id, said.dataset_id) != (record.run_id, record.dataset_id):
        return record
    # An end that the warehouse does not know was never reached: its transaction failed.
    if said.status is RunStatus.OUTPUTS_READY:
        return said.model_copy(update={"status": RunStatus.TRAINED})
    return record if said.status in ENDED else said


def read_run(home: Home, run_id: str) -> RunRecord:
    """Return one run.

    Raises
    ------
    UnknownRunError
        Naming the nearest run id.
    """
    rows = ask_run(home, run_id, _ONE_RUN, [run_id])
    if rows:
        return as_it_stands(home, _record(rows[0]))
    known = [run.run_id for run in list_runs(home)]
    hint = suggest(run_id, known, "`mmm runs` lists those that exist.")
    raise UnknownRunError(f"No run {run_id!r}; {hint}")


def list_runs(home: Home, dataset_id: str | None = None) -> list[RunRecord]:
    """Return runs, newest first; ``dataset_id`` None means of all datasets.

    Raises
    ------
    UnknownRunError
        If a dataset is named that has no run, while others have.
    """
    found = runs_of(home, dataset_id)
    if not found and dataset_id is not None:
        _refuse_unknown_dataset(home, dataset_id)
    return found


def runs_of(home: Home, dataset_id: str | None) -> list[RunRecord]:
    """Return runs, newest first; none of a dataset that nobody knows."""
    query = f"select {_RUN_COLUMNS} from ops.runs"  # noqa: S608 - constant columns
    rows = ask(home, dataset_id, query)
    found = [as_it_stands(home, _record(row)) for row in rows]
    return sorted(found, key=lambda run: (run.created_at, run.run_id), reverse=True)


def datasets_with_runs(home: Home) -> list[str]:
    """Return every dataset that has a run, in alphabetical order."""
    query = "select distinct dataset_id from ops.runs"
    return [str(row[0]) for row in ask_all(home, query)]


def write_marts(
    con: duckdb.DuckDBPyConnection,
    run_id: str,
    dataset_id: str,
    *,
    contributions: "pd.DataFrame",
    fitted: "pd.DataFrame",
    roas: RoiMetrics,
) -> None:
    """Replace everything published of one run.

    Parameters
    ----------
    con
        Connection inside a transaction.
    run_id, dataset_id
        Whose rows they are.
    contributions
        ``CONTRIBUTION_COLUMNS``, in units of the KPI, one row per entity, period and component.
    fitted
        ``FITTED_COLUMNS``, in units of the KPI, one row per entity and period.
    roas
        Returns by channel, as ``roi_metrics.json`` has them.
    """
    parts = contributions[list(CONTRIBUTION_COLUMNS)]
    replace_rows(con, "mart.contributions", run_id, dataset_id, parts)
    replace_rows(con, "mart.fitted", run_id, dataset_id, fitted[list(FITTED_COLUMNS)])
    con.execute("delete from mart.roas where run_id = ?", [run_id])
    columns = ", ".join(("run_id", "dataset_id", "channel", *ROAS_COLUMNS))
    marks = ", ".join(["?"] * (3 + len(ROAS_COLUMNS)))
    for channel, row in roas.items():
        con.execute(
            f"insert into mart.roas ({columns}) values ({marks})",  # noqa: S608 - constant columns
            [run_id, dataset_id, channel, *(getattr(row, name) for name in ROAS_COLUMNS)],
        )


def read_roas(home: Home, run_id: str) -> dict[str, dict[str, Any]]:
    """Return the published ROAS of one run per channel; empty if it published none.

    Returns
    -------
    dict
        By channel the columns of ``mart.roas``: money, KPI units, and money per money.
    """
    columns = ", ".join(ROAS_COLUMNS)
    query = f"select channel, {columns} from mart.roas where run_id = ? order by rowid"  # noqa: S608 - constant columns
    rows = ask_run(home, run_id, query, [run_id])
    return {row[0]: dict(zip(ROAS_COLUMNS, row[1:], strict=True)) for row in rows}


def replace_rows(
    con: duckdb.DuckDBPyConnection,
    table: str,
    run_id: str,
    dataset_id: str,
    frame: "pd.DataFrame",
) -> None:
    """Replace a run's rows of ``table``, a constant of the caller, by those of ``frame``.

    The columns of ``frame`` are constants of the caller, too.
    """
    columns = ", ".join(frame.columns)
    con.execute(f"delete from {table} where run_id = ?", [run_id])  # noqa: S608
    con.register("published", frame)
    con.execute(
        f"insert into {table} (run_id, dataset_id, {columns}) "  # noqa: S608
        f"select ?, ?, {columns} from published",
        [run_id, dataset_id],
    )
    # Not after a failure: that aborts the transaction, and this would hide why.
    con.unregister("published")


def _refuse_unknown_dataset(home: Home, dataset_id: str) -> None:
    known = datasets_with_runs(home)
    if known:
        hint = suggest(dataset_id, known, f"datasets with runs: {', '.join(known[:10])}.")
        raise UnknownRunError(f"No run of dataset {dataset_id!r}; {hint}")


def _record(row: tuple[Any, ...]) -> RunRecord:
    return RunRecord(
        run_id=row[0],
        dataset_id=row[1],
        status=RunStatus(row[2]),
        reason=row[3],
        verdict=Verdict(row[4]) if row[4] else None,
        snapshot_id=row[5],
        mlflow_run_id=row[6],
        model_version=row[7],
        created_at=row[8].astimezone(UTC),
        updated_at=row[9].astimezone(UTC),
    )
