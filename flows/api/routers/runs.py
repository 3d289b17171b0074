"""Runs: what was refitted, how far it got, what it was asked for."""

from typing import Annotated

from fastapi import APIRouter, Path, Query
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from flows.api import decisions
from flows.api.conventions import ERRORS, Cursor, Limit, answer_later, paginate
from flows.api.dependencies import IdempotencyKey, Jobs
from flows.api.events import stream_events
from flows.api.progress import read_progress
from schemas.answers.jobs import Job, NewRun, RunProgress
from schemas.answers.pruning import Pruning
from schemas.answers.runs import ListedRun, RunDetail
from schemas.answers.service import Page
from schemas.documents.results import RunStatus
from schemas.outcomes import Verdict
from tasks.query.outputs import read_document_of
from tasks.query.runs import describe_run, list_all_runs

router = APIRouter(prefix="/runs", tags=["runs"], responses=ERRORS)
RunId = Annotated[str, Path(description="Run id, as the list of runs has it.", max_length=200)]


@router.get("", operation_id="list_runs")
def list_of(
    dataset_id: Annotated[str | None, Query(max_length=64, description="Of one dataset.")] = None,
    status: Annotated[RunStatus | None, Query(description="In one state.")] = None,
    verdict: Annotated[Verdict | None, Query(description="With one verdict.")] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[ListedRun]:
    """List runs, newest first."""
    found = [
        run
        for run in list_all_runs(dataset_id).runs
        if status in (None, run.status) and verdict in (None, run.verdict)
    ]
    return paginate(found, lambda run: run.run_id, cursor, limit)


@router.get("/{run_id}", operation_id="get_run")
def detail(run_id: RunId) -> RunDetail:
    """Return one run: verdict and reasons, returns, fit, gates."""
    return describe_run(run_id)


@router.post("", operation_id="create_run", status_code=202)
def create(
    asked: NewRun, jobs: Jobs, response: Response, idempotency_key: IdempotencyKey = None
) -> Job:
    """Start a refit; `Location` is where to ask how far it is."""
    job = jobs.start_refit(asked, idempotency_key)
    return answer_later(response, job, status_at=f"runs/{job.job_id}/status")


@router.get("/{run_id}/status", operation_id="get_run_status")
def status_of(run_id: RunId) -> RunProgress:
    """Return how far a run is: its state, the stages it has reached, why it failed."""
    return read_progress(run_id)


@router.get("/{run_id}/events", operation_id="watch_run", response_class=Response)
async def events(run_id: RunId) -> Response:
    """Send the progress of a run whenever it changes, as server-sent events, until it is over."""
    await run_in_threadpool(read_progress, run_id)
    return stream_events(lambda: read_progress(run_id), lambda progress: progress.is_over)


@router.get("/{run_id}/spec", operation_id="get_run_spec", response_model=None)
def spec_of(run_id: RunId) -> dict[str, object]:
    """Return what was asked for: the run spec."""
    return read_document_of(run_id, "spec")


@router.post("/{run_id}/cancel", operation_id="cancel_run", status_code=202)
def cancel(run_id: RunId, jobs: Jobs) -> RunProgress:
    """End a refit that is waiting or running; one that is over stays as it is."""
    jobs.cancel(run_id)
    return read_progress(run_id)


@router.delete("/{run_id}", operation_id="delete_run")
def delete(run_id: RunId) -> Pruning:
    """Delete the files of a run, here and in MLflow; the champion's are kept, tables too."""
    return decisions.delete_run(run_id)
