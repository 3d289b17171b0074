"""SQL of ``ops.prunings``: which files the retention policy removed, and which are being removed.

A row is written before a file goes (``pruned_at`` is null until it is gone), and stays.
"""
# ruff: noqa: S608 - SQL is made of constants; values are parameters

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import duckdb

from schemas.answers.pruning import ItemKind, Pruning
from schemas.errors import MmmError, PrunedFilesError
from tasks.store.home import Home
from tasks.store.warehouse.across import ask, ask_run
from tasks.store.warehouse.connection import writing

_FIELDS = tuple(Pruning.model_fields)
_COLUMNS = ", ".join(_FIELDS)


def mark_prunings(home: Home, rows: Sequence[Pruning]) -> None:
    """Add decisions, those of a dataset in one transaction.

    Raises
    ------
    MmmError
        If the warehouse cannot be written, as on a full disk; then nothing may be removed.
    """
    if not rows:
        return
    marks = ", ".join(["?"] * len(_FIELDS))
    try:
        for dataset_id in sorted({row.dataset_id for row in rows}):
            with writing(home, dataset_id) as con:
                con.executemany(
                    f"insert into ops.prunings ({_COLUMNS}) values ({marks})",
                    [
                        [getattr(row, name) for name in _FIELDS]
                        for row in rows
                        if row.dataset_id == dataset_id
                    ],
                )
    except duckdb.Error as error:
        raise MmmError(
            f"Nothing was removed, because it could not be recorded first "
            f"({str(error).splitlines()[0]}). If the disk is full, free some megabytes by hand, "
            "and prune again."
        ) from error


def finish_pruning(home: Home, row: Pruning, pruned_at: datetime) -> None:
    """Record that the files of a decision are gone."""
    with writing(home, row.dataset_id) as con:
        con.execute(
            "update ops.prunings set pruned_at = ? where dataset_id = ? and kind = ? "
            "and item_id = ? and decided_at = ?",
            [pruned_at, row.dataset_id, row.kind.value, row.item_id, row.decided_at],
        )


def list_prunings(home: Home, dataset_id: str | None = None) -> list[Pruning]:
    """Return all decisions, oldest first; ``dataset_id`` None means of all datasets."""
    query = f"select {_COLUMNS} from ops.prunings"
    rows = ask(home, dataset_id, query)
    found = [_pruning(row) for row in rows]
    return sorted(found, key=lambda row: (row.decided_at, row.kind.value, row.item_id))


def find_pruning(home: Home, run_id: str) -> Pruning | None:
    """Return the last decision that a run's files go; None where they stay."""
    rows = ask_run(
        home,
        run_id,
        f"select {_COLUMNS} from ops.prunings where kind = ? and item_id = ? "
        "order by decided_at desc limit 1",
        [ItemKind.RUN.value, run_id],
    )
    return _pruning(rows[0]) if rows else None


def require_files(home: Home, run_id: str) -> None:
    """Raise if the retention policy removed the files of a run.

    Raises
    ------
    PrunedFilesError
        Saying when and by which rule, and what is left.
    """
    found = find_pruning(home, run_id)
    if found is not None:
        raise PrunedFilesError(
            f"The files of run {run_id} were removed on {found.decided_at:%Y-%m-%d} by the "
            f"retention policy ({found.reason}). What it published is in the warehouse, and "
            f"`mmm show {run_id}` reports of it; `mmm runs` lists runs that have their files."
        )


def require_version_files(home: Home, dataset_id: str, version: int) -> None:
    """Raise if the retention policy removed the files of the run that made a version.

    Raises
    ------
    PrunedFilesError
        As ``require_files``.
    """
    rows = ask(
        home,
        dataset_id,
        "select run_id from ops.runs where dataset_id = ? and model_version = ?",
        [dataset_id, version],
    )
    if rows:
        require_files(home, str(rows[0][0]))


def _pruning(row: tuple[Any, ...]) -> Pruning:
    facts = dict(zip(_FIELDS, row, strict=True))
    for name in ("decided_at", "pruned_at"):
        facts[name] = facts[name].astimezone(UTC) if facts[name] else None
    return Pruning.model_validate(facts)
