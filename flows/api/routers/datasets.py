"""Datasets: files that are uploaded, looked into, checked, deleted."""

from typing import Annotated, Any

from fastapi import APIRouter, Body, Path, Query, Request

from flows.api.conventions import (
    ERRORS,
    Cursor,
    Limit,
    decode_offset,
    encode_cursor,
    paginate,
)
from flows.api.dependencies import Jobs
from flows.api.receiving import receive_body
from schemas.answers.checked_file import CheckedFile
from schemas.answers.datasets import Dataset, DeletedDataset, FileColumns, FileRows, UploadedFile
from schemas.answers.service import Page
from tasks.ingest import task_uploads

router = APIRouter(prefix="/datasets", tags=["datasets"], responses=ERRORS)
DatasetId = Annotated[str, Path(description="Id of the dataset.", max_length=64)]
FileName = Annotated[
    str,
    Query(
        description="Name of the file; its ending says what it is. A path, markup, control "
        "characters and more than 255 bytes are refused.",
    ),
]
SpecBody = Annotated[
    dict[str, Any] | None,
    Body(description="The run spec, or what of it is not by prefix; without it, all is."),
]


@router.get("", operation_id="list_datasets")
def list_of(cursor: Cursor = None, limit: Limit = 50) -> Page[Dataset]:
    """List datasets that have a file or a run."""
    return paginate(task_uploads.find_datasets(), lambda d: d.dataset_id, cursor, limit)


@router.get("/{dataset_id}", operation_id="get_dataset")
def detail(dataset_id: DatasetId) -> Dataset:
    """Return one dataset: its files and its runs."""
    return task_uploads.open_dataset(dataset_id)


@router.put(
    "/{dataset_id}/file",
    operation_id="upload_file",
    status_code=201,
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"application/octet-stream": {"schema": {"type": "string"}}},
        }
    },
)
async def upload(dataset_id: DatasetId, name: FileName, request: Request) -> UploadedFile:
    """Receive a file, which is the body itself; it is written as it comes and checked by nobody."""
    return await receive_body(request, dataset_id, name)


@router.get("/{dataset_id}/columns", operation_id="get_columns")
def columns(dataset_id: DatasetId) -> FileColumns:
    """Return the columns of the newest file, and what a refit takes them for by their prefix."""
    return task_uploads.describe_columns(dataset_id)


@router.get("/{dataset_id}/rows", operation_id="get_rows")
def rows(dataset_id: DatasetId, cursor: Cursor = None, limit: Limit = 50) -> FileRows:
    """Return rows of the newest file, every value as its text."""
    start = decode_offset(cursor)
    found = task_uploads.read_rows(dataset_id, start=start, n_rows=limit + 1)
    more = encode_cursor(str(start + limit)) if len(found.rows) > limit else None
    return found.model_copy(update={"rows": found.rows[:limit], "next_cursor": more})


@router.post("/{dataset_id}/validate", operation_id="validate_dataset")
def validate(dataset_id: DatasetId, jobs: Jobs, spec: SpecBody = None) -> CheckedFile:
    """Check the newest file against all data rules, as a refit would; nothing is stored."""
    return jobs.check_file(dataset_id, spec)


@router.delete("/{dataset_id}", operation_id="delete_dataset")
def delete(dataset_id: DatasetId) -> DeletedDataset:
    """Delete the uploaded files of a dataset; its runs stay."""
    return task_uploads.delete_dataset(dataset_id)
