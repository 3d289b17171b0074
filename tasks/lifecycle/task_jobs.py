"""Jobs of the REST API for who serves them: plain functions, so that a server stays light."""

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from schemas.answers.jobs import AskedJob, JobKind, JobOutcome, JobState
from schemas.documents.results import RunRecord, RunStatus
from tasks.store.home import current_home
from tasks.store.runs import champions, jobs, status
from tasks.store.runs.ids import new_run_id


def new_job(
    kind: JobKind, request: Mapping[str, Any], dataset_id: str | None, key: str | None = None
) -> AskedJob:
    """Record a job that waits for its turn.

    Parameters
    ----------
    kind
        What it does.
    request
        What it is asked; a refit gets the id of the job as that of its run.
    dataset_id
        Dataset that it is about; None: several.
    key
        Digest of the caller's key.
    """
    home, now = current_home(), datetime.now(UTC)
    subject = dataset_id or "combined"
    job_id = new_run_id(subject if kind is JobKind.REFIT else f"{kind}-{subject}", now)
    job = AskedJob(
        job_id=job_id, kind=kind, state=JobState.QUEUED, dataset_id=dataset_id, created_at=now,
        key=key, request_sha256=digest_of(request),
    )  # fmt: skip
    asked = {**request, "run_id": job_id} if kind is JobKind.REFIT else dict(request)
    jobs.write_request(home, job_id, asked)
    jobs.write_job(home, job)
    if key is not None:
        jobs.write_key(home, key, job_id)
    return job


def digest_of(request: Mapping[str, Any]) -> str:
    """Return the SHA-256 of a request: the same request, the same digest.

    Parameters
    ----------
    request
        Anything that JSON can hold.
    """
    text = json.dumps(request, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def find_asked(key: str) -> AskedJob | None:
    """Return the job that a key has started; None where it has started none."""
    home = current_home()
    job_id = jobs.find_key(home, key)
    return None if job_id is None else jobs.find_job(home, job_id)


def find_job(job_id: str) -> AskedJob | None:
    """Return a job, or None."""
    return jobs.find_job(current_home(), job_id)


def read_job(job_id: str) -> AskedJob:
    """Return a job.

    Raises
    ------
    UnknownRunError
        If there is none of that id.
    """
    return jobs.read_job(current_home(), job_id)


def list_jobs() -> list[AskedJob]:
    """Return all jobs, the newest first."""
    return jobs.list_jobs(current_home())


def move_job(job: AskedJob, state: JobState, **facts: Any) -> AskedJob:
    """Keep the next state of a job, and what is known by then."""
    changed = job.model_copy(update={"state": state, **facts})
    jobs.write_job(current_home(), changed)
    return changed


def read_request(job_id: str) -> dict[str, Any]:
    """Return what a job was asked.

    Returns
    -------
    dict
        Fields of the request of its kind: ``RefitRequest``, ``PlanRequest`` and so on.
    """
    return jobs.read_request(current_home(), job_id)


def write_outcome(job_id: str, outcome: JobOutcome) -> None:
    """Keep what a job came to."""
    jobs.write_outcome(current_home(), job_id, outcome)


def find_outcome(job_id: str) -> JobOutcome | None:
    """Return what a job came to; None where its process left nothing."""
    return jobs.find_outcome(current_home(), job_id)


def log_path(job_id: str) -> Path:
    """Return the file that takes what the process of a job prints."""
    return jobs.log_path(current_home(), job_id)


def read_log(job_id: str, n_bytes: int) -> str:
    """Return the end of what the process of a job has printed; empty before it prints anything."""
    path = log_path(job_id)
    if not path.is_file():
        return ""
    with path.open("rb") as stream:
        stream.seek(max(path.stat().st_size - n_bytes, 0))
        return stream.read(n_bytes).decode("utf-8", errors="replace")


def forget_job(job_id: str) -> None:
    """Remove everything of a job but what it made."""
    jobs.remove_job(current_home(), job_id)


def find_record(run_id: str) -> RunRecord | None:
    """Return the record of a run; None where it has not begun, or there is none."""
    return champions.find_record(current_home(), run_id)


def find_reached(run_id: str) -> RunStatus | None:
    """Return the state that a run had reached before it ended in ERROR; None where nobody knows."""
    known = status.find_status_file(current_home(), run_id)
    return known.reached if known else None


def end_cancelled(run_id: str) -> None:
    """End a run in ERROR because a person stopped it; one that has ended stays as it is."""
    record = find_record(run_id)
    if record is not None and record.status not in {RunStatus.OUTPUTS_READY, RunStatus.ERROR}:
        status.fail_run(current_home(), run_id, "cancelled by a person")
