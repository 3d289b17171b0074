"""The paths of the earlier backend, without a version: its clients work as they are."""

from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Body, Header, Path, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from flows.api import decisions
from flows.api.conventions import ERRORS
from flows.api.dependencies import Jobs
from flows.api.problems import ProblemError
from flows.api.progress import read_progress
from flows.api.receiving import receive_form
from flows.api.routers.outputs import answer
from schemas.answers.datasets import Dataset, DeletedDataset, FileColumns
from schemas.answers.jobs import NewRun, RunProgress
from schemas.answers.pruning import Pruning
from schemas.answers.runs import ListedRun, RunDetail
from schemas.documents.results import RunStatus
from schemas.errors import SpecError
from tasks.ingest import task_uploads
from tasks.query.outputs import read_document_of
from tasks.query.runs import describe_run, list_all_runs

router = APIRouter(responses=ERRORS, tags=["earlier backend"])
MAX_ROWS = 10_000
"""Rows of a file that one answer has; ``/api/v1/datasets/{id}/rows`` has pages."""
DatasetId = Annotated[str, Path(description="Id of the dataset.", max_length=64)]
RunId = Annotated[str, Path(description="Run id.", max_length=200)]
IfNoneMatch = Annotated[str | None, Header()]

_UPLOAD_FORM = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {"file": {"type": "string", "format": "binary"}},
                }
            }
        },
    }
}


@router.post("/datasets/upload", operation_id="earlier_upload", openapi_extra=_UPLOAD_FORM)
async def upload(
    request: Request, jobs: Jobs, dataset_id: Annotated[str, Query(max_length=64)]
) -> dict[str, Any]:
    """Receive a file as field `file` of a form, and validate it.

    A file whose columns need a run spec is kept, and `reason` says what the spec has to name:
    earlier clients state it when they create a run.
    """
    received = await receive_form(request, dataset_id)
    answer = {
        **received.model_dump(mode="json", exclude={"schema_version"}),
        "status": "uploaded",
    }
    try:
        checked = await run_in_threadpool(jobs.check_file, dataset_id, None)
    except SpecError as error:
        return {**answer, "validation": None, "reason": str(error)}
    return {**answer, "validation": checked.model_dump(mode="json")}


@router.post("/datasets/{dataset_id}/validate", operation_id="earlier_validate")
def validate(dataset_id: DatasetId, jobs: Jobs) -> dict[str, Any]:
    """Check the newest file of a dataset."""
    return jobs.check_file(dataset_id, None).model_dump(mode="json")


@router.get("/datasets/", operation_id="earlier_datasets")
def datasets() -> list[Dataset]:
    """List datasets."""
    return task_uploads.find_datasets()


@router.get("/datasets/{dataset_id}", operation_id="earlier_dataset")
def dataset(dataset_id: DatasetId) -> Dataset:
    """Return one dataset."""
    return task_uploads.open_dataset(dataset_id)


@router.get("/datasets/{dataset_id}/raw", operation_id="earlier_raw")
def raw(
    dataset_id: DatasetId, limit: Annotated[int, Query(ge=1, le=MAX_ROWS)] = MAX_ROWS
) -> list[dict[str, str]]:
    """Return the first rows of the newest file, one object each."""
    found = task_uploads.read_rows(dataset_id, start=0, n_rows=limit)
    return [dict(zip(found.columns, row, strict=False)) for row in found.rows]


@router.get("/datasets/{dataset_id}/columns", operation_id="earlier_columns")
def columns(dataset_id: DatasetId) -> FileColumns:
    """Return the columns of the newest file."""
    return task_uploads.describe_columns(dataset_id)


@router.delete("/datasets/{dataset_id}", operation_id="earlier_delete_dataset")
def delete_dataset(dataset_id: DatasetId) -> DeletedDataset:
    """Delete the uploaded files of a dataset."""
    return task_uploads.delete_dataset(dataset_id)


@router.post("/runs/create", operation_id="earlier_create_run")
def create(
    spec: Annotated[dict[str, Any], Body(description="A run spec.")], jobs: Jobs
) -> RunProgress:
    """Start a refit and answer with its id."""
    return read_progress(jobs.start_refit(NewRun(spec=spec)).job_id)


@router.post("/runs/{run_id}/build_features", operation_id="earlier_build_features")
@router.post("/runs/{run_id}/train", operation_id="earlier_train")
@router.get("/runs/{run_id}/status", operation_id="earlier_status")
def status(run_id: RunId) -> RunProgress:
    """Return how far a run is; it builds features and trains by itself."""
    return read_progress(run_id)


@router.get("/runs/", operation_id="earlier_runs")
def runs() -> list[ListedRun]:
    """List runs, newest first."""
    return list_all_runs().runs


@router.get("/runs/{run_id}", operation_id="earlier_run")
def run(run_id: RunId) -> RunDetail:
    """Return one run."""
    return describe_run(run_id)


@router.get("/runs/{run_id}/spec", operation_id="earlier_spec", response_model=None)
def spec_of(run_id: RunId) -> dict[str, object]:
    """Return what was asked for."""
    return read_document_of(run_id, "spec")


@router.delete("/runs/{run_id}", operation_id="earlier_delete_run")
def delete_run(run_id: RunId) -> Pruning:
    """Delete the files of a run."""
    return decisions.delete_run(run_id)


@router.get("/outputs/{run_id}/summary", operation_id="earlier_summary")
@router.get("/runs/{run_id}/outputs", operation_id="earlier_outputs")
def summary(run_id: RunId) -> dict[str, Any]:
    """Return everything of a run that fits on a page: record, returns, fit, contributions."""
    found = _ended(run_id).model_dump(mode="json")
    return {**found, "contributions": read_document_of(run_id, "contribution_summary")}


@router.get(
    "/outputs/{run_id}/contributions", operation_id="earlier_contributions", response_model=None
)
@router.get(
    "/runs/{run_id}/contributions", operation_id="earlier_run_contributions", response_model=None
)
def contributions(
    run_id: RunId,
    format: Annotated[str, Query(description="summary or timeseries.")] = "summary",  # noqa: A002 - the published name
) -> Response:
    """Return contributions summed over time, or of every period."""
    if format not in {"summary", "timeseries"}:
        raise ProblemError(
            HTTPStatus.UNPROCESSABLE_ENTITY, f"format: {format!r} is not summary or timeseries."
        )
    _ended(run_id)
    name = "contribution_summary" if format == "summary" else "contributions"
    return answer(run_id, name, "json")


@router.get("/outputs/{run_id}/{name}", operation_id="earlier_output", response_model=None)
def output(run_id: RunId, name: str, if_none_match: IfNoneMatch = None) -> Response:
    """Return an output as JSON: posterior_summary, diagnostics, roi, fitted, and others."""
    _ended(run_id)
    return answer(run_id, name, "json", if_none_match)


@router.get(
    "/runs/{run_id}/posterior_summary", operation_id="earlier_run_posterior", response_model=None
)
@router.get(
    "/runs/{run_id}/diagnostics", operation_id="earlier_run_diagnostics", response_model=None
)
@router.get("/runs/{run_id}/fitted", operation_id="earlier_run_fitted", response_model=None)
def output_of_run(run_id: RunId, request: Request) -> Response:
    """Return an output as JSON."""
    _ended(run_id)
    return answer(run_id, request.url.path.rpartition("/")[2], "json")


def _ended(run_id: str) -> RunDetail:
    """Return a run that has outputs."""
    progress = read_progress(run_id)
    if progress.status is not RunStatus.OUTPUTS_READY:
        raise ProblemError(
            HTTPStatus.CONFLICT,
            f"Run {run_id} has no outputs yet; it is {progress.status}"
            + (f": {progress.reason}" if progress.reason else "."),
        )
    return describe_run(progress.run_id)
