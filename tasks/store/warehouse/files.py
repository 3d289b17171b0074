"""DuckDB files of the warehouse: opened, copied and put in place, whichever dataset is in them.

Belongs here: what holds for one file. Does not: which file that is (``places``), transactions
(``connection``).
"""

import atexit
import hashlib
import importlib.resources
import logging
import os
import re
import shutil
import stat
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import cache
from pathlib import Path

import duckdb

from schemas.errors import CorruptArtifactError, ResourceUnavailableError
from tasks.store import instances
from tasks.store.warehouse.places import previous_of

log = logging.getLogger(__name__)

_BLOCK_BYTES = 16384
"""The least that DuckDB has. With its own 256 KiB the many small tables of a small brand fill
megabytes, which every write copies; a table of a million rows is read and written as fast."""
_DAMAGE = (duckdb.SerializationException, duckdb.InternalException, duckdb.FatalException)
_UNREADABLE_WORDS = ("could not read enough bytes", "corrupt", "checksum", "not a valid duckdb")


@cache
def ddl() -> str:
    """Return the SQL that makes every table which is not there."""
    return importlib.resources.files("schemas.sql").joinpath("warehouse.sql").read_text()


@cache
def tables() -> tuple[str, ...]:
    """Return the name of every table, with its schema, in the order of the DDL."""
    return tuple(re.findall(r"create table if not exists (\S+)", ddl()))


def has_every_table(con: duckdb.DuckDBPyConnection) -> bool:
    """Say whether a file has all that this version reads: an earlier one may have made it."""
    try:
        # A tenth of the time that DuckDB takes to list its tables.
        con.execute(" union all ".join(f"(select 1 from {name} limit 0)" for name in tables()))  # noqa: S608 - our own names
    except duckdb.CatalogException:
        return False
    return True


def offline(con: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """Let a connection fetch nothing from the network."""
    con.execute("set autoinstall_known_extensions = false")
    return con


def in_memory(path: Path) -> AbstractContextManager[duckdb.DuckDBPyConnection]:
    """Open a connection without a file; what it has no memory for goes beside ``path``."""
    return instances.in_memory(Path(f"{path}.tmp"))


def for_reading() -> AbstractContextManager[duckdb.DuckDBPyConnection]:
    """Open a connection without a file, in which files can be attached one after another.

    What it has no memory for does not go beside them: a reader may not be allowed to write there.
    """
    private = private_folder()
    return instances.in_memory(private and private / uuid.uuid4().hex)


@cache
def private_folder() -> Path | None:
    """Return a folder of this user alone, the same for all processes: killed ones leave nothing."""
    try:
        folder = Path(tempfile.gettempdir()) / f"mmm-reading-{os.geteuid()}"
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
        is_ours = stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid()
        if is_ours and not found.st_mode & 0o077:
            return folder
        # Somebody else made it, or opened it.
        own = Path(tempfile.mkdtemp(prefix="mmm-reading-"))
    except OSError:
        return None
    atexit.register(shutil.rmtree, own, ignore_errors=True)
    return own


def connect(path: Path, *, read_only: bool, wait_seconds: float) -> duckdb.DuckDBPyConnection:
    """Open a file.

    Raises
    ------
    CorruptArtifactError
        If it is no warehouse.
    ResourceUnavailableError
        If a program that is not ours has it open for writing for longer than ``wait_seconds``.
    """
    return offline(
        _patiently(path, lambda: duckdb.connect(str(path), read_only=read_only), wait_seconds)
    )


@contextmanager
def opened(path: Path, *, wait_seconds: float) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a file read-only, in a connection that nobody else has now; raises as ``connect``."""
    with for_reading() as con, attached(con, path, wait_seconds=wait_seconds):
        yield con


@contextmanager
def opened_for_writing(path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a file that nobody else has, or make it; all of it is in the file afterwards."""
    # A file that is there has a block size already; asked for another one, DuckDB refuses it.
    option = "" if path.exists() else f" (block_size {_BLOCK_BYTES})"
    with in_memory(path) as con:
        con.execute(f"attach ? as held{option}", [str(path)])
        con.execute("use held")
        yield con
        con.execute("checkpoint")


@contextmanager
def attached(con: duckdb.DuckDBPyConnection, path: Path, *, wait_seconds: float) -> Iterator[None]:
    """Let names of tables mean those of a file, read-only; raises as ``connect``.

    Under a name of ours: that of the file may be a schema's.
    """
    _patiently(path, lambda: con.execute("attach ? as held (read_only)", [str(path)]), wait_seconds)
    con.execute("use held")
    yield
    # Not after a failure: the connection is closed then, and this would hide why.
    instances.use_own(con)
    con.execute("detach held")


def _patiently[T](path: Path, opening: Callable[[], T], wait_seconds: float) -> T:
    deadline = time.monotonic() + wait_seconds
    reported = False
    while True:
        try:
            return opening()
        except (duckdb.IOException, duckdb.ConnectionException) as error:
            # DuckDB has no error code for a lock; its text is the only sign.
            if "lock" not in str(error).lower() and "configuration" not in str(error).lower():
                raise CorruptArtifactError(damaged(path, error)) from error
            if time.monotonic() > deadline:
                raise ResourceUnavailableError(
                    f"The warehouse {path} is locked by another process for more than "
                    f"{wait_seconds:.0f} s; wait for it to end, then run again."
                ) from error
            if not reported:
                log.warning(
                    "%s is locked by another process; waiting up to %.0f s", path, wait_seconds
                )
                reported = True
            time.sleep(0.2)
        except duckdb.Error as error:
            raise CorruptArtifactError(damaged(path, error)) from error


@contextmanager
def naming_damage(path: Path) -> Iterator[None]:
    """Report what DuckDB finds damaged once it reads a block as what it is."""
    try:
        yield
    except duckdb.Error as error:
        words = str(error).lower()
        if isinstance(error, _DAMAGE) or any(word in words for word in _UNREADABLE_WORDS):
            raise CorruptArtifactError(damaged(path, error)) from error
        raise


def fault_of(path: Path) -> str | None:
    """Return why a file is no warehouse, having read every table of it; None if it is one."""
    try:
        with in_memory(path) as con:
            con.execute("attach ? as held (read_only)", [str(path)])
            tables = con.execute(
                "select schema_name, table_name from duckdb_tables() "
                "where database_name = 'held' order by all"
            ).fetchall()
            for schema, table in tables:
                con.table(f"held.{schema}.{table}").to_arrow_table()
    except duckdb.Error as error:
        return (str(error).splitlines() or [type(error).__name__])[0]
    return None


def damaged(path: Path, error: Exception | str) -> str:
    """Return what a damaged warehouse is reported as, with what can be done."""
    said = (str(error).splitlines() or [type(error).__name__])[0]
    return (
        f"The warehouse {path} is damaged ({said}). `mmm repair` puts back the state "
        "before the last write; runs, landed files and MLflow are as they were."
    )


def name_of_copy(path: Path) -> Path:
    """Return where a new state of a file is made: whoever may write removes it if it is left."""
    # Beside the file that a link leads to, so that it can be renamed onto it.
    return path.resolve().with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.partial")


def copy_for_writing(path: Path, copy: Path, *, wait_seconds: float) -> None:
    """Copy a warehouse, if there is one; what a killed writer left is removed.

    Raises
    ------
    CorruptArtifactError
        If it is damaged: the state before the last write would be lost with this one.
    ResourceUnavailableError
        If a program that is not ours has it open for writing for longer than ``wait_seconds``.
    """
    for left in copy.parent.glob(f".{path.name}.*.partial*"):
        # A folder is what DuckDB had no memory for.
        shutil.rmtree(left) if left.is_dir() else left.unlink(missing_ok=True)
    if path.exists():
        take_log_in(path, wait_seconds=wait_seconds)
        # Held open for reading, no other program can be writing to it.
        with opened(path, wait_seconds=wait_seconds):
            shutil.copyfile(path, copy)
        _require_sound(path, copy)


def _require_sound(path: Path, copy: Path) -> None:
    """Raise if a copy is neither what was written last nor readable as a whole."""
    known = _digest_file(path)
    if known.is_file() and known.read_text() == _digest(copy):
        return
    # Reading all of it takes long, and is done where another program wrote, or a disk failed.
    fault = fault_of(copy)
    if fault is not None:
        raise CorruptArtifactError(damaged(path, fault))


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _digest_file(path: Path) -> Path:
    target = path.resolve()
    return target.with_name(f".{target.name}.sha256")


def take_log_in(path: Path, *, wait_seconds: float) -> None:
    """Let DuckDB take its log in, where another program wrote to a file and was killed."""
    if log_of(path).exists():
        connect(path, read_only=False, wait_seconds=wait_seconds).close()


def put_in_place(path: Path, copy: Path) -> None:
    """Put a copy where the warehouse is: behind a link, with its mode; keep what was there."""
    flush(copy)
    digest = _digest(copy)
    target = path.resolve()
    if target.exists():
        shutil.copymode(target, copy)
        kept = previous_of(path)
        beside = kept.with_name(f".{kept.name}.{uuid.uuid4().hex[:8]}.partial")
        os.link(target, beside)
        beside.replace(kept)
    else:
        copy.chmod(0o600)
    copy.replace(target)
    written = name_of_copy(path)
    written.write_text(digest)
    written.chmod(0o600)
    written.replace(_digest_file(path))


def flush(path: Path) -> None:
    """Have the disk hold what was written to a file."""
    with path.open("rb+") as stream:
        os.fsync(stream.fileno())


def remove(copy: Path) -> None:
    """Remove a copy and what DuckDB wrote beside it, if they are there."""
    for path in (copy, log_of(copy)):
        path.unlink(missing_ok=True)


def log_of(path: Path) -> Path:
    """Return DuckDB's write-ahead log beside a file."""
    return path.with_name(f"{path.name}.wal")
