"""What a run left behind: documents and tables that never change."""

from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Query
from starlette.responses import JSONResponse, Response

from flows.api.conventions import ERRORS, MEDIA_TYPES, IfNoneMatch, choose_format, not_modified
from schemas.answers.service import Page
from tasks.query.outputs import PAGES, TABLES, list_outputs, open_output, read_document_of

router = APIRouter(prefix="/outputs", tags=["outputs"], responses=ERRORS)
RunId = Annotated[str, Path(description="Run id, as the list of runs has it.", max_length=200)]
Name = Annotated[str, Path(description="Name of the output, as the list has it.", max_length=100)]

_REPORT_POLICY = (
    "sandbox allow-scripts allow-downloads; default-src 'none'; script-src 'unsafe-inline' blob:; "
    "style-src 'unsafe-inline'; img-src data: blob:; font-src data:; frame-ancestors 'self'"
)
"""A report carries its scripts in itself; a sandbox gives it an origin of its own."""


@router.get("/{run_id}", operation_id="list_outputs")
def list_of(run_id: RunId) -> Page[str]:
    """List the outputs that a run has."""
    names = list_outputs(run_id)
    return Page(items=names, total=len(names))


@router.get(
    "/{run_id}/{name}",
    operation_id="get_output",
    response_model=None,
    responses={
        200: {
            "description": "A document; a table as JSON, CSV or Parquet; the report as HTML.",
            "content": {kind: {} for kind in (*MEDIA_TYPES.values(), "text/html")},
        },
        304: {"description": "The caller has it."},
    },
)
def output(
    run_id: RunId,
    name: Name,
    as_: Annotated[
        str | None, Query(alias="as", description="csv, json or parquet; else `Accept` decides.")
    ] = None,
    accept: Annotated[str | None, Header()] = None,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """Return one output: documents as JSON, tables in the format that is asked for.

    It never changes, so its `ETag` holds as long as the run is there.
    """
    return answer(run_id, name, choose_kind(name, accept, as_), if_none_match)


def choose_kind(name: str, accept: str | None, asked: str | None = None) -> str:
    """Return the format of an output: only tables have a choice."""
    return choose_format(accept, asked) if name in TABLES else "json"


def answer(run_id: str, name: str, kind: str, if_none_match: str | None = None) -> Response:
    """Return an output in a format, with its entity tag; 304 where the caller has it."""
    found = open_output(run_id, name)
    suffix = f"-{kind}" if name in TABLES else ""
    etag = f'"{found.sha256[:32]}{suffix}"'
    if (known := not_modified(etag, if_none_match)) is not None:
        return known
    headers = {"ETag": etag, "Cache-Control": "private, no-cache"}
    if name in PAGES:
        policy = {"Content-Security-Policy": _REPORT_POLICY}
        return Response(found.read_bytes(), headers=headers | policy, media_type="text/html")
    if name in TABLES:
        headers |= {
            "Vary": "Accept",
            "Content-Disposition": f'attachment; filename="{name}.{kind}"',
        }
        return Response(found.encode(kind), headers=headers, media_type=MEDIA_TYPES[kind])
    document: dict[str, Any] = read_document_of(run_id, name)
    return JSONResponse(document, headers=headers)
