"""Processes that refit brands one after another, and the memory that they share.

A brand is refitted in a process that is not ours, and that has done others before: libraries,
compiled models and the connection to Prefect are paid for once. A process of its own is also what
keeps brands apart. One that is killed, runs out of memory or hangs takes its own brand with it and
nothing else: its pipe closes, or its time is over, and the next brand gets a new process. (In a
``concurrent.futures`` pool, which Prefect's process runner is made of, one dead process breaks the
pool for every brand that is waiting; a time-out there cannot end what computes in C.)

Belongs here: starting, asking and ending these processes. Does not: what they do
(``flows.brand_work``), which brands there are (``flows.portfolio``).
"""

import os
import queue
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

import psutil
from pydantic import BaseModel

from flows.services.servers import import_path
from schemas.answers.portfolio import BrandAnswer
from schemas.spec.refit_request import RefitRequest

MODULE = "flows.brand_work"
"""What a worker process runs."""
CORES_VARIABLE = "MMM_BRAND_CORES"
"""Cores of a worker process, separated by commas."""
_OF_ANOTHER_RUN = ("PREFECT__FLOW_RUN_ID", "PREFECT__FLOW_ENTRYPOINT")
"""What says to a process that it is the flow run of a deployment; its children are none."""
_BLOCK = 1 << 16
_ENDED = "the portfolio was ended"


class BrandWork(BaseModel):
    """One line to a worker process."""

    request: RefitRequest
    log_file: str
    """Takes what it prints."""
    portfolio_run_id: str


class BrandCrashError(RuntimeError):
    """The process of a brand died; the message says by what."""


class BrandTimeoutError(RuntimeError):
    """The process of a brand was ended because its time was over."""


class BrandWorker:
    """One process that refits brands; it is started when it is first asked."""

    def __init__(self, cores: Sequence[int] = ()) -> None:
        self._cores = list(cores)
        self._process: subprocess.Popen[bytes] | None = None
        self._ending = threading.Lock()
        self._is_ended = False

    def start(self) -> None:
        """Start the process where there is none: it imports what a refit needs and waits.

        Raises
        ------
        BrandCrashError
            After ``end``.
        """
        with self._ending:
            if self._is_ended:
                raise BrandCrashError(_ENDED)
            if self._process is None or self._process.poll() is not None:
                self._process = self._begin()

    def _begin(self) -> subprocess.Popen[bytes]:
        environment = {k: v for k, v in os.environ.items() if k not in _OF_ANOTHER_RUN}
        environment["PYTHONPATH"] = import_path()
        environment[CORES_VARIABLE] = ",".join(map(str, self._cores))
        return subprocess.Popen(  # noqa: S603 - our own module
            [sys.executable, "-m", MODULE],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
            start_new_session=True,  # Ctrl-C is for the portfolio, which ends its processes
        )

    def refit(self, work: BrandWork, *, timeout_seconds: float) -> BrandAnswer:
        """Refit one brand.

        Raises
        ------
        BrandCrashError
            If the process died.
        BrandTimeoutError
            If it did not answer in time; it is dead.
        """
        self.start()
        deadline = time.monotonic() + timeout_seconds
        try:
            self._send(work.model_dump_json().encode() + b"\n")
            return BrandAnswer.model_validate_json(self._receive(deadline))
        except (BrokenPipeError, EOFError, ValueError) as error:
            raise BrandCrashError(self._describe_end()) from error
        except TimeoutError as error:
            self.kill()
            raise BrandTimeoutError(
                f"not done after {timeout_seconds / 60:.3g} minutes (timeout_minutes)"
            ) from error

    @property
    def memory_bytes(self) -> int:
        """What the process holds; 0 where there is none."""
        if self._process is None or self._process.poll() is not None:
            return 0
        try:
            return int(psutil.Process(self._process.pid).memory_info().rss)
        except psutil.Error:
            return 0

    def close(self) -> None:
        """Let the process end: it sends what it has to Prefect first."""
        process = self._process
        if process is None:
            return
        with suppress(OSError):
            if process.stdin:
                process.stdin.close()
        try:
            process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            self.kill()
        self._process = None

    def end(self) -> None:
        """End the process at once, from another thread than the one that waits for its answer.

        Its pipes are left to that one, which finds them closed at the other end: closed from here,
        it would read from a number that is no file any more, or another one.
        """
        with self._ending:
            self._is_ended = True
            if self._process is not None and self._process.poll() is None:
                with suppress(ProcessLookupError):
                    os.killpg(self._process.pid, signal.SIGKILL)

    def kill(self) -> None:
        """End the process and all that it has started, at once, and close its pipes."""
        if self._process is None:
            return
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream:
                with suppress(OSError):
                    stream.close()
        self._process = None

    def _send(self, line: bytes) -> None:
        stream = self._process.stdin if self._process else None
        if stream is None:
            raise BrokenPipeError
        stream.write(line)
        stream.flush()

    def _receive(self, deadline: float) -> bytes:
        """Return the next line of the process."""
        stream = self._process.stdout if self._process else None
        if stream is None:
            raise EOFError
        descriptor, received = stream.fileno(), b""
        while not received.endswith(b"\n"):
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([descriptor], [], [], left)[0]:
                raise TimeoutError
            block = os.read(descriptor, _BLOCK)
            if not block:
                raise EOFError
            received += block
        return received

    def _describe_end(self) -> str:
        """Say how the process ended, and take it away."""
        process = self._process
        if process is None:
            return "its process ended"
        try:
            status = process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self.kill()
            return "its process stopped answering"
        self.kill()
        if self._is_ended:
            return _ENDED
        if status >= 0:
            return f"its process ended by itself with exit code {status}"
        name = signal.Signals(-status).name
        memory = "; perhaps the machine ran out of memory" if name == "SIGKILL" else ""
        return f"its process was killed by {name}{memory}"


class MemoryBudget:
    """Lets brands begin while they fit into memory together, in the order in which they ask."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._taken = 0
        self._begun = 0
        self._next = 0
        self._changed = threading.Condition()

    @contextmanager
    def holding(self, need: int) -> Iterator[None]:
        """Wait until there is room; what is larger than all of it runs alone."""
        with self._changed:
            turn, self._next = self._next, self._next + 1
            self._changed.wait_for(
                lambda: (
                    turn == self._begun and (not self._taken or self._taken + need <= self._total)
                )
            )
            self._taken, self._begun = self._taken + need, self._begun + 1
            self._changed.notify_all()
        try:
            yield
        finally:
            with self._changed:
                self._taken -= need
                self._changed.notify_all()


class BrandPool:
    """As many worker processes as brands may be refitted at once."""

    def __init__(self, n_workers: int, memory_bytes: int) -> None:
        self._workers = [BrandWorker(cores) for cores in share_cores(n_workers)]
        self._idle: queue.LifoQueue[BrandWorker] = queue.LifoQueue()
        for worker in reversed(self._workers):
            self._idle.put(worker)
        self._memory = MemoryBudget(memory_bytes)
        self._ended = threading.Event()
        self._share = memory_bytes // max(1, n_workers)

    def refit(self, work: BrandWork, *, need: int, timeout_seconds: float) -> BrandAnswer:
        """Refit one brand in the next process that is free; raises as ``BrandWorker.refit``."""
        with self._memory.holding(need):
            worker = self._idle.get()
            if self._ended.is_set():
                self._idle.put(worker)
                raise BrandCrashError(_ENDED)
            try:
                return worker.refit(work, timeout_seconds=timeout_seconds)
            finally:
                # What a process has kept of large brands is given back before it hinders others.
                if worker.memory_bytes > max(self._share, need):
                    worker.close()
                self._idle.put(worker)

    def abort(self) -> None:
        """End all processes at once; brands that wait do not begin any more."""
        self._ended.set()
        for worker in self._workers:
            worker.end()

    def close(self) -> None:
        """Let all processes end; they have answered."""
        for worker in self._workers:
            worker.close()


def share_cores(n_workers: int) -> list[list[int]]:
    """Divide the cores of this process among workers; all of them to each where they are fewer."""
    cores = sorted(os.sched_getaffinity(0))
    if n_workers > len(cores):
        return [[cores[number % len(cores)]] for number in range(n_workers)]
    return [cores[number::n_workers] for number in range(n_workers)]
