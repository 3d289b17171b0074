"""The process that refits brands of a portfolio one after another: ``python -m flows.brand_work``.

A line on standard input is a brand, a line on standard output what it came to; JSON both. Closed
standard input ends it: at once where it is in the middle of a brand, since its portfolio is dead
and the next one takes the refit up where it was.
"""

import atexit
import logging
import os
import sys
import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING

from flows.absent import forgo_dask
from flows.cli.process import EXIT_OTHER, EXIT_REJECTED
from flows.collector import keep_what_is_imported, spare_collector
from flows.services.brand_workers import CORES_VARIABLE, BrandWork
from flows.services.heartbeats import without_heartbeats
from flows.services.leaving import Leave
from schemas.answers.portfolio import BrandAnswer
from schemas.errors import MmmError

if TYPE_CHECKING:
    from schemas.documents.results import RefitReport
    from schemas.spec.refit_request import RefitRequest


class _Inbox:
    """Reads brands in a thread, so that the end of the portfolio is seen during a fit, too."""

    def __init__(self) -> None:
        self._lines: SimpleQueue[str | None] = SimpleQueue()
        self._busy = threading.Event()
        threading.Thread(target=self._read, name="inbox", daemon=True).start()

    def next(self) -> BrandWork | None:
        """Wait for the next brand; None where there is none any more."""
        self._busy.clear()
        line = self._lines.get()
        return None if line is None else BrandWork.model_validate_json(line)

    def _read(self) -> None:
        for line in sys.stdin:
            self._busy.set()
            self._lines.put(line)
        if self._busy.is_set():
            os._exit(EXIT_OTHER)
        self._lines.put(None)


def main() -> int:
    """Refit brands until standard input is closed.

    Returns
    -------
    int
        Exit code.
    """
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what libraries print is not an answer
    _keep_to_cores()
    for name in ("flows", "tasks"):
        logging.getLogger(name).setLevel(logging.INFO)
    inbox = _Inbox()
    refit = _prepare()
    with without_heartbeats():  # around all brands: Prefect checks each of its settings anew
        while (work := inbox.next()) is not None:
            answers.write(_refit(refit, work).model_dump_json() + "\n")
            answers.flush()
    return 0


def _keep_to_cores() -> None:
    """Use this worker's cores alone; chains, threads and compilers count those that they see."""
    named = os.environ.get(CORES_VARIABLE, "")
    cores = {int(core) for core in named.split(",") if core}
    if cores:
        os.sched_setaffinity(0, cores)


def _prepare() -> "Callable[[RefitRequest], RefitReport]":
    """Import all that a refit needs, while the portfolio is still being read."""
    spare_collector()
    forgo_dask()
    from flows import engines, hooks
    from flows.refit_weekly import refit_weekly

    engines.import_engines(engines.REFIT)
    keep_what_is_imported()
    return refit_weekly.with_options(on_failure=[hooks.notify_failure])


def _refit(refit: "Callable[[RefitRequest], RefitReport]", work: BrandWork) -> BrandAnswer:
    """Refit one brand and say what it came to; nothing but the end of the process is raised."""
    from prefect import tags

    from flows import hooks
    from flows.services.brand_flow_runs import tag_of

    _print_to(Path(work.log_file))
    try:
        with tags(tag_of(work.portfolio_run_id)):
            report = refit(work.request)
        rejected = report.verdict == "FAIL"
        if rejected:
            hooks.notify_rejection(report)
    except Exception as error:
        sys.stderr.write("".join(traceback.format_exception(error)))
        if isinstance(error, MmmError):
            return BrandAnswer(exit_code=error.exit_code, reason=str(error))
        return BrandAnswer(exit_code=EXIT_OTHER, reason=f"{type(error).__name__}: {error}")
    return BrandAnswer(exit_code=EXIT_REJECTED if rejected else 0, report=report)


def _print_to(path: Path) -> None:
    """Let everything that is printed from now on go to the log of a brand."""
    sys.stderr.flush()
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as stream:
        os.dup2(stream.fileno(), 2)
        os.dup2(stream.fileno(), 1)


if __name__ == "__main__":
    leave = Leave()
    # First in, so last out: after Prefect has sent its logs.
    atexit.register(leave)
    leave.code = main()
    sys.exit(leave.code)
