"""Champions: who it is, how that came about; accepting a run, going back to a version."""

from http import HTTPStatus

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from flows.api.problems import ProblemError, problem_of
from flows.api.routers.champions import etag_of
from flows.web import session
from flows.web.rendering import address, render, status_of
from flows.web.routers.results import has_results
from flows.web.session import field
from flows.web.tables import Column, Kind, Link, Table
from schemas.answers.champions import ChampionState
from schemas.answers.service import Problem
from schemas.documents.promotions import list_predecessors
from schemas.errors import MmmError, SpecError
from schemas.outcomes import Verdict
from tasks.query.champions import read_champion
from tasks.query.runs import dataset_of_run, list_all_runs

router = APIRouter()


@router.get("/champions")
def show(request: Request, dataset_id: str | None = None) -> Response:
    """Show the champion of a dataset, what waits for a decision, and every decision so far."""
    return _show(request, dataset_id or None)


@router.post("/champions/accept")
def accept(request: Request, fields: session.Fields) -> Response:
    """Accept what stands against a run under REVIEW."""
    from tasks.publish.task_rollback import accept_run

    dataset_id, run_id = field(fields, "dataset_id"), field(fields, "run_id")
    try:
        reason = _reason_of(fields)
        _require_seen(dataset_id, fields)
        if dataset_of_run(run_id) != dataset_id:
            raise SpecError(f"Run {run_id} is of another dataset than {dataset_id}.")
        accept_run(run_id, reason=reason)
    except MmmError as error:
        return _show(request, dataset_id or None, problem_of(error))
    return RedirectResponse(address("/champions", dataset_id=dataset_id), HTTPStatus.SEE_OTHER)


@router.post("/champions/rollback")
def roll_back(request: Request, fields: session.Fields) -> Response:
    """Give the champion alias to another version."""
    from tasks.publish.task_rollback import roll_back as decide

    dataset_id, to = field(fields, "dataset_id"), field(fields, "to")
    try:
        reason = _reason_of(fields)
        _require_seen(dataset_id, fields)
        if not to.isdecimal() or len(to) > 9:
            raise SpecError("Version: choose one from the list.")
        decide(dataset_id, to=int(to), reason=reason)
    except MmmError as error:
        return _show(request, dataset_id or None, problem_of(error))
    return RedirectResponse(address("/champions", dataset_id=dataset_id), HTTPStatus.SEE_OTHER)


def _reason_of(fields: session.FormFields) -> str:
    reason = field(fields, "reason")
    if not reason:
        raise SpecError("Reason: say what was looked at; it is kept in the history.")
    return reason[:2000]


def _require_seen(dataset_id: str, fields: session.FormFields) -> None:
    """Refuse a decision on another champion than the one that the form was shown with."""
    if etag_of(read_champion(dataset_id)) != field(fields, "seen"):
        raise ProblemError(
            HTTPStatus.PRECONDITION_FAILED,
            "Somebody else has decided meanwhile: look at who is champion now, and decide again.",
        )


def _show(request: Request, dataset_id: str | None, problem: Problem | None = None) -> Response:
    runs = list_all_runs().runs
    datasets = list(dict.fromkeys(run.dataset_id for run in runs))
    chosen = dataset_id or (datasets[0] if datasets else None)
    state = read_champion(chosen) if chosen else None
    mine = [run for run in runs if run.dataset_id == chosen and has_results(run)]
    champion = state.champion if state else None
    line = list_predecessors(state.history, champion.version) if state and champion else []
    versions = {run.model_version: run for run in mine if run.model_version and run.is_accepted}
    version = champion.version if champion else None
    return render(
        request, "champions", title="Champions", dataset_id=chosen, datasets=datasets,
        state=state, champion=champion, problem=problem,
        status=status_of(problem),
        seen=etag_of(state) if state else "", history=_history(state) if state else None,
        waiting=[
            run for run in mine
            if run.verdict is Verdict.REVIEW and run.model_version and run.model_version != version
        ],
        before=line[-1] if line else None,
        versions={number: run for number, run in versions.items() if number != version},
    )  # fmt: skip


def _history(state: ChampionState) -> Table:
    columns = [
        Column("Decided", Kind.MOMENT), Column("Decision"), Column("Champion before"),
        Column("Champion after"), Column("Run"), Column("By"), Column("Reason", Kind.LONG),
    ]  # fmt: skip

    def name(version: int | None) -> str | None:
        return f"{state.dataset_id}@{version}" if version is not None else None

    rows = [
        (
            row.decided_at, row.action.value, name(row.from_version), name(row.version),
            Link(row.run_id, f"/results/{row.run_id}"), row.made_by.value, row.reason,
        )
        for row in reversed(state.history)
    ]  # fmt: skip
    return Table("decisions", columns, rows)
