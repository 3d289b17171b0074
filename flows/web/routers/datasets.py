"""One dataset: its files, what its columns are, whether the newest file can be used, its rows."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from flows.api.dependencies import Jobs
from flows.api.problems import problem_of
from flows.web import drafts, found_rows, mapping, session
from flows.web.mapping import ColumnRole
from flows.web.rendering import render, status_of
from flows.web.session import field
from flows.web.tables import Column, Kind, Table
from schemas.answers.datasets import ColumnUse, DraftSpec, FileRows
from schemas.answers.service import Problem
from schemas.errors import MmmError
from tasks.ingest import task_drafts, task_uploads

router = APIRouter()
_PREVIEW = 20
_SAMPLES = 3


@router.get("/data/{dataset_id}")
def show(request: Request, dataset_id: str, rows_from: int = 0) -> Response:
    """Show a dataset."""
    dataset = task_uploads.open_dataset(dataset_id)
    start = min(max(rows_from, 0), 10**9)
    rows, problem = _rows(dataset_id, start, _PREVIEW + 1) if dataset.files else (None, None)
    files = Table(
        "files",
        [Column("File"), Column("Size", Kind.SIZE), Column("Received", Kind.MOMENT),
         Column("SHA-256", Kind.CODE)],
        [(f.file_name, f.n_bytes, f.received_at, f.sha256[:16]) for f in dataset.files],
    )  # fmt: skip
    return render(
        request, "dataset", title=dataset_id, dataset_id=dataset_id, dataset=dataset, files=files,
        preview=_preview(rows) if rows else None, preview_problem=problem, rows_from=start,
        has_more=bool(rows and len(rows.rows) > _PREVIEW), n_preview=_PREVIEW,
    )  # fmt: skip


@router.get("/data/{dataset_id}/columns")
def columns(request: Request, dataset_id: str, jobs: Jobs) -> Response:
    """Show what each column is; a file that nobody has looked at yet is looked at first."""
    draft = drafts.open_draft(dataset_id)
    is_new = task_drafts.find_draft(dataset_id) is None
    problem = None
    if is_new and session.may_write(request) and draft.origin.startswith("columns"):
        try:
            draft = drafts.guess_draft(jobs, dataset_id)
        except MmmError as error:
            problem = problem_of(error)
    return _show_columns(request, draft, problem=problem)


@router.post("/data/{dataset_id}/columns")
def change_columns(
    request: Request, dataset_id: str, jobs: Jobs, fields: session.Fields
) -> Response:
    """Keep what a person says that the columns are, or look at the file anew."""
    if field(fields, "do") == "guess":
        return _show_columns(request, drafts.guess_draft(jobs, dataset_id), said="Guessed anew.")
    draft, roles = drafts.open_draft(dataset_id), _roles_in(fields)
    try:
        document = mapping.apply_roles(task_drafts.parse_text(draft.text), roles)
        mapping.read_roles(document, _look(draft)[0])  # raises what a refit would
        text = task_drafts.write_text(document)
        draft = drafts.save(dataset_id, text, seen=field(fields, "seen"))
    except MmmError as error:
        return _show_columns(request, draft, roles=roles, problem=problem_of(error))
    return _show_columns(request, draft, said="Saved. The check below reads the file so.")


@router.post("/data/{dataset_id}/check")
def check(
    request: Request,
    dataset_id: str,
    jobs: Jobs,
    fields: session.Fields,  # noqa: ARG001 - proof of form
) -> Response:
    """Check the newest file as a refit would, and show findings beside the rows they are about."""
    checked, problem = None, None
    try:
        document = task_drafts.parse_text(drafts.open_draft(dataset_id).text)
        checked = jobs.check_file(dataset_id, document)
    except MmmError as error:
        problem = problem_of(error)
    findings = checked.findings if checked else problem.findings if problem else []
    return render(
        request, "checked", title=f"Check of {dataset_id}", dataset_id=dataset_id,
        checked=checked, problem=problem, findings=findings,
        lines=found_rows.collect(dataset_id, findings),
        status=status_of(problem),
    )  # fmt: skip


@router.post("/data/{dataset_id}/delete")
def delete(dataset_id: str, fields: session.Fields) -> Response:  # noqa: ARG001 - proof of form
    """Delete the files of a dataset; its runs stay."""
    task_uploads.delete_dataset(dataset_id)
    return RedirectResponse("/", HTTPStatus.SEE_OTHER)


def _show_columns(
    request: Request,
    draft: DraftSpec,
    *,
    roles: Sequence[ColumnRole] = (),
    problem: Problem | None = None,
    said: str = "",
) -> Response:
    """Show the form; ``roles`` are those of a form that could not be used."""
    names, samples, kinds = _look(draft)
    if not roles:
        try:
            roles = mapping.read_roles(task_drafts.parse_text(draft.text), names)
        except MmmError as error:
            problem = problem or problem_of(error)
            roles = [ColumnRole(name, ColumnUse.IGNORED) for name in names]
    rows = [
        {
            "role": role,
            "kind": kinds.get(role.column, ""),
            "samples": samples.get(role.column, []),
            "reason": draft.reasons.get(role.column, ""),
            "proposed": role.channel or mapping.propose_channel(role.column),
        }
        for role in roles
    ]
    ignored = [role.column for role in roles if role.use is ColumnUse.IGNORED]
    return render(
        request, "columns", title=f"Columns of {draft.dataset_id}", dataset_id=draft.dataset_id,
        draft=draft, rows=rows, uses=[(use.value, said) for use, said in mapping.USE_WORDS.items()],
        ignored=ignored, problem=problem, said=said, status=status_of(problem),
    )  # fmt: skip


def _look(draft: DraftSpec) -> tuple[list[str], dict[str, list[str]], dict[str, str]]:
    """Return the columns of the newest file, a few values and the kind of each.

    Rows of a workbook are not read here: its columns are those that the guess has named.
    """
    try:
        described = task_uploads.describe_columns(draft.dataset_id)
        head = task_uploads.read_rows(draft.dataset_id, start=0, n_rows=_SAMPLES)
    except MmmError:
        return list(draft.reasons), {}, {}
    names = [column.name for column in described.columns]
    values = zip(*head.rows, strict=False) if head.rows else []
    samples = {name: list(found) for name, found in zip(names, values, strict=False)}
    return names, samples, {column.name: column.kind for column in described.columns}


def _roles_in(fields: session.FormFields) -> list[ColumnRole]:
    roles = []
    for column, use, channel in zip(
        fields.get("column", []), fields.get("use", []), fields.get("channel", []), strict=False
    ):
        known = ColumnUse(use) if use in set(ColumnUse) else ColumnUse.IGNORED
        is_media = known in {ColumnUse.SPEND, ColumnUse.ACTIVITY}
        roles.append(ColumnRole(column, known, channel.strip() if is_media else ""))
    return roles


def _rows(dataset_id: str, start: int, n_rows: int) -> tuple[FileRows | None, Problem | None]:
    try:
        return task_uploads.read_rows(dataset_id, start=start, n_rows=n_rows), None
    except MmmError as error:
        return None, problem_of(error)


def _preview(rows: FileRows) -> Table:
    shown: list[Sequence[Any]] = [
        [row[i] if i < len(row) else None for i in range(len(rows.columns))]
        for row in rows.rows[:_PREVIEW]
    ]
    return Table("rows of the file", [Column(name, Kind.RAW) for name in rows.columns], shown)
