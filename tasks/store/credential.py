"""The credential that Prefect's server, its workers and this command line share.

Belongs here: the file, made at first use, readable by its owner alone.
Does not: which server asks for it (``flows.services``).
Invariant: its text is never logged, printed or put into an error.
"""

import os
import secrets
import stat
from pathlib import Path

from schemas.errors import StorageError
from tasks.store.home import Home
from tasks.store.storage import writing_to

USER = "steady-mmm"
_RANDOM_BYTES = 32
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def credential_path(home: Home) -> Path:
    """Return the file that holds ``user:password`` of this home's Prefect API."""
    return home.root / ".prefect" / "api_auth"


def api_credential(home: Home) -> str:
    """Return ``user:password``; the first caller makes it.

    Raises
    ------
    StorageError
        If the file cannot be written, is a link, is empty, or belongs to somebody else.
    """
    path = credential_path(home)
    with writing_to(path):
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not os.path.lexists(path):
            _make(path)
    return _read(path)


def _make(path: Path) -> None:
    """Write a new credential whole: of two that start at once, one wins and both read it."""
    beside = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as stream:
            stream.write(f"{USER}:{secrets.token_urlsafe(_RANDOM_BYTES)}")
            stream.flush()
            os.fsync(stream.fileno())
        try:
            os.link(beside, path)
        except FileExistsError:
            return  # another process was first; its credential is the one
    finally:
        beside.unlink(missing_ok=True)


def _read(path: Path) -> str:
    remedy = f"Remove {path} and start again: a new one is made."
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    except OSError as error:
        raise StorageError(
            f"{path}, the credential of the Prefect API, cannot be read: {error.strerror}. {remedy}"
        ) from error
    with os.fdopen(descriptor, encoding="utf-8", errors="replace") as stream:
        facts = os.fstat(descriptor)
        if facts.st_uid != os.geteuid():
            raise StorageError(
                f"{path}, the credential of the Prefect API, belongs to another user. {remedy}"
            )
        if facts.st_mode & _OTHERS:
            os.fchmod(descriptor, 0o600)
        text = stream.read().strip()
    if not text.partition(":")[2]:
        raise StorageError(f"{path}, the credential of the Prefect API, is damaged. {remedy}")
    return text
