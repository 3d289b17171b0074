"""Budget: plans by hand, judged while one drags; plans by the optimizer; saved plans."""

from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from flows.api.dependencies import Jobs, Plans
from flows.api.problems import problem_of
from flows.api.services import read_job
from flows.web import session
from flows.web.budget_forms import (
    as_text,
    ask_by_hand,
    ask_optimizer,
    rows_of,
    scale_rows,
    spends_of,
)
from flows.web.budget_tables import (
    UTILITY_WORDS,
    by_channel,
    compared,
    evaluated,
    headline,
    saved,
)
from flows.web.rendering import address, render, status_of
from schemas.answers.jobs import JobState
from schemas.answers.service import Problem
from schemas.documents.plan import Plan
from schemas.errors import MmmError
from schemas.spec.plan_request import DeskRequest
from tasks.query.champions import read_champion
from tasks.query.plans import all_scenarios, encode_plan, open_scenario
from tasks.query.runs import all_runs
from tasks.report.task_page import charts_of, draw_by_hand

router = APIRouter()


@router.get("/budget")
def show(request: Request, plans: Plans) -> Response:
    """Show a plan by hand: business as usual, a saved one, or what the sliders say."""
    fields: session.FormFields = {}
    for name, value in request.query_params.multi_items():
        fields.setdefault(name, []).append(value)
    if "x-swap" in request.headers and session.field(fields, "run_id"):
        asked = ask_by_hand(fields)
        if plans.is_open(asked):
            return render(
                request, "budget_outcome", title="Budget", dataset_id=asked.dataset_id,
                asked=asked, **_judge(plans, fields, asked),
            )  # fmt: skip
    return _show(request, plans, fields)


@router.post("/budget/plan")
def optimize(request: Request, plans: Plans, jobs: Jobs, fields: session.Fields) -> Response:
    """Let the optimizer search a plan, and go to where it can be watched."""
    try:
        desk = plans.open(ask_by_hand(fields))
        job = jobs.start_plan(ask_optimizer(fields, desk))
    except MmmError as error:
        return _show(request, plans, fields, problem_of(error))
    return RedirectResponse(f"/budget/jobs/{job.job_id}", HTTPStatus.SEE_OTHER)


@router.post("/budget/save")
def save(request: Request, plans: Plans, fields: session.Fields) -> Response:
    """Save a plan by hand under a name."""
    try:
        asked = ask_by_hand(fields)
        desk = plans.open(asked)
        rows = rows_of(spends_of(fields, None), desk)
        asked = asked.model_copy(update={"rows": rows})
        name = session.field(fields, "name") or None
        scenario_id = plans.save(asked.as_saved(name, desk.settings))
    except MmmError as error:
        return _show(request, plans, fields, problem_of(error))
    target = address("/budget", dataset_id=asked.dataset_id, plan=scenario_id)
    return RedirectResponse(target, HTTPStatus.SEE_OTHER)


@router.get("/budget/jobs/{job_id}")
def watch(request: Request, job_id: str) -> Response:
    """Show how far a search is; go to its plan once there is one."""
    job = read_job(job_id)
    if job.state is JobState.DONE and job.result_id:
        target = address("/budget", dataset_id=job.dataset_id, plan=job.result_id)
        return RedirectResponse(target, HTTPStatus.SEE_OTHER)
    return render(
        request,
        "job",
        title="Searching the best plan",
        dataset_id=job.dataset_id,
        job=job,
        waiting="The optimizer searches; the plan opens here as soon as it is found.",
        back=address("/budget", dataset_id=job.dataset_id),
    )


@router.get("/budget/compare")
def compare(request: Request, dataset_id: str | None = None) -> Response:
    """Show saved plans side by side, business as usual beside them."""
    names = list(dict.fromkeys(request.query_params.getlist("plan")))[:10]
    found = [open_scenario(name) for name in names]
    back = address("/budget", dataset_id=dataset_id)
    return render(
        request, "budget_compare", title="Plans side by side", dataset_id=dataset_id,
        tables=compared(found) if found else [], back=back,
    )  # fmt: skip


@router.get("/budget/plans/{name}/csv")
def export(name: str) -> Response:
    """Return a saved plan as a table, a row per channel."""
    plan = open_scenario(name).plan
    headers = {"Content-Disposition": f'attachment; filename="{plan.scenario_id}.csv"'}
    return Response(encode_plan(plan), media_type="text/csv; charset=utf-8", headers=headers)


def _show(
    request: Request, plans: Plans, fields: session.FormFields, problem: Problem | None = None
) -> Response:
    datasets = list(dict.fromkeys(run.dataset_id for run in all_runs() if run.is_accepted))
    chosen = session.field(fields, "dataset_id") or (datasets[0] if datasets else None)
    champion = read_champion(chosen).champion if chosen else None
    if chosen is None or champion is None:
        return render(request, "budget_none", title="Budget", dataset_id=chosen, datasets=datasets)
    about: dict[str, Any] = {
        "title": f"Budget of {chosen}", "dataset_id": chosen, "datasets": datasets,
        "champion": champion, "problem": problem,
        "status": status_of(problem),
    }  # fmt: skip
    fields = {**fields, "dataset_id": [chosen], "run_id": [champion.run_id]}
    asked = ask_by_hand(fields)
    if not plans.is_open(asked) and "wait" not in fields:
        query = request.url.include_query_params(wait="1").query
        return render(request, "budget_later", **about, later=f"/budget?{query}")
    loaded = session.field(fields, "plan")
    opened = open_scenario(loaded, chosen) if loaded else None
    return render(
        request, "budget", **about, asked=asked, opened=opened,
        plans=saved(all_scenarios(chosen).scenarios, chosen),
        **_judge(plans, fields, asked, opened.plan if opened else None),
    )  # fmt: skip


def _judge(
    plans: Plans, fields: session.FormFields, asked: DeskRequest, opened: Plan | None = None
) -> dict[str, Any]:
    """Judge a plan by hand and return what its page shows."""
    desk = plans.open(asked)
    rows = rows_of(spends_of(fields, opened), desk)
    if session.field(fields, "scale") and session.field(fields, "total"):
        rows = scale_rows(rows, desk, session.field(fields, "total"))
    judged = plans.judge(asked.model_copy(update={"rows": rows}))
    figure = draw_by_hand(desk, judged)
    return {
        "desk": desk, "judged": judged, "is_moved": bool(rows),
        "headline": headline(desk, judged), "table": evaluated(desk, judged),
        "figure": figure, "charts": charts_of(figure) if figure else None,
        "figure_table": by_channel(judged), "utilities": UTILITY_WORDS, "as_text": as_text,
    }  # fmt: skip
