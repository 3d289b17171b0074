"""Results of a run: what its report says, live, with the ways to everything that it left."""

from functools import lru_cache
from http import HTTPStatus

from fastapi import APIRouter, Request
from markupsafe import Markup
from starlette.responses import RedirectResponse, Response

from flows.web.rendering import address, render, render_part
from schemas.answers.runs import ListedRun
from schemas.documents.results import RunStatus
from tasks.query import links
from tasks.query.outputs import list_outputs
from tasks.query.runs import dataset_of_run, list_all_runs
from tasks.report.task_page import charts_of, fingerprint, read_report

router = APIRouter()
_KEPT = 8
"""Reports that are kept as they were written, until a file of their run changes."""


@router.get("/results")
def choose(request: Request, dataset_id: str | None = None, run_id: str | None = None) -> Response:
    """Go to a run, or to the newest one that has results; with none, say what comes first."""
    if run_id is None:
        runs = list_all_runs(dataset_id or None).runs
        run_id = next((run.run_id for run in runs if has_results(run)), None)
    if run_id is not None:
        dataset_of_run(run_id)
        return RedirectResponse(f"/results/{run_id}", HTTPStatus.SEE_OTHER)
    return render(request, "results_none", title="Results", dataset_id=dataset_id, run=None)


@router.get("/results/{run_id}")
def show(request: Request, run_id: str) -> Response:
    """Show what a run says."""
    everything = list_all_runs().runs
    record = next((run for run in everything if run.run_id == run_id), None)
    dataset_id = record.dataset_id if record else dataset_of_run(run_id)
    runs = [run for run in everything if run.dataset_id == dataset_id]
    if record and _left_nothing(record):
        return render(
            request, "results_none", title=f"Results of {dataset_id}", dataset_id=dataset_id,
            run=record, status=HTTPStatus.CONFLICT,
        )  # fmt: skip
    subtitle, body = _write(run_id, fingerprint(run_id) + repr(runs))
    return render(
        request, "results", title=f"Results of {dataset_id}", dataset_id=dataset_id,
        subtitle=subtitle, body=body, run_id=run_id, links=links.links_of(run_id),
        runs=[run for run in runs if has_results(run) or run.run_id == run_id],
        leads=_leads(dataset_id, run_id, is_ready=bool(record and has_results(record))),
    )  # fmt: skip


def _left_nothing(run: ListedRun) -> bool:
    """Say whether a run is not so far, or stopped before there was anything to report."""
    is_over = run.status is RunStatus.OUTPUTS_READY or run.files_removed_on is not None
    return not is_over and "spec" not in list_outputs(run.run_id)


def has_results(run: ListedRun) -> bool:
    """Say whether a run ended with a fit, accepted or not, whose files are there."""
    return run.status is RunStatus.OUTPUTS_READY and run.files_removed_on is None


@lru_cache(maxsize=_KEPT)
def _write(run_id: str, known_as: str) -> tuple[str, Markup]:  # noqa: ARG001 - part of the key
    page = read_report(run_id)
    body = render_part("report", page=page, run_id=run_id, charts_of=charts_of)
    return page.head.subtitle, body


def _leads(dataset_id: str, run_id: str, *, is_ready: bool) -> list[tuple[str, str]]:
    """Name pages and files of a run, those alone that are there."""
    outputs_at = f"/api/v1/outputs/{run_id}"
    found = [
        ("Report", f"{outputs_at}/report", is_ready),
        ("Budget", address("/budget", dataset_id=dataset_id), True),
        ("Export", address("/export", run_id=run_id), is_ready),
        ("How it ran", f"/run/{run_id}", True),
        ("Contributions (CSV)", f"{outputs_at}/contributions?as=csv", is_ready),
        ("Run spec (JSON)", f"{outputs_at}/spec", is_ready),
    ]
    return [(name, href) for name, href, is_there in found if is_there]
