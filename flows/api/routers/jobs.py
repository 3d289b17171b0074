"""Jobs: plans, explanations, scorings and refits that are being made."""

from typing import Annotated

from fastapi import APIRouter, Path
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from flows.api.conventions import ERRORS, Cursor, Limit, paginate
from flows.api.dependencies import Jobs
from flows.api.events import stream_events
from flows.api.services import public, read_job
from schemas.answers.jobs import Job, JobKind
from schemas.answers.service import Page
from tasks.lifecycle.task_jobs import list_jobs

router = APIRouter(prefix="/jobs", tags=["jobs"], responses=ERRORS)
JobId = Annotated[str, Path(description="Id of a job.", max_length=200)]


@router.get("", operation_id="list_jobs")
def list_of(kind: JobKind | None = None, cursor: Cursor = None, limit: Limit = 50) -> Page[Job]:
    """List jobs, newest first."""
    found = [public(job) for job in list_jobs() if kind in (None, job.kind)]
    return paginate(found, lambda job: job.job_id, cursor, limit)


@router.get("/{job_id}", operation_id="get_job")
def detail(job_id: JobId) -> Job:
    """Return how far a job is, and what it came to."""
    return read_job(job_id)


@router.get("/{job_id}/events", operation_id="watch_job", response_class=Response)
async def events(job_id: JobId) -> Response:
    """Send the job whenever it changes, as server-sent events, until it is over."""
    await run_in_threadpool(read_job, job_id)
    return stream_events(lambda: read_job(job_id), lambda job: job.state.is_over)


@router.post("/{job_id}/cancel", operation_id="cancel_job", status_code=202)
def cancel(job_id: JobId, jobs: Jobs) -> Job:
    """End a job; one that is over stays as it is."""
    return jobs.cancel(job_id)
