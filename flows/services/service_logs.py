"""Files that take what a service prints, so that a terminal shows our own lines alone.

Belongs here: where they are, and the end of one for an error. Does not: starting a service.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tasks.store.home import current_home
from tasks.store.redaction import redact
from tasks.store.storage import writing_to

_ENDED_BEFORE = ".1"
_TAIL_BYTES = 4_000
_TAIL_LINES = 15


def log_folder() -> Path:
    """Return the folder of all of them."""
    return current_home().root / "data" / "logs"


def log_path(name: str) -> Path:
    """Return the file of a service, by its name."""
    return log_folder() / f"{name.lower().replace(' ', '-')}.log"


@contextmanager
def opened_anew(path: Path | None) -> Iterator[int]:
    """Yield a descriptor that a service prints to: a new file, readable by its owner alone.

    What the service printed the last time stays beside it. Without a file, standard error.

    Raises
    ------
    StorageError
        If the file cannot be written.
    """
    if path is None:
        yield 2
        return
    with writing_to(path):
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if path.is_file():
            path.replace(path.with_name(path.name + _ENDED_BEFORE))
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def tell_end(path: Path | None) -> str:
    """Return where a service said why it ended, with its last lines."""
    if path is None:
        return "Its own messages are above."
    try:
        with path.open("rb") as stream:
            stream.seek(max(path.stat().st_size - _TAIL_BYTES, 0))
            lines = stream.read().decode("utf-8", errors="replace").splitlines()[-_TAIL_LINES:]
    except OSError:
        lines = []
    told = f"Its own messages are in {path}"
    return f"{told}, the last of them:\n" + redact("\n".join(lines)) if lines else f"{told}."
