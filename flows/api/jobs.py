"""Runs jobs, each in a process of its own that ends with the server; what is left goes on later.

Refits wait for each other: a fit uses every core. What is short does not wait behind them. A
server that ends leaves its jobs as they are, and the next one takes them up: a refit resumes at
the task it died in.
"""

import logging
import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from http import HTTPStatus

from flows.api.problems import ProblemError
from flows.services.servers import import_path
from schemas.answers.jobs import AskedJob, JobKind, JobOutcome, JobState
from schemas.answers.service import Problem
from tasks.lifecycle import task_jobs

log = logging.getLogger(__name__)

MAX_WAITING = 100
"""Jobs that may wait for their turn."""
_SHORT_AT_ONCE = 2
_LOST = "The process of this job ended without a word; the log of the server's machine says more."


class JobRunner:
    """Starts jobs, ends them, and keeps how far they are."""

    def __init__(self) -> None:
        self._long = ThreadPoolExecutor(1, thread_name_prefix="refit")
        self._short = ThreadPoolExecutor(_SHORT_AT_ONCE, thread_name_prefix="job")
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._lock = threading.Lock()
        self._closing = False
        self._unfinished: set[str] = set()
        """Jobs that wait or run, so that a start reads no file of another job."""

    def resume(self) -> None:
        """Take up what an earlier server left, in the order in which it was asked for."""
        for job in reversed(task_jobs.list_jobs()):
            if not job.state.is_over:
                self._submit(job)

    def start(self, job: AskedJob) -> None:
        """Let a recorded job have its turn.

        Raises
        ------
        ProblemError
            503 where too many wait already; the job is forgotten.
        """
        with self._lock:
            is_full = len(self._unfinished) >= MAX_WAITING
        if is_full:
            task_jobs.forget_job(job.job_id)
            raise ProblemError(
                HTTPStatus.SERVICE_UNAVAILABLE,
                f"{MAX_WAITING} jobs wait already; try again when some have ended.",
                {"Retry-After": "60"},
            )
        self._submit(job)

    def run_now(self, job: AskedJob) -> JobOutcome:
        """Do a short job in this thread and return what it came to."""
        self._run(job.job_id)
        outcome = task_jobs.find_outcome(job.job_id)
        task_jobs.forget_job(job.job_id)
        return outcome or JobOutcome(exit_code=1, problem=_lost())

    def cancel(self, job_id: str) -> AskedJob:
        """End a job; one that is over stays as it is.

        Raises
        ------
        UnknownRunError
            If there is none of that id.
        """
        with self._lock:
            job = task_jobs.read_job(job_id)
            if job.state.is_over:
                return job
            job = task_jobs.move_job(job, JobState.CANCELLED, ended_at=datetime.now(UTC))
            self._unfinished.discard(job_id)
            child = self._children.get(job_id)
        if child is None:
            _end_run(job)
        else:
            _let_go(child)
        return job

    def close(self) -> None:
        """End all processes; their jobs go on with the next server."""
        with self._lock:
            self._closing = True
            children = list(self._children.values())
        for child in children:
            _let_go(child)
        for pool in (self._long, self._short):
            pool.shutdown(wait=True, cancel_futures=True)

    def _submit(self, job: AskedJob) -> None:
        pool = self._long if job.kind in {JobKind.REFIT, JobKind.EXPLAIN} else self._short
        with self._lock:
            self._unfinished.add(job.job_id)
        pool.submit(self._run_logged, job.job_id)

    def _run_logged(self, job_id: str) -> None:
        try:
            self._run(job_id)
        except Exception:
            log.exception("job %s could not be run", job_id)
        finally:
            with self._lock:
                self._unfinished.discard(job_id)

    def _run(self, job_id: str) -> None:
        with self._lock:
            job = task_jobs.read_job(job_id)
            if self._closing or job.state.is_over:
                return
            job = task_jobs.move_job(job, JobState.RUNNING, started_at=datetime.now(UTC))
            child = _spawn(job_id)
            self._children[job_id] = child
        child.wait()
        with self._lock:
            del self._children[job_id]
            cancelled = task_jobs.read_job(job_id).state is JobState.CANCELLED
        if cancelled:
            _end_run(job)
        elif not self._closing:
            _finish(job)


def _finish(job: AskedJob) -> None:
    outcome = task_jobs.find_outcome(job.job_id)
    problem = outcome.problem if outcome else _lost()
    task_jobs.move_job(
        job,
        JobState.FAILED if problem else JobState.DONE,
        ended_at=datetime.now(UTC),
        result_id=outcome.result_id if outcome else None,
        problem=problem,
    )


def _spawn(job_id: str) -> "subprocess.Popen[bytes]":
    """Start the process of a job; it ends when its standard input is closed."""
    command = [sys.executable, "-m", "flows.api.work", job_id]
    with task_jobs.log_path(job_id).open("ab") as stream:
        return subprocess.Popen(  # noqa: S603 - our own module; the id is one of ours
            [sys.executable, "-m", "flows.services.watched", *command],
            stdin=subprocess.PIPE,
            stdout=stream,
            stderr=stream,
            env={**os.environ, "PYTHONPATH": import_path()},
            start_new_session=True,
        )


def _let_go(child: "subprocess.Popen[bytes]") -> None:
    if child.stdin is not None:
        child.stdin.close()


def _end_run(job: AskedJob) -> None:
    if job.kind is JobKind.REFIT:
        task_jobs.end_cancelled(job.job_id)


def _lost() -> Problem:
    status = HTTPStatus.INTERNAL_SERVER_ERROR
    return Problem(title=status.phrase, status=int(status), detail=_LOST, code="InternalError")
