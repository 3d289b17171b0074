"""Runs side by side: weeks, model kinds, and why returns changed."""

from functools import lru_cache
from http import HTTPStatus

from fastapi import APIRouter, Request
from markupsafe import Markup
from starlette.responses import RedirectResponse, Response

from flows.api.dependencies import Jobs
from flows.api.services import read_job
from flows.cli.render.comparison import NOTE, build_blocks
from flows.web import session
from flows.web.rendering import render, render_part
from flows.web.routers.results import has_results
from flows.web.tables import Column, Kind, Table
from schemas.answers.comparison import RunInComparison, RunsCompared
from schemas.answers.jobs import JobKind, JobState
from schemas.answers.runs import ListedRun
from schemas.documents.changes import ExplainRequest, Explanation, Factor
from schemas.errors import IncomparableRunsError, UnknownRunError
from schemas.words import format_ratio
from tasks.lifecycle import task_jobs
from tasks.query.comparison import compare_any_runs
from tasks.query.runs import list_all_runs
from tasks.report.task_page import charts_of, draw_comparison, draw_graphs

router = APIRouter()
_MOST_RUNS = 6
_SHOWN = 60
_KEPT = 8
"""Comparisons that are kept as they were written."""
_FACTOR_WORDS = {
    Factor.NOISE: "Noise", Factor.NEW_PERIODS: "New periods", Factor.RESTATED: "Restated history",
    Factor.SPEC_OR_CODE: "Spec or code",
}  # fmt: skip


@router.get("/compare")
def show(request: Request, dataset_id: str | None = None, job: str | None = None) -> Response:
    """Show the runs to choose from, and those that are chosen side by side."""
    runs = list_all_runs().runs
    datasets = list(dict.fromkeys(run.dataset_id for run in runs))
    asked = list(dict.fromkeys(request.query_params.getlist("run")))[:_MOST_RUNS]
    known = {run.run_id: run for run in runs}
    named = known[asked[0]].dataset_id if asked and asked[0] in known else None
    chosen = named or dataset_id or (datasets[0] if datasets else None)
    listed = [run for run in runs if run.dataset_id == chosen and has_results(run)]
    found = compare_any_runs(asked) if len(asked) > 1 else None
    pair = _pair([known[run_id] for run_id in asked]) if found else None
    explained = _explained(pair, job) if pair else None
    return render(
        request, "compare", title="Runs side by side", dataset_id=chosen, datasets=datasets,
        runs=listed[:_SHOWN], n_runs=len(listed), asked=asked, found=found, note=NOTE,
        beside=_write(found.model_dump_json(), tuple(asked)) if found else None,
        pair=pair, explained=explained, changes=_changes(explained) if explained else None,
    )  # fmt: skip


@router.post("/compare/explain")
def explain(jobs: Jobs, fields: session.Fields) -> Response:
    """Start to find out why returns changed, and go to where it can be watched."""
    asked = ExplainRequest(
        run_a=session.field(fields, "run_a"), run_b=session.field(fields, "run_b")
    )
    job = jobs.start_explanation(asked)
    return RedirectResponse(f"/compare/jobs/{job.job_id}", HTTPStatus.SEE_OTHER)


@router.get("/compare/jobs/{job_id}")
def watch(request: Request, job_id: str) -> Response:
    """Show how far an explanation is; go to its answer once there is one."""
    job = read_job(job_id)
    if job.kind is not JobKind.EXPLAIN:
        raise UnknownRunError(f"Job {job_id!r} explains no change.")
    asked = task_jobs.read_request(job.job_id)
    back = f"/compare?run={asked['run_a']}&run={asked['run_b']}"
    if job.state is JobState.DONE:
        return RedirectResponse(f"{back}&job={job.job_id}", HTTPStatus.SEE_OTHER)
    return render(
        request, "job", title="Why returns changed", dataset_id=job.dataset_id, job=job, back=back,
        waiting="Fits with one thing changed at a time tell what moved the returns; this takes "
        "minutes.",
    )  # fmt: skip


@lru_cache(maxsize=_KEPT)
def _write(compared: str, asked: tuple[str, ...]) -> Markup:
    """Return figures and tables of a comparison, given as JSON, which is what they are kept by."""
    found = RunsCompared.model_validate_json(compared)
    return render_part(
        "compared", asked=asked, graphs=draw_graphs(asked),
        figures=[(each, charts_of(each)) for each in draw_comparison(found)],
        blocks=[_table(block.title, found.runs, block.rows) for block in build_blocks(found)],
    )  # fmt: skip


def _pair(runs: list[ListedRun]) -> ExplainRequest | None:
    """Return the question of two accepted runs, the earlier one first; None for others."""
    if len(runs) != 2 or not all(run.is_accepted for run in runs):
        return None
    then, now = sorted(runs, key=lambda run: run.created_at)
    return ExplainRequest(run_a=then.run_id, run_b=now.run_id)


def _explained(pair: ExplainRequest, job_id: str | None) -> Explanation | None:
    """Return the answer of a job, else the one that is on record."""
    from tasks.explain.task_known import find_answer

    job = task_jobs.find_job(job_id) if job_id is not None else None
    if job is not None and task_jobs.read_request(job.job_id) == pair.model_dump(mode="json"):
        outcome = task_jobs.find_outcome(job.job_id)
        if outcome is not None and outcome.result is not None:
            return Explanation.model_validate(outcome.result)
    try:
        return find_answer(pair)
    except IncomparableRunsError:
        return None


def _table(title: str, runs: list[RunInComparison], rows: list[list[str]]) -> Table:
    return Table(title, [Column(""), *(Column(run.title) for run in runs)], rows)


def _changes(explained: Explanation) -> Table:
    factors = [factor for factor in Factor if any(factor in c.parts for c in explained.channels)]
    columns = [
        Column("Channel"), Column("Then", Kind.RATIO), Column("Now", Kind.RATIO), Column("Change"),
        *(Column(_FACTOR_WORDS[factor]) for factor in factors), Column("Why", Kind.LONG),
    ]  # fmt: skip
    rows = [
        (
            row.channel, row.before, row.after, _signed(row.change),
            *(
                f"{_signed(row.parts[factor].value)} ±{format_ratio(row.parts[factor].mcse)}"
                if factor in row.parts else None
                for factor in factors
            ),
            row.sentence,
        )
        for row in explained.channels
    ]  # fmt: skip
    note = "Parts add up to the change; ± is one Monte Carlo standard error."
    return Table("why returns changed", columns, rows, note)


def _signed(value: float) -> str:
    return f"+{format_ratio(value)}" if value > 0 else format_ratio(value)
