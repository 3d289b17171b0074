"""The DuckDB warehouse: one writer at a time, readers never wait for it.

Belongs here: opening the file, its DDL, transactions.
Does not: SQL of one concern (``warehouse_canonical``, ``warehouse_runs``).
Invariant: the file is never changed, only replaced. A writer works on a copy and renames it into
place once it has committed, since DuckDB lets nobody read a file that is open for writing.
"""

import importlib.resources
import logging
import os
import re
import shutil
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from schemas.errors import CorruptArtifactError, ResourceUnavailableError
from schemas.names import Artifact
from tasks.store.holders import held
from tasks.store.home import Home
from tasks.store.storage import writing_to

log = logging.getLogger(__name__)

WAIT_SECONDS = 120.0
"""How long a second writer waits before it gives up."""


@contextmanager
def writing(
    home: Home, *, wait_seconds: float = WAIT_SECONDS
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the warehouse for one transaction: committed as a whole, or nothing of it is seen.

    Writes take time in proportion to the size of the warehouse, which is copied.

    Raises
    ------
    ResourceUnavailableError
        If another process holds the warehouse for longer than ``wait_seconds``.
    StorageError
        If the disk is full, or the folder may not be written to.
    """
    _require_not_lost(home)
    with (
        writing_to(home.warehouse),
        _naming_damage(home),
        _writers_turn(home, wait_seconds=wait_seconds),
    ):
        copy = _name_of_copy(home)
        try:
            _copy_for_writing(home, copy, wait_seconds=wait_seconds)
            with _opened(copy) as con:
                con.execute(_ddl())
                con.execute("begin transaction")
                try:
                    yield con
                except BaseException:
                    con.execute("rollback")
                    raise
                con.execute("commit")
                con.execute("checkpoint")
            _replace(home.warehouse, copy)
        finally:
            _remove(copy)


@contextmanager
def reading(
    home: Home, *, wait_seconds: float = WAIT_SECONDS
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open what was committed last, read-only; a table that it lacks reads as an empty one.

    Raises
    ------
    ResourceUnavailableError
        If a program that is not ours has the file open for writing for longer than
        ``wait_seconds``.
    """
    if home.warehouse.exists():
        with (
            _naming_damage(home),
            _connect(home, read_only=True, wait_seconds=wait_seconds) as con,
        ):
            if _has_every_table(con):
                yield con
                return
    with writing(home, wait_seconds=wait_seconds):
        log.info("made the tables that the warehouse %s did not have", home.warehouse)
    with _connect(home, read_only=True, wait_seconds=wait_seconds) as con:
        yield con


def _ddl() -> str:
    return importlib.resources.files("schemas.sql").joinpath("warehouse.sql").read_text()


def _has_every_table(con: duckdb.DuckDBPyConnection) -> bool:
    """Say whether the file has all that this version reads: an earlier one may have made it."""
    wanted = set(re.findall(r"create table if not exists (\S+)", _ddl()))
    rows = con.execute("select schema_name || '.' || table_name from duckdb_tables()").fetchall()
    return wanted <= {row[0] for row in rows}


def _connect(home: Home, *, read_only: bool, wait_seconds: float) -> duckdb.DuckDBPyConnection:
    deadline = time.monotonic() + wait_seconds
    reported = False
    while True:
        try:
            con = duckdb.connect(str(home.warehouse), read_only=read_only)
        except (duckdb.IOException, duckdb.ConnectionException) as error:
            # DuckDB has no error code for a lock; its text is the only sign.
            if "lock" not in str(error).lower() and "configuration" not in str(error).lower():
                raise CorruptArtifactError(damaged(home, error)) from error
            if time.monotonic() > deadline:
                raise ResourceUnavailableError(_held(home, wait_seconds)) from error
            if not reported:
                log.warning(
                    "the warehouse is locked by another process; waiting up to %.0f s", wait_seconds
                )
                reported = True
            time.sleep(0.2)
        except duckdb.Error as error:
            raise CorruptArtifactError(damaged(home, error)) from error
        else:
            return _offline(con)


_DAMAGE = (duckdb.SerializationException, duckdb.InternalException, duckdb.FatalException)
_UNREADABLE_WORDS = ("could not read enough bytes", "corrupt", "checksum", "not a valid duckdb")


@contextmanager
def _naming_damage(home: Home) -> Iterator[None]:
    """Report what DuckDB finds damaged once it reads a block as what it is."""
    try:
        yield
    except duckdb.Error as error:
        words = str(error).lower()
        if isinstance(error, _DAMAGE) or any(word in words for word in _UNREADABLE_WORDS):
            raise CorruptArtifactError(damaged(home, error)) from error
        raise


def damaged(home: Home, error: Exception) -> str:
    """Return what a damaged warehouse is reported as, with what can be done."""
    said = (str(error).splitlines() or [type(error).__name__])[0]
    return (
        f"The warehouse {home.warehouse} is damaged ({said}). `mmm repair` puts back the state "
        "before the last write; runs, landed files and MLflow are as they were."
    )


def _require_not_lost(home: Home) -> None:
    """Raise if there is no warehouse though runs were published into one."""
    if home.warehouse.exists():
        return
    published = [path.parent.name for path in home.runs.glob(f"*/{Artifact.DIGESTS}")]
    if published:
        raise CorruptArtifactError(
            f"The warehouse {home.warehouse} is gone, though {len(published)} published run(s) are "
            "there. Restore it, or let `mmm repair` put back the state before the last write."
        )


def _offline(con: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    con.execute("set autoinstall_known_extensions = false")
    return con


@contextmanager
def _writers_turn(home: Home, *, wait_seconds: float) -> Iterator[None]:
    """Hold the lock file of all writers; the kernel frees it when its holder dies."""
    home.warehouse.parent.mkdir(parents=True, exist_ok=True)
    path = home.warehouse.with_suffix(".lock")
    with held(path, what=f"The warehouse {home.warehouse}", wait_seconds=wait_seconds):
        yield


def _name_of_copy(home: Home) -> Path:
    # Beside the file that a link leads to, so that it can be renamed onto it.
    return home.warehouse.resolve().with_name(
        f".{home.warehouse.name}.{uuid.uuid4().hex[:8]}.partial"
    )


def _copy_for_writing(home: Home, copy: Path, *, wait_seconds: float) -> None:
    """Copy the warehouse, if there is one; what a killed writer left is removed."""
    original = home.warehouse
    for left in copy.parent.glob(f".{original.name}.*.partial*"):
        left.unlink(missing_ok=True)
    if original.exists():
        if _log_of(original).exists():
            # Another program wrote to the file and was killed: DuckDB takes its log in.
            _connect(home, read_only=False, wait_seconds=wait_seconds).close()
        # Held open for reading, no other program can be writing to it.
        with _connect(home, read_only=True, wait_seconds=wait_seconds):
            shutil.copyfile(original, copy)


def _opened(path: Path) -> duckdb.DuckDBPyConnection:
    return _offline(duckdb.connect(str(path)))


def _replace(original: Path, copy: Path) -> None:
    """Put the copy where the warehouse is: behind a link, with its mode; keep what was there."""
    with copy.open("rb+") as stream:
        os.fsync(stream.fileno())
    target = original.resolve()
    if target.exists():
        shutil.copymode(target, copy)
        kept = previous_of(original)
        beside = kept.with_name(f".{kept.name}.{uuid.uuid4().hex[:8]}.partial")
        os.link(target, beside)
        beside.replace(kept)
    else:
        copy.chmod(0o600)
    copy.replace(target)


def previous_of(warehouse: Path) -> Path:
    """Return where the warehouse is kept as it was before the last write."""
    return warehouse.resolve().with_name(f"{warehouse.stem}.previous{warehouse.suffix}")


def _remove(copy: Path) -> None:
    for path in (copy, _log_of(copy)):
        path.unlink(missing_ok=True)


def _log_of(path: Path) -> Path:
    """Return DuckDB's write-ahead log beside a file."""
    return path.with_name(f"{path.name}.wal")


def _held(home: Home, wait_seconds: float) -> str:
    return (
        f"The warehouse {home.warehouse} is locked by another process for more than "
        f"{wait_seconds:.0f} s; wait for it to end, then run again."
    )
