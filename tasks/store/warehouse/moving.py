"""A home of before there was a warehouse per dataset: moved once, by whoever opens it first.

All datasets are written to a folder of another name; renaming it is one step, and the single file
then becomes the state before the last write. Killed before the rename, the home is as it was;
killed after it, the next one sees that the folder was made of this very file and renames that.
Who may not write reads the single file, a dataset at a time, in memory.
"""
# ruff: noqa: S608 - SQL is made of our own names; ids are parameters

import json
import logging
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from schemas.errors import CorruptArtifactError, StorageError
from tasks.store.holders import held
from tasks.store.home import Home
from tasks.store.leases import leased
from tasks.store.storage import writing_to
from tasks.store.warehouse import files
from tasks.store.warehouse.places import lock_of, previous_of, stem_of

log = logging.getLogger(__name__)

ORIGIN = ".moved-from.json"
"""In the folder: which single file it was made of."""
_OWNER = "string_split(dataset_ids, ' + ')[1]"
_BELONGS = {
    "ops.gate_results": "run_id in (select run_id from old.ops.runs where dataset_id = $dataset)",
    "mart.scenarios": f"{_OWNER} = $dataset",
    "mart.plans": "scenario_id in "
    f"(select scenario_id from old.mart.scenarios where {_OWNER} = $dataset)",
}
"""Whose rows they are, where a table does not say it in ``dataset_id``."""


def has_moved_in(home: Home, *, wait_seconds: float) -> bool:
    """Say whether every dataset has a file of its own; move them if they can be moved now.

    Raises
    ------
    CorruptArtifactError
        If the single file is damaged, or is beside a folder that was not made of it.
    ResourceUnavailableError
        If another process moves them for longer than ``wait_seconds``.
    """
    if not home.single_warehouse.exists():
        return True
    try:
        move_in(home, wait_seconds=wait_seconds)
    except StorageError as error:
        log.info("the warehouse cannot be moved, and is read as it is: %s", error)
        return False
    return True


def move_in(home: Home, *, wait_seconds: float) -> None:
    """Give every dataset of a single file its own; nothing where there is no such file.

    Raises
    ------
    StorageError
        If the disk is full, or the home may not be written to.
    CorruptArtifactError, ResourceUnavailableError
        As ``has_moved_in``.
    """
    single = home.single_warehouse
    if not single.exists():
        return
    what = f"The warehouse {single}"
    with (
        writing_to(single),
        files.naming_damage(single),
        held(lock_of(single), what=what, wait_seconds=wait_seconds),
        leased(home, "all warehouses", what=what, wait_seconds=wait_seconds),
    ):
        if not single.exists():
            return
        if not _is_made_of(home.warehouses, single):
            _make(home, single, wait_seconds=wait_seconds)
        _retire(single)
    log.warning(
        "every dataset has a warehouse of its own now, in %s; %s is what there was before, and can "
        "be deleted once you have seen that all is there",
        home.warehouses, previous_of(single),
    )  # fmt: skip


@contextmanager
def not_moved(home: Home, dataset_id: str) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open one dataset of a single file that may not be moved, in memory."""
    single = home.single_warehouse
    with files.naming_damage(single), files.in_memory(single) as con:
        con.execute(files.ddl())
        _attach(con, single)
        _copy_rows(con, dataset_id)
        con.execute("detach old")
        yield con


def not_moved_datasets(home: Home) -> list[str]:
    """Return the datasets of a single file, in alphabetical order."""
    single = home.single_warehouse
    with files.naming_damage(single), files.in_memory(single) as con:
        _attach(con, single)
        return _datasets(con)


def _is_made_of(folder: Path, single: Path) -> bool:
    """Say whether a folder was made of a file; False where there is none, or an empty one."""
    if not folder.exists() or not any(folder.iterdir()):
        return False
    try:
        origin = json.loads((folder / ORIGIN).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        origin = None
    if origin == _origin(single):
        return True
    raise CorruptArtifactError(
        f"There are {single}, as earlier versions have it, and {folder}, which was not made of it, "
        "and nobody but you knows which is right. Move one of them out of the home."
    )


def _origin(single: Path) -> dict[str, int]:
    stat = single.stat()
    return {"n_bytes": stat.st_size, "changed_ns": stat.st_mtime_ns}


def _make(home: Home, single: Path, *, wait_seconds: float) -> None:
    """Write every dataset to a folder, and rename it to where it belongs."""
    folder = _place_of(home.warehouses, single)
    for left in folder.parent.glob(f".{folder.name}.*.partial"):
        shutil.rmtree(left)
    files.take_log_in(single, wait_seconds=wait_seconds)
    mode = single.stat().st_mode & 0o777
    partial = folder.with_name(f".{folder.name}.{uuid.uuid4().hex[:8]}.partial")
    partial.mkdir(0o700, parents=True)
    try:
        # Held open for reading, no other program can be writing to it.
        with files.connect(single, read_only=True, wait_seconds=wait_seconds):
            _fill(partial, single)
        (partial / ORIGIN).write_text(json.dumps(_origin(single)), encoding="utf-8")
        for path in partial.iterdir():
            path.chmod(mode)
        partial.chmod(mode | (mode & 0o444) >> 2)  # who may read a file may look into its folder
        partial.replace(folder)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    if not home.warehouses.exists():
        home.warehouses.symlink_to(folder)


def _place_of(folder: Path, single: Path) -> Path:
    """Return where the folder really is: behind a link, on the disk that the file was put on."""
    if folder.exists():
        return folder.resolve()
    target = single.resolve()
    return target.with_name(f"{target.stem}.datasets") if single.is_symlink() else folder


def _retire(single: Path) -> None:
    """Keep the single file as the state before the last write."""
    single.resolve().replace(previous_of(single))
    if single.is_symlink():
        single.unlink()


def _fill(folder: Path, single: Path) -> None:
    with files.in_memory(folder / "rows") as con:
        _attach(con, single)
        names = _datasets(con)
        expected = _count(con, "old")
    moved = dict.fromkeys(expected, 0)
    for dataset_id in names:
        path = folder / f"{stem_of(dataset_id)}.duckdb"
        with files.opened_for_writing(path) as con:
            con.execute(files.ddl())
            _attach(con, single)
            _copy_rows(con, dataset_id)
            for table, n_rows in _count(con, "held").items():
                moved[table] += n_rows
        files.flush(path)
    for table, n_rows in expected.items():
        if n_rows != moved[table]:
            log.warning(
                "%d row(s) of %s are of no dataset, and stay in the file that is kept",
                n_rows - moved[table], table,
            )  # fmt: skip


def _attach(con: duckdb.DuckDBPyConnection, single: Path) -> None:
    con.execute("attach ? as old (read_only)", [str(single)])


def _held_tables(con: duckdb.DuckDBPyConnection) -> list[str]:
    """Return our tables that the single file has: an earlier version may have made it."""
    rows = con.execute(
        "select schema_name || '.' || table_name from duckdb_tables() where database_name = 'old'"
    ).fetchall()
    return [table for table in files.tables() if (table,) in rows]


def _datasets(con: duckdb.DuckDBPyConnection) -> list[str]:
    found: set[str] = set()
    for table in _held_tables(con):
        column = {"mart.scenarios": _OWNER}.get(table, "dataset_id")
        if column == "dataset_id" and table in _BELONGS:
            continue
        found |= {
            str(row[0])
            for row in con.execute(f"select distinct {column} from old.{table}").fetchall()
        }
    return sorted(found)


def _copy_rows(con: duckdb.DuckDBPyConnection, dataset_id: str) -> None:
    """Copy the rows of a dataset from the attached file, in their order."""
    for table in _held_tables(con):
        belongs = _BELONGS.get(table, "dataset_id = $dataset")
        con.execute(
            f"insert into {table} by name select * from old.{table} where {belongs}",
            {"dataset": dataset_id},
        )


def _count(con: duckdb.DuckDBPyConnection, database: str) -> dict[str, int]:
    return {
        table: int(row[0])
        for table in _held_tables(con)
        if (row := con.execute(f"select count(*) from {database}.{table}").fetchone())
    }
