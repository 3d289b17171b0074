"""Memory of the interpreter's frames, for a process that calls deeply and often."""

from collections.abc import Callable
from types import FunctionType

_SLOTS = 65_536
"""Of 8 bytes: makes CPython take a piece of 1 MiB, half of which is left for frames."""


def call_in_one_piece[Result](work: Callable[[], Result]) -> Result:
    """Call ``work`` with its frames, and those of all that it calls, in one piece of memory.

    CPython keeps frames in pieces of 16 KiB. A loop whose calls cross the end of one has the next
    mapped, cleared and unmapped at each: a hundred thousand times in the check of a small file. A
    frame that asks for a large stack gets a large piece, and later frames share it.

    Parameters
    ----------
    work
        What the process is there for.
    """
    return _roomy_call(work)


def _call[Result](work: Callable[[], Result]) -> Result:
    return work()


_roomy_call = FunctionType(_call.__code__.replace(co_stacksize=_SLOTS), {})
