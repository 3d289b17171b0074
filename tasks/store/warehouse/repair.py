"""Puts back warehouses that are damaged or gone, and takes knowledge dates in the future back.

Belongs here: checking the file, the kept state before the last write, dates. Does not: fitting or
landing anything again.
"""

import shutil
from datetime import UTC, date, datetime
from pathlib import Path

from schemas.answers.repair import RepairReport, WarehouseRepair
from schemas.errors import CorruptArtifactError
from tasks.store.holders import held
from tasks.store.home import Home
from tasks.store.warehouse import files, moving
from tasks.store.warehouse.across import ask_all
from tasks.store.warehouse.connection import reading, writing
from tasks.store.warehouse.places import (
    datasets,
    lock_of,
    previous_of,
    published_runs,
    warehouse_of,
)

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


def repair_warehouses(home: Home, today: date) -> RepairReport:
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
        If warehouses cannot be read and no earlier state was kept; all others are mended by then.
    ResourceUnavailableError
        If a writer is at work.
    """
    repairs, beyond = _repair_single(home), []
    if moving.has_moved_in(home, wait_seconds=_LOCK_SECONDS):
        for dataset_id in sorted({*datasets(home), *_lost(home)}):
            try:
                repairs += _repair(dataset_id, warehouse_of(home, dataset_id))
            except CorruptArtifactError as error:
                beyond.append(str(error))
    if beyond:
        raise CorruptArtifactError("\n".join(beyond))
    dates = sum(_take_back_dates(home, dataset_id, today) for dataset_id in datasets(home))
    return RepairReport(
        warehouses=repairs, dates_taken_back=dates, runs_not_in_warehouse=_missing_runs(home)
    )


def _repair_single(home: Home) -> list[WarehouseRepair]:
    """Mend the file of a home of before there was one per dataset, so that it can be moved."""
    single = home.single_warehouse
    if single.exists() or (not home.warehouses.exists() and previous_of(single).exists()):
        return _repair(None, single)
    return []


def _repair(dataset_id: str | None, path: Path) -> list[WarehouseRepair]:
    """Put the state before the last write back where a file cannot be read; else nothing."""
    fault = _fault_of(path)
    if fault is None:
        return []
    path.parent.mkdir(parents=True, exist_ok=True)
    with held(lock_of(path), what=f"The warehouse {path}", wait_seconds=_LOCK_SECONDS):
        aside = _put_back(path, fault)
    return [
        WarehouseRepair(
            dataset_id=dataset_id,
            fault=fault,
            restored_from=previous_of(path).name,
            moved_to=str(aside) if aside else None,
        )
    ]


def _fault_of(path: Path) -> str | None:
    return files.fault_of(path) if path.exists() else "it is gone"


def _put_back(path: Path, fault: str) -> Path | None:
    """Put the kept state in place; return where the damaged file lies now, if there is one."""
    kept = previous_of(path)
    second = _fault_of(kept)
    if second is not None:
        raise CorruptArtifactError(
            f"The warehouse {path} cannot be read ({fault}), and the state before the "
            f"last write, {kept}, neither ({second}). Restore it from a backup; landed files, run "
            "folders and MLflow are untouched. Moved aside, a new one begins without history."
        )
    target = path.resolve()
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
    aside = target.with_name(f"{path.stem}.damaged-{stamp}{path.suffix}")
    was_there = target.exists()
    if was_there:
        target.rename(aside)
    beside = target.with_name(f".{target.name}.repair.partial")
    shutil.copy2(kept, beside)
    files.flush(beside)
    beside.replace(target)
    return aside if was_there else None


def _take_back_dates(home: Home, dataset_id: str, today: date) -> int:
    """Set every knowledge date after ``today`` to it; return how many rows that were."""
    with reading(home, dataset_id, wait_seconds=_LOCK_SECONDS) as con:
        wrong = [
            (table, column, int(row[0]))
            for table, column in _DATED
            if (row := con.execute(_count(table, column), [today]).fetchone()) and row[0]
        ]
    if not wrong:
        return 0
    with writing(home, dataset_id, wait_seconds=_LOCK_SECONDS) as con:
        for table, column, _ in wrong:
            con.execute(f"update {table} set {column} = ? where {column} > ?", [today, today])  # noqa: S608 - our own names
    return sum(n for _, _, n in wrong)


def _count(table: str, column: str) -> str:
    return f"select count(*) from {table} where {column} > ?"  # noqa: S608 - our own names


def _lost(home: Home) -> set[str]:
    return {owner for owner, _ in published_runs(home, without=set(datasets(home)))}


def _missing_runs(home: Home) -> list[str]:
    query = "select run_id from ops.runs"
    known = {row[0] for row in ask_all(home, query)}
    return sorted({run_id for _, run_id in published_runs(home, without=set())} - known)
