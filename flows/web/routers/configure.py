"""The run spec of a dataset: a form made from its models, the YAML beside it, priors drawn."""

import hashlib
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from flows.api.dependencies import Jobs
from flows.api.problems import problem_of
from flows.web import drafts, mapping, session, spec_form
from flows.web.fields import faults_of
from flows.web.prior_picture import draw_priors
from flows.web.rendering import render, status_of
from flows.web.session import field
from flows.web.tables import Column, Kind, Table
from schemas.answers.service import Problem
from schemas.documents.fit import PriorPredictive
from schemas.errors import MmmError
from schemas.spec.run_spec import RunSpec
from tasks.ingest import task_drafts, task_uploads

router = APIRouter()


@router.get("/configure")
def choose(request: Request, dataset_id: str | None = None) -> Response:
    """Lead to the run spec of a dataset; say what to do where there is none."""
    names = [dataset.dataset_id for dataset in task_uploads.find_datasets()]
    if dataset_id in names or names:
        chosen = dataset_id if dataset_id in names else names[0]
        return RedirectResponse(f"/configure/{chosen}", HTTPStatus.SEE_OTHER)
    return render(request, "no_dataset", title="Configure", what="A run spec is for a dataset.")


@router.get("/configure/{dataset_id}")
def show(request: Request, dataset_id: str) -> Response:
    """Show the run spec of a dataset."""
    draft = drafts.open_draft(dataset_id)
    return _show(request, dataset_id, draft.text, seen=draft.sha256)


@router.post("/configure/{dataset_id}")
def change(request: Request, dataset_id: str, fields: session.Fields) -> Response:
    """Bring form and YAML together, whichever was changed; keep them where that is asked for."""
    do, seen = field(fields, "do"), field(fields, "seen")
    text = (fields.get("text") or [""])[-1]
    try:
        if _digest(text) == field(fields, "base"):  # the YAML is as it was shown: the form decides
            text = _apply(dataset_id, text, fields)
        text = _step(dataset_id, text, do)
        if do == "save":
            seen = drafts.save(dataset_id, text, seen=seen).sha256
    except MmmError as error:
        return _show(request, dataset_id, text, seen=seen, problem=problem_of(error))
    return _show(request, dataset_id, text, seen=seen, said="Saved." if do == "save" else "")


@router.post("/configure/{dataset_id}/prior")
def predict_prior(
    request: Request, dataset_id: str, jobs: Jobs, fields: session.Fields
) -> Response:
    """Say what the priors alone make of the KPI and of each channel, before any fit."""
    problem, found = None, None
    try:
        spec = drafts.parse(dataset_id, (fields.get("text") or [""])[-1])
        found = drafts.predict_prior(jobs, dataset_id, spec)
    except MmmError as error:
        problem = problem_of(error)
    return render(
        request, "prior", title=f"Priors of {dataset_id}", dataset_id=dataset_id, found=found,
        problem=problem, table=_prior_table(found) if found else None,
        status=status_of(problem),
    )  # fmt: skip


def _show(
    request: Request,
    dataset_id: str,
    text: str,
    *,
    seen: str,
    problem: Problem | None = None,
    said: str = "",
) -> Response:
    spec, problem = _try(dataset_id, text, problem)
    document = drafts.long_form(spec) if spec else _raw(text)
    faults = faults_of(problem.problems) if problem else {}
    return render(
        request, "configure", title=f"Configure {dataset_id}", dataset_id=dataset_id,
        datasets=[each.dataset_id for each in task_uploads.find_datasets()],
        text=text, base=_digest(text), seen=seen, said=said, problem=problem,
        blocks=spec_form.fill(document, faults), pictures=draw_priors(spec) if spec else [],
        has_channels=bool(document.get("channels")),
        status=status_of(problem),
    )  # fmt: skip


def _try(
    dataset_id: str, text: str, problem: Problem | None
) -> tuple[RunSpec | None, Problem | None]:
    try:
        return drafts.parse(dataset_id, text), problem
    except MmmError as error:
        return None, problem or problem_of(error)


def _apply(dataset_id: str, text: str, fields: session.FormFields) -> str:
    """Return the YAML with what the form says of it."""
    spec, _ = _try(dataset_id, text, None)
    before = drafts.long_form(spec) if spec else task_drafts.parse_text(text)
    changed = spec_form.read(before, fields)
    # A form that says what the YAML says already leaves it as it was written, comments and all.
    if changed == before:
        return text
    return drafts.rewrite(dataset_id, text, before, changed)


def _step(dataset_id: str, text: str, do: str) -> str:
    """Return the YAML after a button: a row more, a row less, channels written out."""
    verb, _, place = do.partition(":")
    if verb not in {"add", "remove", "expand"}:
        return text
    spec, _ = _try(dataset_id, text, None)
    before = drafts.long_form(spec) if spec else task_drafts.parse_text(text)
    if verb == "expand":
        names = [c.name for c in task_uploads.describe_columns(dataset_id).columns]
        document = mapping.apply_roles(before, mapping.read_roles(before, names))
    elif verb == "add":
        document = spec_form.add_row(before, place)
    else:
        document = spec_form.remove_row(before, place)
    return drafts.rewrite(dataset_id, text, before, document)


def _raw(text: str) -> Mapping[str, Any]:
    try:
        return task_drafts.parse_text(text)
    except MmmError:
        return {}


def _prior_table(found: PriorPredictive) -> Table:
    return Table(
        "what the priors say of channels",
        [
            Column("Channel"), Column("Share of the KPI", Kind.SHARE),
            Column("Nine of ten: from", Kind.SHARE), Column("to", Kind.SHARE),
            Column("ROAS", Kind.RATIO), Column("Nine of ten", Kind.INTERVAL),
        ],
        [
            (
                name, row.share_median, row.share_low_90, row.share_high_90,
                row.roas_median, (row.roas_low_90, row.roas_high_90),
            )
            for name, row in found.channels.items()
        ],
    )  # fmt: skip


def _digest(text: str) -> str:
    return hashlib.sha256(text.strip().encode()).hexdigest()
