"""A disk that is full or may not be written to, reported as what it is, with the next action."""

import errno
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from schemas.errors import MmmError, StorageError
from tasks.store.home import Home

_BROKEN = {errno.EIO}
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_DENIED = {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR}
# DuckDB, SQLite and HDF5 pass on what the system said, not its number.
_FULL_WORDS = ("no space left", "disk is full", "disk quota", "file too large")
_BROKEN_WORDS = ("disk i/o error",)
_DENIED_WORDS = ("read-only file system", "readonly database", "permission denied")


@contextmanager
def writing_to(path: Path) -> Iterator[None]:
    """Turn an error that the storage is to blame for into one that names it.

    Raises
    ------
    StorageError
        If the disk is full, or ``path`` may not be written.
    """
    try:
        yield
    except MmmError:
        raise
    except Exception as error:
        remedy = _remedy(error)
        if remedy is None:
            raise
        raise StorageError(f"{path} cannot be written: {_said(error)}. {remedy}") from error


def require_writable(home: Home) -> None:
    """Write a file without a name into the home.

    Raises
    ------
    StorageError
        If the home cannot be written to; servers that keep their own files there would only say
        that they ended.
    """
    with writing_to(home.root):
        home.root.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=home.root) as stream:
            stream.write(b"written")


def _remedy(error: Exception) -> str | None:
    number = error.errno if isinstance(error, OSError) else None
    text = str(error).lower()
    if number in _FULL or any(words in text for words in _FULL_WORDS):
        return "Free some space, then run it again: what has been fitted is kept."
    if number in _BROKEN or any(words in text for words in _BROKEN_WORDS):
        return "See whether the disk is full or failing, then run it again; what is fitted is kept."
    if number in _DENIED or any(words in text for words in _DENIED_WORDS):
        return "Let this user write there, or name another folder (for the home: MMM_HOME)."
    return None


def _said(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error).splitlines()[0]
