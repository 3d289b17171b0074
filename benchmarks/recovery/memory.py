"""Peak memory of this process and its workers, from a thread that looks twice a second.

``getrusage`` of children cannot be used: a child that is started with ``vfork`` inherits its
parent's peak, and samplers with worker processes share most of their pages. The proportional set
size counts a shared page once; the process's own peak from ``getrusage`` fills in what a look
misses.
"""

import contextlib
import resource
import sys
import threading
from types import TracebackType
from typing import Self

import psutil

_INTERVAL_SECONDS = 0.5
_MEGABYTE = 1e6


class PeakMemory:
    """Context that knows the peak, in megabytes, once it is left."""

    def __init__(self) -> None:
        self.megabytes = 0.0
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._done.set()
        self._thread.join()
        self.megabytes = max(self.megabytes, _own_peak() / _MEGABYTE)

    def _watch(self) -> None:
        process = psutil.Process()
        while not self._done.wait(_INTERVAL_SECONDS):
            family = [process, *process.children(recursive=True)]
            self.megabytes = max(self.megabytes, sum(map(_resident, family)) / _MEGABYTE)


def _resident(process: psutil.Process) -> int:
    """Proportional set size where the system has it, else resident memory; 0 once it has ended."""
    with contextlib.suppress(psutil.Error):
        sizes = process.memory_full_info()
        return int(getattr(sizes, "pss", sizes.rss))
    return 0


def _own_peak() -> int:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
