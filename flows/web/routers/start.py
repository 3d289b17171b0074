"""The first page: datasets, runs, whether everything is there; with nothing there, the demo."""

from http import HTTPStatus

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from flows.api.routers.service import check_services
from flows.web import session
from flows.web.rendering import address, render
from flows.web.tables import Column, Kind, Link, Table
from flows.web.timeline import draw_timeline, format_duration
from schemas.answers.datasets import Dataset
from schemas.answers.jobs import JobKind
from schemas.answers.runs import ListedRun
from tasks.ingest import task_uploads
from tasks.lifecycle import task_jobs
from tasks.query.runs import list_all_runs

router = APIRouter()
_SHOWN = 40


@router.get("/")
def show(request: Request) -> Response:
    """Show what there is."""
    datasets = task_uploads.find_datasets()
    runs = list_all_runs().runs
    shown = runs[:_SHOWN]
    pages = {run.run_id: _run_page(request, run) for run in shown}
    return render(
        request, "start", title="Datasets",
        datasets=_dataset_table(request, datasets), running=_running(request),
        runs=_run_table(shown, pages), n_runs=len(runs),
        timeline=draw_timeline(shown, pages) if shown else None,
        dataset_id=None, upload_target=_target(request, "/data/{}"),
    )  # fmt: skip


@router.get("/fragments/health")
def health(request: Request) -> Response:
    """Show what is not there, with its remedy."""
    checks = check_services()
    rows = [(c.name, "PASS" if c.is_ready else "FAIL", "", c.detail) for c in checks]
    is_ready = all(check.is_ready for check in checks)
    return render(request, "health", title="Health", checks=rows, is_ready=is_ready)


@router.post("/demo")
def load_demo(request: Request, fields: session.Fields) -> Response:  # noqa: ARG001 - proof of form
    """Receive the file of the demo as if somebody had uploaded it."""
    loaded = task_uploads.load_demo()
    target = _target(request, "/data/{}").replace("{}", loaded.dataset_id)
    return RedirectResponse(target, HTTPStatus.SEE_OTHER)


def _target(request: Request, page: str) -> str:
    """Return a page where it exists, else the first one."""
    known: frozenset[str] = request.app.state.page_paths
    return page if page.replace("{}", "{dataset_id}") in known else "/"


def _run_page(request: Request, run: ListedRun) -> str:
    known: frozenset[str] = request.app.state.page_paths
    page = "/results" if run.is_accepted else "/run"
    has_page = f"{page}/{{run_id}}" in known
    return f"{page}/{run.run_id}" if has_page else f"/api/v1/runs/{run.run_id}"


def _dataset_table(request: Request, datasets: list[Dataset]) -> Table:
    page = _target(request, "/data/{}")
    return Table(
        "datasets",
        [
            Column("Dataset"), Column("Newest file"), Column("Size", Kind.SIZE),
            Column("Received", Kind.MOMENT), Column("Runs", Kind.NUMBER), Column("Newest run"),
        ],
        [
            (
                Link(each.dataset_id, page.replace("{}", each.dataset_id)),
                each.files[0].file_name if each.files else None,
                each.files[0].n_bytes if each.files else None,
                each.files[0].received_at if each.files else None,
                each.n_runs,
                each.newest_run_id,
            )
            for each in datasets
        ],
    )  # fmt: skip


def _run_table(runs: list[ListedRun], pages: dict[str, str]) -> Table:
    return Table(
        "runs",
        [
            Column("Run"), Column("Dataset"), Column("Began", Kind.MOMENT), Column("Took"),
            Column("State", Kind.MARK), Column("Verdict", Kind.MARK),
        ],
        [
            (
                Link(run.run_id, pages[run.run_id]),
                run.dataset_id,
                run.created_at,
                format_duration((run.updated_at - run.created_at).total_seconds()),
                run.status,
                run.verdict,
            )
            for run in runs
        ],
    )  # fmt: skip


def _running(request: Request) -> Table:
    known: frozenset[str] = request.app.state.page_paths
    has_page = "/run/{run_id}" in known
    jobs = [
        job for job in task_jobs.list_jobs() if job.kind is JobKind.REFIT and not job.state.is_over
    ]
    return Table(
        "refits at work",
        [Column("Run"), Column("Dataset"), Column("Asked for", Kind.MOMENT),
         Column("State", Kind.MARK)],
        [
            (
                Link(job.job_id, address(f"/run/{job.job_id}" if has_page else "/")),
                job.dataset_id,
                job.created_at,
                job.state,
            )
            for job in jobs
        ],
    )  # fmt: skip
