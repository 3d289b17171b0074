"""The warehouse of a dataset: one writer at a time, readers never wait for it.

Belongs here: transactions on one dataset. Does not: SQL of one concern (``canonical``, ``runs``),
questions to all datasets (``across``).
Invariant: a file is never changed, only replaced. A writer works on a copy and renames it into
place once it has committed, since DuckDB lets nobody read a file that is open for writing.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from schemas.errors import CorruptArtifactError
from tasks.store import instances
from tasks.store.holders import held
from tasks.store.home import Home
from tasks.store.leases import dataset_lease, leased, require_held
from tasks.store.storage import writing_to
from tasks.store.warehouse import files, moving
from tasks.store.warehouse.places import lock_of, published_runs, warehouse_of

log = logging.getLogger(__name__)

WAIT_SECONDS = 120.0
"""How long a second writer waits before it gives up."""


@contextmanager
def writing(
    home: Home, dataset_id: str, *, wait_seconds: float = WAIT_SECONDS
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a dataset's warehouse for one transaction: committed as a whole, or nothing is seen.

    Writes take time in proportion to the size of the dataset, which is copied; those of other
    datasets neither wait nor are waited for.

    Raises
    ------
    ResourceUnavailableError
        If another process holds the warehouse for longer than ``wait_seconds``.
    StorageError
        If the disk is full, or the folder may not be written to.
    SpecError
        If no dataset can have this id.
    """
    moving.move_in(home, wait_seconds=wait_seconds)
    path = warehouse_of(home, dataset_id)
    _require_not_lost(home, dataset_id, path)
    with (
        writing_to(path),
        files.naming_damage(path),
        _writers_turn(home, path, wait_seconds=wait_seconds),
    ):
        copy = files.name_of_copy(path)
        try:
            files.copy_for_writing(path, copy, wait_seconds=wait_seconds)
            with files.opened_for_writing(copy) as con:
                if not files.has_every_table(con):
                    con.execute(files.ddl())
                con.execute("begin transaction")
                try:
                    yield con
                except BaseException:
                    con.execute("rollback")
                    raise
                con.execute("commit")
            require_held(home, _lease_of(path))
            require_held(home, dataset_lease(dataset_id))
            files.put_in_place(path, copy)
        finally:
            files.remove(copy)


@contextmanager
def reading(
    home: Home, dataset_id: str, *, wait_seconds: float = WAIT_SECONDS
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open what was committed last of a dataset, read-only; what it lacks reads as empty tables.

    Raises
    ------
    ResourceUnavailableError
        If a program that is not ours has the file open for writing for longer than
        ``wait_seconds``.
    SpecError
        If no dataset can have this id.
    """
    path = warehouse_of(home, dataset_id)
    if not moving.has_moved_in(home, wait_seconds=wait_seconds):
        with moving.not_moved(home, dataset_id) as con:
            yield con
        return
    if not path.exists():
        _require_not_lost(home, dataset_id, path)
        with empty() as con:
            yield con
        return
    with files.naming_damage(path), files.opened(path, wait_seconds=wait_seconds) as con:
        if files.has_every_table(con):
            yield con
            return
    with writing(home, dataset_id, wait_seconds=wait_seconds):
        log.info("made the tables that the warehouse %s did not have", path)
    with files.opened(path, wait_seconds=wait_seconds) as con:
        yield con


@contextmanager
def empty() -> Iterator[duckdb.DuckDBPyConnection]:
    """Open tables without rows, in memory: what a dataset without a warehouse knows.

    Asking for a dataset makes no file, whatever its name is.
    """
    with instances.with_tables(files.ddl()) as con:
        yield con


def _require_not_lost(home: Home, dataset_id: str, path: Path) -> None:
    """Raise if there is no warehouse though runs of the dataset were published into one."""
    if path.exists():
        return
    published = [run for owner, run in published_runs(home, without=set()) if owner == dataset_id]
    if published:
        raise CorruptArtifactError(lost(path, len(published)))


def lost(path: Path, n_runs: int) -> str:
    """Return what a warehouse that is gone is reported as, with what can be done."""
    return (
        f"The warehouse {path} is gone, though {n_runs} published run(s) are there. Restore it, or "
        "let `mmm repair` put back the state before the last write."
    )


@contextmanager
def _writers_turn(home: Home, path: Path, *, wait_seconds: float) -> Iterator[None]:
    """Hold the lock file of all writers of a dataset; the kernel frees it when its holder dies."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lock, what = lock_of(path), f"The warehouse {path}"
    if home.leases is not None:
        # A file lock that a shared folder passes on would not show that its holder is elsewhere.
        lock = home.locks / "warehouse" / lock.name
        lock.parent.mkdir(parents=True, exist_ok=True)
    with (
        held(lock, what=what, wait_seconds=wait_seconds),
        leased(home, _lease_of(path), what=what, wait_seconds=wait_seconds),
    ):
        yield


def _lease_of(path: Path) -> str:
    return f"warehouse {path.stem}"
