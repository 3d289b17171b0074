"""Processes that run tasks side by side, each on cores of its own.

Prefect's process runner starts them and hands results back. One that dies breaks the pool; what
had ended by then is on file, so the next try goes on from there.
"""

import atexit
import os
from collections.abc import Iterator, Sequence
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import get_context
from typing import Any

from prefect import Task
from prefect.task_runners import ProcessPoolTaskRunner

from flows.services.brand_workers import share_cores
from flows.services.leaving import Leave
from flows.timing import Timings
from schemas.errors import ResourceUnavailableError

_DEAD = (
    "A process that fitted died, most likely for want of memory. What had ended is kept: start the "
    "backtest again with fewer at once, such as --workers 1."
)


def run_all[Work, Answer](
    task: Task[[Work], Answer], works: Sequence[Work], n_workers: int
) -> list[Answer]:
    """Run a task for every piece of work; in this very process with one worker.

    Parameters
    ----------
    task
        Of one argument; importable by its module's name.
    works
        What it is given, one after another.
    n_workers
        Processes, ``>= 1``.

    Returns
    -------
    list
        In the order of ``works``.

    Raises
    ------
    ResourceUnavailableError
        If a process died.
    """
    if n_workers == 1:
        return _collect((task(work) for work in works), len(works))
    name = next(iter(task.fn.__annotations__))
    with _open_pool(n_workers) as pool:
        futures = [pool.submit(task, {name: work}) for work in works]
        try:
            return _collect((future.result() for future in futures), len(works))
        except BrokenProcessPool as error:
            raise ResourceUnavailableError(_DEAD) from error


def _collect[Answer](answers: Iterator[Answer], n_works: int) -> list[Answer]:
    """Wait for answers one after another; each is reported as a stage, by its number."""
    timings, found = Timings(), []
    for number in range(1, n_works + 1):
        with timings.stage(f"{number} of {n_works}"):
            found.append(next(answers))
    return found


@contextmanager
def _open_pool(n_workers: int) -> Iterator[ProcessPoolTaskRunner]:
    shares = get_context("spawn").Queue()
    for cores in share_cores(n_workers):
        shares.put(cores)
    with ProcessPoolTaskRunner(n_workers, initializer=_begin, initargs=(shares,)) as pool:
        yield pool


def _begin(shares: Any) -> None:
    """Keep a new process to its share of the cores, and let it end as the command does."""
    leave = Leave()
    leave.code = 0
    atexit.register(leave)
    os.sched_setaffinity(0, shares.get())
