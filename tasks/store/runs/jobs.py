"""Jobs of the REST API: ``data/jobs/<job>/``, what was asked, how far it is, what it came to.

Belongs here: the files. Does not: processes (``flows.api.jobs``).
Invariant: what is not over when a server ends is known to the next one.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from schemas.answers.jobs import AskedJob, JobOutcome
from schemas.errors import UnknownRunError
from tasks.store.files import removal
from tasks.store.files.artifacts import kept_document, parse_document, write_document, write_json
from tasks.store.home import Home

_KEYS = ".keys"
"""Folder of a file per key, so that no job has to be read to find the one of a key."""
_JOB, _REQUEST, _OUTCOME = "job.json", "request.json", "outcome.json"


def write_job(home: Home, job: AskedJob) -> None:
    """Keep how far a job is."""
    write_document(home, home.jobs / job.job_id / _JOB, job)


def find_job(home: Home, job_id: str) -> AskedJob | None:
    """Return a job, or None; a text that is no name of a folder is none."""
    if "/" in job_id or "\\" in job_id or "\0" in job_id or job_id.startswith("."):
        return None
    path = home.jobs / job_id / _JOB
    try:
        return parse_document(path, AskedJob) if path.is_file() else None
    except OSError:  # a name that the system does not take
        return None


def read_job(home: Home, job_id: str) -> AskedJob:
    """Return a job.

    Raises
    ------
    UnknownRunError
        If there is none of that id.
    """
    job = find_job(home, job_id)
    if job is None:
        raise UnknownRunError(f"No job {job_id!r}.")
    return job


def list_jobs(home: Home) -> list[AskedJob]:
    """Return all jobs, the newest first."""
    jobs = [kept_document(path, AskedJob) for path in home.jobs.glob(f"*/{_JOB}")]
    return sorted(jobs, key=lambda job: (job.created_at, job.job_id), reverse=True)


def write_key(home: Home, key: str, job_id: str) -> None:
    """Keep which job a key has started; ``key`` is a digest."""
    write_json(home, home.jobs / _KEYS / key, {"job_id": job_id})


def find_key(home: Home, key: str) -> str | None:
    """Return the job that a key has started, or None."""
    path = home.jobs / _KEYS / key
    return str(json.loads(path.read_text(encoding="utf-8"))["job_id"]) if path.is_file() else None


def write_request(home: Home, job_id: str, request: Mapping[str, Any]) -> None:
    """Keep what a job was asked.

    Parameters
    ----------
    home, job_id
        The job.
    request
        Fields of the request of its kind.
    """
    write_json(home, home.jobs / job_id / _REQUEST, request)


def read_request(home: Home, job_id: str) -> dict[str, Any]:
    """Return what a job was asked.

    Returns
    -------
    dict
        Fields of the request of its kind.
    """
    return dict(json.loads((home.jobs / job_id / _REQUEST).read_text(encoding="utf-8")))


def write_outcome(home: Home, job_id: str, outcome: JobOutcome) -> None:
    """Keep what a job came to."""
    write_document(home, home.jobs / job_id / _OUTCOME, outcome)


def find_outcome(home: Home, job_id: str) -> JobOutcome | None:
    """Return what a job came to; None where its process left nothing."""
    path = home.jobs / job_id / _OUTCOME
    return parse_document(path, JobOutcome) if path.is_file() else None


def log_path(home: Home, job_id: str) -> Path:
    """Return the file that takes what the process of a job prints."""
    return home.jobs / job_id / "log.txt"


def remove_job(home: Home, job_id: str) -> None:
    """Remove everything of a job but what it made."""
    removal.remove(home, home.jobs / job_id, room=home.jobs)
