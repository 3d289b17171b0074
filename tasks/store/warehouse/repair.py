"""Puts back a warehouse that is damaged or gone, and takes knowledge dates in the future back.

Belongs here: checking the file, the kept state before the last write, dates. Does not: fitting or
landing anything again.
"""

import logging
import os
import shutil
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb

from schemas.answers.repair import RepairReport
from schemas.errors import CorruptArtifactError
from schemas.names import Artifact
from tasks.store.holders import held
from tasks.store.home import Home
from tasks.store.warehouse.connection import previous_of, writing

log = logging.getLogger(__name__)

_LOCK_SECONDS = 5.0
_DATED = (
    ("ops.batches", "known_from"),
    ("canonical.kpi", "known_from"),
    ("canonical.media", "known_from"),
    ("canonical.controls", "known_from"),
    ("canonical.restated", "known_from"),
    ("canonical.restated", "superseded_from"),
    ("ops.snapshots", "as_of"),
    ("ops.run_inputs", "as_of"),
)


def repair_warehouse(home: Home, today: date) -> RepairReport:
    """Mend what can be mended, and say what could not be brought back.

    Parameters
    ----------
    home
        The home.
    today
        No knowledge date may lie after it.

    Returns
    -------
    RepairReport
        What was wrong and what was done. Nothing is deleted: a damaged file is moved aside.

    Raises
    ------
    CorruptArtifactError
        If the warehouse cannot be read and no earlier state was kept.
    ResourceUnavailableError
        If a writer is at work.
    """
    fault, aside, is_put_back = _fault_of(home.warehouse), None, False
    if fault is not None and (home.warehouse.exists() or _published(home)):
        home.warehouse.parent.mkdir(parents=True, exist_ok=True)
        lock = home.warehouse.with_suffix(".lock")
        what = f"The warehouse {home.warehouse}"
        with held(lock, what=what, wait_seconds=_LOCK_SECONDS):
            aside, is_put_back = _put_back(home, fault), True
    dates = _take_back_dates(home, today)
    return RepairReport(
        fault=fault if is_put_back else None,
        restored_from=previous_of(home.warehouse).name if is_put_back else None,
        moved_to=str(aside) if aside else None,
        dates_taken_back=dates,
        runs_not_in_warehouse=_missing_runs(home),
    )


def _fault_of(path: Path) -> str | None:
    """Return why a file is no warehouse, having read every table of it; None if it is one."""
    if not path.exists():
        return "it is gone"
    try:
        with duckdb.connect(str(path), read_only=True) as con:
            tables = con.execute(
                "select schema_name, table_name from duckdb_tables() order by all"
            ).fetchall()
            for schema, table in tables:
                con.table(f"{schema}.{table}").to_arrow_table()
    except duckdb.Error as error:
        return (str(error).splitlines() or [type(error).__name__])[0]
    return None


def _put_back(home: Home, fault: str) -> Path | None:
    """Put the kept state in place; return where the damaged file lies now, if there is one."""
    kept = previous_of(home.warehouse)
    second = _fault_of(kept)
    if second is not None:
        raise CorruptArtifactError(
            f"The warehouse {home.warehouse} cannot be read ({fault}), and the state before the "
            f"last write, {kept}, neither ({second}). Restore it from a backup; landed files, run "
            "folders and MLflow are untouched. Moved aside, a new one begins without history."
        )
    target = home.warehouse.resolve()
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
    aside = target.with_name(f"{home.warehouse.stem}.damaged-{stamp}{home.warehouse.suffix}")
    was_there = target.exists()
    if was_there:
        target.rename(aside)
    beside = target.with_name(f".{target.name}.repair.partial")
    shutil.copy2(kept, beside)
    with beside.open("rb+") as stream:
        os.fsync(stream.fileno())
    beside.replace(target)
    return aside if was_there else None


def _take_back_dates(home: Home, today: date) -> int:
    """Set every knowledge date after ``today`` to it; return how many rows that were."""
    if not home.warehouse.exists():
        return 0
    with duckdb.connect(str(home.warehouse), read_only=True) as con:
        known = {f"{s}.{t}" for s, t in con.execute(
            "select schema_name, table_name from duckdb_tables()").fetchall()}  # fmt: skip
        wrong = [
            (table, column, n)
            for table, column in _DATED
            if table in known and (n := con.execute(_count(table, column), [today]).fetchone()[0])  # type: ignore[index]
        ]
    if not wrong:
        return 0
    with writing(home, wait_seconds=_LOCK_SECONDS) as con:
        for table, column, _ in wrong:
            con.execute(f"update {table} set {column} = ? where {column} > ?", [today, today])  # noqa: S608 - our own names
    return sum(n for _, _, n in wrong)


def _count(table: str, column: str) -> str:
    return f"select count(*) from {table} where {column} > ?"  # noqa: S608 - our own names


def _published(home: Home) -> set[str]:
    return {path.parent.name for path in home.runs.glob(f"*/{Artifact.DIGESTS}")}


def _missing_runs(home: Home) -> list[str]:
    if not home.warehouse.exists():
        return sorted(_published(home))
    with duckdb.connect(str(home.warehouse), read_only=True) as con:
        known = {row[0] for row in con.execute("select run_id from ops.runs").fetchall()}
    return sorted(_published(home) - known)
