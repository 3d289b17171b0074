"""Everything of a run to take away: tables, documents, the report, all in one file."""

import tempfile
import zipfile
from collections.abc import Iterator
from http import HTTPStatus
from typing import IO

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response, StreamingResponse

from flows.api.conventions import MEDIA_TYPES
from flows.api.problems import ProblemError
from flows.web.rendering import address, render
from flows.web.routers.results import has_results
from schemas.errors import UnknownRunError
from tasks.query.outputs import OUTPUT_DOCUMENTS, PAGES, TABLES, list_outputs, open_output
from tasks.query.runs import dataset_of_run, list_all_runs

router = APIRouter()
_MEMORY_BYTES = 8_000_000
_PIECE_BYTES = 1 << 18
_WORDS = {
    "contributions": "What each channel, control and component contributed, per entity and period",
    "fitted": "The KPI beside what the model makes of it",
    "features": "What the model took in",
    "canonical": "The data that it was fitted on",
    "roas_by_entity": "Returns of each channel in each entity",
    "forecast": "The coming periods, with intervals",
    "forecast_actuals": "Earlier forecasts beside what happened",
    "posterior_summary": "Mean and interval of every parameter",
    "diagnostics": "Verdict, reasons and every gate",
    "contribution_summary": "Contributions summed over the window",
    "roi": "Spend, contribution, ROAS and mROAS per channel",
    "fit_metrics": "How well it fits",
    "model_metadata": "What was fitted, with which versions",
    "feature_metadata": "How inputs were transformed and scaled",
    "response_curves": "What more or less spend would bring, per channel",
    "channel_quantiles": "Shares and returns by quantile",
    "prior_predictive": "What was believed before the data",
    "validation": "What the data checks found",
    "columns": "What each column was taken for",
    "stability": "How far returns moved from the champion's",
    "change": "Why returns changed",
    "plan": "The budget plan",
    "spec": "The run spec",
}


@router.get("/export")
def choose(request: Request, dataset_id: str | None = None, run_id: str | None = None) -> Response:
    """Go to a run, or to the newest one that has something to take away."""
    if run_id is None:
        runs = list_all_runs(dataset_id or None).runs
        run_id = next((run.run_id for run in runs if has_results(run)), None)
    if run_id is not None:
        return RedirectResponse(f"/export/{run_id}", HTTPStatus.SEE_OTHER)
    said = "There is something to take away as soon as a refit has ended."
    return render(request, "no_dataset", title="Export", what=said)


@router.get("/export/{run_id}")
def show(request: Request, run_id: str) -> Response:
    """Show what a run left, each with the formats that it can be had in."""
    dataset_id = dataset_of_run(run_id)
    names = list_outputs(run_id)
    runs = [r.run_id for r in list_all_runs(dataset_id).runs if has_results(r)]
    place = f"/api/v1/outputs/{run_id}"
    return render(
        request, "export", title=f"Export of {dataset_id}", dataset_id=dataset_id, run_id=run_id,
        runs=runs if run_id in runs else [run_id, *runs],
        tables=[
            (
                name,
                _WORDS.get(name, ""),
                [(k.upper(), address(f"{place}/{name}", **{"as": k})) for k in MEDIA_TYPES],
            )
            for name in TABLES
            if name in names
        ],
        documents=[
            (name, _WORDS.get(name, ""), f"{place}/{name}")
            for name in OUTPUT_DOCUMENTS
            if name in names
        ],
        report=f"{place}/report" if set(PAGES) & set(names) else None,
        formats=list(MEDIA_TYPES),
    )  # fmt: skip


@router.get("/export/{run_id}/all.zip")
def everything(run_id: str, kind: str = "csv") -> Response:
    """Return every output of a run in one file, tables in one format."""
    if kind not in MEDIA_TYPES:
        raise ProblemError(
            HTTPStatus.NOT_ACCEPTABLE, f"kind: {kind!r} is not one of {', '.join(MEDIA_TYPES)}."
        )
    names = list_outputs(run_id)
    if not names:
        raise UnknownRunError(f"Run {run_id} has nothing to take away.")
    # Named after the run, whose id is of letters, digits, `.`, `_` and `-`.
    headers = {"Content-Disposition": f'attachment; filename="{run_id}-{kind}.zip"'}
    file = _pack(run_id, names, kind)
    return StreamingResponse(_pieces(file), media_type="application/zip", headers=headers)


def _pack(run_id: str, names: list[str], kind: str) -> IO[bytes]:
    file = tempfile.SpooledTemporaryFile(max_size=_MEMORY_BYTES)  # noqa: SIM115 - sent, then closed
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
        for name in names:
            found = open_output(run_id, name)
            if name in TABLES:
                packed.writestr(f"{run_id}/{name}.{kind}", found.encode(kind))
            else:
                packed.writestr(f"{run_id}/{found.path.name}", found.read_bytes())
    file.seek(0)
    return file


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        while piece := file.read(_PIECE_BYTES):
            yield piece
