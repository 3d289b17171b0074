"""Refits: start one, watch it, end it."""

import secrets
from datetime import date
from http import HTTPStatus

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from flows.api.dependencies import Jobs
from flows.api.problems import problem_of, public_text
from flows.api.progress import read_progress
from flows.web import drafts, session
from flows.web.rendering import render, status_of
from flows.web.run_tables import list_at_work, list_runs
from flows.web.session import field
from schemas.answers.jobs import NewRun, RunProgress
from schemas.answers.service import Problem
from schemas.documents.results import RunStatus
from schemas.errors import MmmError, SpecError, UnknownRunError
from schemas.outcomes import Verdict
from schemas.words import VERDICT_TITLE
from tasks.ingest import task_drafts, task_uploads
from tasks.lifecycle import task_jobs
from tasks.query import links
from tasks.query.runs import describe_run, list_all_runs

router = APIRouter()
_LOG_BYTES = 30_000
_SHOWN = 30
_TRACE = (
    "Traceback (most recent call last)", "During handling of the above", "The above exception was",
)  # fmt: skip
_STAGE_WORDS = {
    RunStatus.CREATED: "Asked for",
    RunStatus.VALIDATED: "Data checked",
    RunStatus.FEATURES_BUILT: "Features built",
    RunStatus.TRAINING: "Sampling",
    RunStatus.TRAINED: "Judged",
    RunStatus.OUTPUTS_READY: "Results ready",
}

_OF_DATA = (RunStatus.VALIDATED, RunStatus.FEATURES_BUILT)
"""States that a run does not reach where something is wrong with its data."""
_GO_ON = "The same refit again goes on where this one stopped."
_REMEDY = {
    RunStatus.CREATED: "Nothing was read and nothing fitted yet. Mend what is said above.",
    RunStatus.VALIDATED: "Nothing was fitted. Mend the file as it is said, upload it, refit.",
    RunStatus.FEATURES_BUILT: "Nothing was fitted. Mend the file or the run spec, then refit.",
    RunStatus.TRAINING: f"{_GO_ON} If memory ran out, fewer draws or chains need less.",
    RunStatus.TRAINED: _GO_ON,
    RunStatus.OUTPUTS_READY: f"The fit is kept, and was not published. {_GO_ON}",
}
"""What to do by the state at which a run stopped; what is wrong is said before."""


@router.get("/run")
def overview(request: Request, dataset_id: str | None = None) -> Response:
    """Show the form that starts a refit, what is at work, and what has been run."""
    return _overview(request, dataset_id)


@router.post("/run")
def start(request: Request, jobs: Jobs, fields: session.Fields) -> Response:
    """Start a refit and go to where it can be watched; the same form twice starts one."""
    dataset_id = field(fields, "dataset_id")
    try:
        document = task_drafts.parse_text(drafts.open_draft(dataset_id).text)
        asked = NewRun(
            spec={**document, "dataset_id": dataset_id},
            as_of=_day(field(fields, "as_of")),
            accept_restatement=field(fields, "accept_restatement") == "true",
        )
        job = jobs.start_refit(asked, field(fields, "key") or None)
    except MmmError as error:
        return _overview(request, dataset_id, problem=problem_of(error))
    return RedirectResponse(f"/run/{job.job_id}", HTTPStatus.SEE_OTHER)


@router.get("/run/{run_id}")
def show(request: Request, run_id: str) -> Response:
    """Show how far a refit is."""
    progress = read_progress(run_id)
    job = task_jobs.find_job(run_id)
    record = task_jobs.find_record(progress.run_id)
    log = without_traces(task_jobs.read_log(run_id, _LOG_BYTES)) if job else ""
    return render(
        request, "run", title=f"Refit of {progress.dataset_id}", dataset_id=progress.dataset_id,
        progress=progress, asked_id=run_id, job=job, record=record, stages=_stages(progress),
        log=public_text(log), links=links.links_of(progress.run_id),
        verdict=VERDICT_TITLE[progress.verdict] if progress.verdict else None,
        reasons=_reasons(progress), remedy=_remedy(progress), is_of_data=progress.at in _OF_DATA,
    )  # fmt: skip


@router.post("/run/{run_id}/cancel")
def cancel(
    run_id: str,
    jobs: Jobs,
    fields: session.Fields,  # noqa: ARG001 - proof of form
) -> Response:
    """End a refit that is waiting or running."""
    jobs.cancel(run_id)
    return RedirectResponse(f"/run/{run_id}", HTTPStatus.SEE_OTHER)


def without_traces(log: str) -> str:
    """Return a log without stack traces; the line that says what was wrong stays.

    Where in the code it was is nothing for a page: the file of the log has it.

    Parameters
    ----------
    log
        What a process printed, or the end of it.
    """
    kept, is_inside = [], log.startswith(" ")  # the end may begin within one
    for line in log.splitlines():
        if line.startswith(_TRACE):
            is_inside = True
        elif not (is_inside and line[:1] in {"", " "}):
            is_inside = False
            kept.append(line)
    return "\n".join(kept)


def _overview(request: Request, dataset_id: str | None, problem: Problem | None = None) -> Response:
    datasets = task_uploads.find_datasets()
    names = [each.dataset_id for each in datasets]
    chosen = dataset_id or (names[0] if names else None)
    draft = drafts.open_draft(chosen) if chosen in names else None
    if dataset_id and dataset_id not in names and problem is None:
        raise UnknownRunError(f"No dataset {dataset_id!r}; upload a file of it first.")
    runs = [run for run in list_all_runs().runs if run.dataset_id == chosen]
    return render(
        request, "runs", title="Run", dataset_id=chosen, datasets=names, draft=draft,
        problem=problem, key=secrets.token_urlsafe(16), running=list_at_work(),
        newest=next((d.files[0] for d in datasets if d.dataset_id == chosen and d.files), None),
        runs=list_runs(runs[:_SHOWN]), n_runs=len(runs),
        status=status_of(problem),
    )  # fmt: skip


def _reasons(progress: RunProgress) -> list[str]:
    """Return what speaks against a run that ended with a fit."""
    is_clean = progress.verdict in (None, Verdict.PASS)
    return [] if is_clean else describe_run(progress.run_id).reasons


def _remedy(progress: RunProgress) -> str:
    """Return what to do about a run that stopped; nothing is lost by it."""
    said = _REMEDY[progress.at] if progress.at else "Mend what is said above, then refit."
    return f"{said} The champion is as it was."


def _stages(progress: RunProgress) -> list[tuple[str, str]]:
    """Return words and class of each stage: reached, now, stopped, or to come."""
    at = "stopped" if progress.is_over else "now"
    return [
        (
            _STAGE_WORDS[stage.status],
            at if stage.status is progress.at else "reached" if stage.is_reached else "ahead",
        )
        for stage in progress.stages
    ]


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        said = f"as_of: {text!r} is not a day; write 2026-11-02."
        raise SpecError(said, [said]) from error
