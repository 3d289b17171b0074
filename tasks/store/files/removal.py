"""Removes files of the home, and nothing else.

Belongs here: the way to a file, which is opened folder by folder without following any link.
Does not: what may go (``tasks.prune``).
Invariant: nothing outside the home is ever removed, whatever its database, a name or a link says.
"""

import errno
import os
import shutil
import stat
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from schemas.errors import MmmError
from tasks.store.home import Home

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW


class RefusedRemovalError(MmmError, RuntimeError):
    """A path that was to be removed leads out of its place, or is a link."""


def measure(home: Home, path: Path, *, room: Path, keep: Collection[str] = ()) -> int:
    """Return the bytes that ``remove`` would free; 0 where nothing is there.

    Raises
    ------
    RefusedRemovalError
        As ``remove``.
    """
    with _opened_parent(home, path, room) as parent:
        if parent is None:
            return 0
        kind = _kind(parent, path)
        if kind is None:
            return 0
        if not stat.S_ISDIR(kind.st_mode):
            return kind.st_size
        return sum(
            entry.st_size
            for folder, _, names, fd in os.fwalk(path.name, dir_fd=parent, follow_symlinks=False)
            for name in names
            if not (folder == path.name and name in keep)
            for entry in [os.stat(name, dir_fd=fd, follow_symlinks=False)]
        )


def remove(home: Home, path: Path, *, room: Path, keep: Collection[str] = ()) -> None:
    """Remove a file or a folder; one that is gone already is fine.

    Parameters
    ----------
    home
        The home; nothing outside it is removed.
    path
        File or folder. A link inside it is removed as a link.
    room
        Folder of the home that ``path`` must be inside, such as ``home.runs``.
    keep
        Names of files directly in the folder that stay; the folder then stays, too.

    Raises
    ------
    RefusedRemovalError
        If ``path`` is not inside ``room``, or it or a folder on the way is a link.
    MmmError
        If the system does not let it go.
    """
    with _opened_parent(home, path, room) as parent:
        if parent is None or (kind := _kind(parent, path)) is None:
            return
        try:
            if not stat.S_ISDIR(kind.st_mode):
                os.unlink(path.name, dir_fd=parent)
            elif keep:
                _empty(parent, path.name, keep)
            else:
                shutil.rmtree(path.name, dir_fd=parent)
        except FileNotFoundError:
            return
        except OSError as error:
            raise MmmError(
                f"{path} could not be removed ({error.strerror}); mend its permissions, and prune "
                "again: it goes on where it stopped."
            ) from error


def _empty(parent: int, name: str, keep: Collection[str]) -> None:
    folder = os.open(name, _FOLDER, dir_fd=parent)
    try:
        with os.scandir(folder) as found:
            entries = [entry for entry in found if entry.name not in keep]
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                shutil.rmtree(entry.name, dir_fd=folder)
            else:
                os.unlink(entry.name, dir_fd=folder)
    finally:
        os.close(folder)


@contextmanager
def _opened_parent(home: Home, path: Path, room: Path) -> Iterator[int | None]:
    """Open the folder that holds ``path``, without following a link; None where it is absent."""
    parts = _way(home, path, room)
    folder = os.open(home.root, os.O_RDONLY | os.O_DIRECTORY)
    try:
        for part in parts:
            inner = os.open(part, _FOLDER, dir_fd=folder)
            os.close(folder)
            folder = inner
    except FileNotFoundError:
        os.close(folder)
        yield None
        return
    except OSError as error:
        os.close(folder)
        if error.errno in {errno.ELOOP, errno.ENOTDIR}:
            raise _refusal(path, "a folder on its way is a link or a file") from error
        raise
    try:
        yield folder
    finally:
        with suppress(OSError):
            os.close(folder)


def _way(home: Home, path: Path, room: Path) -> tuple[str, ...]:
    """Names of the folders from the home to the parent of ``path``."""
    inside = path.is_relative_to(room) and path != room and room.is_relative_to(home.root)
    if not inside or ".." in path.parts:
        raise _refusal(path, f"it is not inside {room}")
    return path.relative_to(home.root).parts[:-1]


def _kind(parent: int, path: Path) -> os.stat_result | None:
    try:
        found = os.stat(path.name, dir_fd=parent, follow_symlinks=False)
    except FileNotFoundError:
        return None
    if stat.S_ISLNK(found.st_mode):
        raise _refusal(path, "it is a link")
    return found


def _refusal(path: Path, why: str) -> RefusedRemovalError:
    return RefusedRemovalError(f"{path} was left alone: {why}. Look at it, and remove it by hand.")
