"""Locks that say who holds them: the kernel frees one when its holder dies, not when it is stopped.

Belongs here: taking a lock file within a stated time, and naming the holder to whoever waits.
Does not: what a lock is for (``tasks.store.locks``, ``tasks.store.warehouse.connection``).
"""

import fcntl
import json
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import filelock
import psutil

from schemas.errors import ResourceUnavailableError
from tasks.store.storage import writing_to

log = logging.getLogger(__name__)


@contextmanager
def held(path: Path, *, what: str, wait_seconds: float) -> Iterator[None]:
    """Hold a lock file.

    Parameters
    ----------
    path
        The lock file; its folder is there.
    what
        What it protects, as the begin of a sentence.
    wait_seconds
        How long another holder is waited for.

    Raises
    ------
    ResourceUnavailableError
        Naming the holder, if it does not let go in time.
    StorageError
        If the lock file may not be written to.
    """
    lock = filelock.FileLock(path)
    try:
        with writing_to(path):
            lock.acquire(timeout=0)
    except filelock.Timeout:
        log.warning("%s is locked by %s; waiting up to %.0f s", what, holder(path), wait_seconds)
        try:
            lock.acquire(timeout=wait_seconds)
        except filelock.Timeout as error:
            raise ResourceUnavailableError(
                f"{what} is locked by another process for more than {wait_seconds:.0f} s: "
                f"{holder(path)}. Wait for it to end, or end it, then run again."
            ) from error
    note = _note_of(path)
    try:
        with suppress(OSError):  # the note is for people; the lock holds without it
            note.write_text(json.dumps({"pid": os.getpid(), "since": _now()}), encoding="utf-8")
        yield
    finally:
        with suppress(OSError):
            note.unlink(missing_ok=True)
        lock.release()


def is_held(path: Path) -> bool:
    """Say whether somebody holds a lock file; one that may not be read counts as held.

    Asked with a shared lock, which keeps no other reader out and is given back at once.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(descriptor)
    return False


def holder(path: Path) -> str:
    """Return who holds a lock file: process, command, since when, and whether it is stopped."""
    try:
        note = json.loads(_note_of(path).read_text(encoding="utf-8"))
        process = psutil.Process(int(note["pid"]))
        command = " ".join(Path(part).name for part in process.cmdline()[:4])
        stopped = process.status() == psutil.STATUS_STOPPED
        since = str(note["since"])
    except (OSError, ValueError, KeyError, TypeError, psutil.Error):
        return "a process that cannot be named"
    state = ", which is stopped (`kill -CONT` lets it go on)" if stopped else ""
    return f"process {process.pid} ({command}) since {since}{state}"


def _note_of(path: Path) -> Path:
    return path.with_name(f"{path.name}.holder")


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
