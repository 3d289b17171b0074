"""Forecasts: what is coming, how good earlier ones were, alarms."""

from functools import lru_cache
from http import HTTPStatus

from fastapi import APIRouter, Request
from markupsafe import Markup
from starlette.responses import RedirectResponse, Response

from flows.api.dependencies import Jobs
from flows.api.services import read_job
from flows.web import session
from flows.web.rendering import address, render, render_part
from flows.web.session import field
from flows.web.tables import Column, Kind, Link, Table
from schemas.answers.forecasts import ShownLedger
from schemas.documents.forecast_scores import ANY_AHEAD, AlarmKind, Basis, ScoreSummary
from schemas.names import ForecastScope
from tasks.forecast.task_shown import read_shown_ledger
from tasks.ingest import task_uploads
from tasks.query.runs import list_all_runs
from tasks.report.task_page import charts_of, fingerprint, read_report

router = APIRouter()
_BASIS_WORDS = {
    Basis.PUBLISHED: "as published",
    Basis.DEPLOYED: "with the media that really ran",
}
_ALARM_WORDS = {
    AlarmKind.KPI_ABOVE_FORECAST: "KPI above its forecasts",
    AlarmKind.KPI_BELOW_FORECAST: "KPI below its forecasts",
}
_CHAPTER = "horizon"
"""Chapter of the report that shows what comes next."""
_KEPT = 8
"""Chapters that are kept as they were written, until a file of their run changes."""


@router.get("/forecast")
def show(request: Request, dataset_id: str | None = None, job_id: str | None = None) -> Response:
    """Show the ledger of a dataset."""
    names = [each.dataset_id for each in task_uploads.find_datasets()]
    if not names:
        said = "A forecast is made by every accepted refit of a dataset."
        return render(request, "no_dataset", title="Forecast", what=said)
    chosen = dataset_id or names[0]
    if chosen in names:  # which may have no run yet
        runs = [run for run in list_all_runs().runs if run.dataset_id == chosen]
    else:
        runs = list_all_runs(chosen).runs
    newest = next((r.run_id for r in runs if r.is_accepted and not r.files_removed_on), None)
    ledger = read_shown_ledger(chosen) if runs else None
    return render(
        request, "forecast", title=f"Forecasts of {chosen}", dataset_id=chosen, datasets=names,
        newest=newest, ledger=ledger, job=read_job(job_id) if job_id else None,
        scores=_scores(ledger.summaries) if ledger else None,
        frozen=_frozen(ledger) if ledger else None,
        alarms=[(_ALARM_WORDS[alarm.kind], alarm) for alarm in ledger.alarms] if ledger else [],
    )  # fmt: skip


@router.get("/forecast/ahead")
def ahead(request: Request, run_id: str) -> Response:
    """Show what a run says of the coming periods: the chapter of its report."""
    body = _write_chapter(run_id, fingerprint(run_id))
    return render(request, "forecast_ahead", title="What comes next", body=body, run_id=run_id)


@lru_cache(maxsize=_KEPT)
def _write_chapter(run_id: str, known_as: str) -> Markup | None:  # noqa: ARG001 - part of the key
    """Return the chapter of a run on the coming periods; None where it has no forecast."""
    sections = read_report(run_id).sections
    section = next((each for each in sections if each.key == _CHAPTER), None)
    if section is None:
        return None
    return render_part("forecast_chapter", section=section, run_id=run_id, charts_of=charts_of)


@router.post("/forecast/score")
def score(jobs: Jobs, fields: session.Fields) -> Response:
    """Start to score what has happened since."""
    dataset_id = field(fields, "dataset_id")
    job = jobs.start_scoring(dataset_id)
    target = address("/forecast", dataset_id=dataset_id, job_id=job.job_id)
    return RedirectResponse(target, HTTPStatus.SEE_OTHER)


def _scores(summaries: list[ScoreSummary]) -> Table:
    """Return mean scores of all entities together."""
    shown = [each for each in summaries if each.scope is ForecastScope.ALL]
    return Table(
        "scores of forecasts that have happened",
        [
            Column("Forecast"), Column("Periods ahead"), Column("Scored", Kind.NUMBER),
            Column("Inside 50 % band", Kind.SHARE), Column("Inside 90 % band", Kind.SHARE),
            Column("MAPE", Kind.SHARE), Column("CRPS, in KPI units", Kind.COMPACT),
            Column("Skill against a year before", Kind.SHARE),
        ],
        [
            (
                _BASIS_WORDS[s.basis],
                "any" if s.periods_ahead == ANY_AHEAD else s.periods_ahead,
                s.n, s.coverage_50, s.coverage_90, s.mape, s.crps, s.skill,
            )
            for s in shown
        ],
        note="A band of 50 % should hold about half of the periods, one of 90 % nine of ten. Skill "
        "is how much smaller the error is than that of the KPI of a year before.",
    )  # fmt: skip


def _frozen(ledger: ShownLedger) -> Table:
    return Table(
        "frozen forecasts",
        [
            Column("Run"), Column("From", Kind.DATE), Column("To", Kind.DATE),
            Column("Periods", Kind.NUMBER), Column("Scored", Kind.NUMBER),
            Column("Inside 90 % band", Kind.SHARE),
        ],
        [
            (
                Link(f.run_id, f"/run/{f.run_id}"), f.first_period, f.last_period, f.n_periods,
                f.n_scored, f.coverage_90,
            )
            for f in ledger.forecasts
        ],
        is_of_things=True,
    )  # fmt: skip
