"""Runs: what was refitted, how far it got, what it was asked for."""

from typing import Annotated

from fastapi import APIRouter, Path, Query

from flows.api.conventions import ERRORS, Cursor, Limit, paginate
from schemas.answers.runs import ListedRun, RunDetail
from schemas.answers.service import Page
from schemas.documents.results import RunStatus
from schemas.outcomes import Verdict
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
