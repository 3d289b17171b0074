"""Forecasts and comparisons: what is known of finished runs beyond their own files."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from flows.api.conventions import ERRORS, answer_later
from flows.api.dependencies import IdempotencyKey, Jobs
from schemas.answers.champions import ForecastLedger
from schemas.answers.comparison import RunsCompared
from schemas.answers.jobs import Job
from schemas.answers.stability import StabilityReport
from schemas.documents.changes import ExplainRequest
from tasks.query.champions import read_forecast_ledger
from tasks.query.comparison import compare_any_runs

router = APIRouter(responses=ERRORS)
DatasetId = Annotated[str, Path(description="Id of the dataset.", max_length=64)]


@router.get("/forecasts/{dataset_id}", operation_id="get_forecast_ledger", tags=["forecasts"])
def ledger(dataset_id: DatasetId) -> ForecastLedger:
    """Return open alarms, and how much of what was forecast has been scored."""
    return read_forecast_ledger(dataset_id)


@router.get("/comparisons", operation_id="compare_runs", tags=["comparisons"])
def comparison(
    run: Annotated[list[str], Query(min_length=2, max_length=10, description="Run ids.")],
) -> RunsCompared:
    """Return runs of one dataset side by side, whatever their kinds, as `mmm compare` does."""
    return compare_any_runs(run)


@router.get(
    "/comparisons/stability/{dataset_id}", operation_id="get_stability", tags=["comparisons"]
)
def stability(dataset_id: DatasetId) -> StabilityReport:
    """Return how far each accepted refit moved from the champion of its time."""
    from tasks.explain.task_stability import read_trend

    return read_trend(dataset_id)


@router.post(
    "/comparisons/explanations",
    operation_id="create_explanation",
    status_code=202,
    tags=["comparisons"],
)
def explain(
    asked: ExplainRequest, jobs: Jobs, response: Response, idempotency_key: IdempotencyKey = None
) -> Job:
    """Find out why returns changed between two runs; `Location` is where to ask how far it is."""
    return answer_later(response, jobs.start_explanation(asked, idempotency_key))


@router.post(
    "/forecasts/{dataset_id}/score",
    operation_id="score_forecasts",
    status_code=202,
    tags=["forecasts"],
)
def score(
    dataset_id: DatasetId, jobs: Jobs, response: Response, idempotency_key: IdempotencyKey = None
) -> Job:
    """Score forecasts whose periods have happened; `Location` is where to ask how far it is."""
    return answer_later(response, jobs.start_scoring(dataset_id, idempotency_key))
