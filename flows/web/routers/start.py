"""The first page: datasets, runs, whether everything is there; with nothing there, the demo."""

from http import HTTPStatus

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from flows.api.routers.service import check_services
from flows.web import session
from flows.web.rendering import render
from flows.web.run_tables import list_at_work, list_runs, page_of_run
from flows.web.tables import Column, Kind, Link, Table
from flows.web.timeline import draw_timeline
from schemas.answers.datasets import Dataset
from tasks.ingest import task_drafts, task_uploads
from tasks.query.runs import list_all_runs

router = APIRouter()
_SHOWN = 40


@router.get("/")
def show(request: Request) -> Response:
    """Show what there is."""
    datasets = task_uploads.find_datasets()
    runs = list_all_runs().runs
    shown = runs[:_SHOWN]
    pages = {run.run_id: page_of_run(run) for run in shown}
    return render(
        request, "start", title="Datasets",
        datasets=_dataset_table(datasets), running=list_at_work(),
        runs=list_runs(shown), n_runs=len(runs),
        timeline=draw_timeline(shown, pages) if shown else None,
        dataset_id=None,
    )  # fmt: skip


@router.get("/fragments/health")
def health(request: Request) -> Response:
    """Show what is not there, with its remedy."""
    checks = check_services()
    rows = [(c.name, "PASS" if c.is_ready else "FAIL", "", c.detail) for c in checks]
    is_ready = all(check.is_ready for check in checks)
    return render(request, "health", title="Health", checks=rows, is_ready=is_ready)


@router.post("/demo")
def load_demo(fields: session.Fields) -> Response:  # noqa: ARG001 - proof of form
    """Receive the file of the demo and its run spec as if somebody had uploaded them."""
    loaded = task_uploads.load_demo()
    task_drafts.save_demo_draft()
    return RedirectResponse(f"/data/{loaded.dataset_id}", HTTPStatus.SEE_OTHER)


def _dataset_table(datasets: list[Dataset]) -> Table:
    return Table(
        "datasets",
        [
            Column("Dataset"), Column("Newest file"), Column("Size", Kind.SIZE),
            Column("Received", Kind.MOMENT), Column("Runs", Kind.NUMBER), Column("Newest run"),
        ],
        [
            (
                Link(each.dataset_id, f"/data/{each.dataset_id}"),
                each.files[0].file_name if each.files else None,
                each.files[0].n_bytes if each.files else None,
                each.files[0].received_at if each.files else None,
                each.n_runs,
                Link(each.newest_run_id, f"/run/{each.newest_run_id}")
                if each.newest_run_id
                else None,
            )
            for each in datasets
        ],
        is_of_things=True,
    )  # fmt: skip
