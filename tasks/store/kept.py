"""What was read from files, kept as long as the files are the same.

Belongs here: when a file is the same, and a bounded memory of what was read from it.
Does not: what is read, and what it means.
Invariant: who is given something kept never changes it, and it is of the file that is there now.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from pathlib import Path
from typing import NamedTuple

_SETTLED_NS = 100_000_000
"""A clock of file times ticks every few milliseconds: a file that was just written may be written
again without a new time."""


class FileState(NamedTuple):
    """What changes with a file: another one in its place, or other bytes in it."""

    inode: int
    size: int
    modified_ns: int
    changed_ns: int
    """Of the inode: nobody can set it back."""


def state_of(path: Path) -> FileState | None:
    """Return the state of a file; None where there is none."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return FileState(found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)


def settled_state_of(path: Path) -> FileState | None:
    """Return the state of a file that may be written in place; None where it was just written."""
    state = state_of(path)
    if state is None or time.time_ns() - state.changed_ns < _SETTLED_NS:
        return None
    return state


class Kept[Value]:
    """Values by key, each with the state of the files that it was read from.

    Of threads that want a value at once one reads it and the others wait. What was not asked for
    the longest is forgotten first.

    Parameters
    ----------
    most
        What all values may weigh together.
    weigh
        What a value weighs; one that is heavier than a tenth of all is not kept.
    """

    def __init__(self, most: int, weigh: Callable[[Value], int]) -> None:
        self._most = most
        self._weigh = weigh
        self._lock = threading.Lock()
        self._held: OrderedDict[Hashable, tuple[Hashable, Value, int]] = OrderedDict()
        self._weight = 0
        self._turns: dict[Hashable, threading.Lock] = {}

    def get(self, key: Hashable, state: Hashable | None, read: Callable[[], Value]) -> Value:
        """Return what is kept under a key, or read it.

        Parameters
        ----------
        key
            What is asked.
        state
            Of the files, taken before this call: what is read then is as new, or newer. None:
            it is read, and not kept.
        read
            Reads it; what it raises is raised, and nothing is kept.
        """
        if state is None:
            return read()
        with self._lock:
            if (found := self._find(key, state)) is not None:
                return found[1]
            turn = self._turns.setdefault(key, threading.Lock())
        with turn:
            with self._lock:
                if (found := self._find(key, state)) is not None:
                    return found[1]
            try:
                value = read()
            finally:
                with self._lock:
                    self._turns.pop(key, None)
            with self._lock:
                self._keep(key, state, value)
        return value

    def _find(self, key: Hashable, state: Hashable) -> tuple[Hashable, Value, int] | None:
        found = self._held.get(key)
        if found is None or found[0] != state:
            return None
        self._held.move_to_end(key)
        return found

    def _keep(self, key: Hashable, state: Hashable, value: Value) -> None:
        _, _, before = self._held.pop(key, (None, None, 0))
        self._weight -= before
        weight = self._weigh(value)
        if weight > self._most // 10:
            return
        self._held[key] = (state, value, weight)
        self._weight += weight
        while self._weight > self._most:
            _, (_, _, gone) = self._held.popitem(last=False)
            self._weight -= gone
