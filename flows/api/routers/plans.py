"""Budget plans: saved ones, one of them, several side by side."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from flows.api.conventions import ERRORS, Cursor, Limit, answer_later, paginate
from flows.api.dependencies import IdempotencyKey, Jobs, Plans
from schemas.answers.jobs import Job
from schemas.answers.plans import PlanComparison, PlanEvaluation, ShownPlan
from schemas.answers.scenarios import Scenario
from schemas.answers.service import Page
from schemas.spec.plan_request import DeskRequest, PlanRequest
from tasks.query.plans import all_scenarios, compare_plans, name_run, open_scenario, show_plan

router = APIRouter(prefix="/plans", tags=["plans"], responses=ERRORS)
PlanName = Annotated[str, Path(description="Name or id of a plan.", max_length=200)]
OfDataset = Annotated[str | None, Query(max_length=64, description="Of one dataset.")]


@router.get("", operation_id="list_plans")
def list_of(
    dataset_id: OfDataset = None, cursor: Cursor = None, limit: Limit = 50
) -> Page[Scenario]:
    """List saved plans, newest first."""
    found = all_scenarios(dataset_id).scenarios
    return paginate(found, lambda plan: plan.scenario_id, cursor, limit)


@router.get("/compare", operation_id="compare_plans")
def comparison(
    plan: Annotated[list[str], Query(min_length=2, max_length=20, description="Names or ids.")],
) -> PlanComparison:
    """Return plans side by side: how the list shows them, and planned spend by channel."""
    return compare_plans([open_scenario(name) for name in plan])


@router.get("/{name}", operation_id="get_plan")
def detail(name: PlanName) -> ShownPlan:
    """Return a saved plan by its id or name."""
    return show_plan(name)


@router.post("", operation_id="create_plan", status_code=202)
def create(
    asked: PlanRequest, jobs: Jobs, response: Response, idempotency_key: IdempotencyKey = None
) -> Job:
    """Plan a budget, or evaluate a plan made by hand; `Location` is where to ask how far it is."""
    return answer_later(response, jobs.start_plan(asked, idempotency_key))


@router.post("/evaluations", operation_id="evaluate_plan")
def evaluate(asked: DeskRequest, plans: Plans) -> PlanEvaluation:
    """Judge a plan by hand at once; nothing is saved. The first one of a model takes seconds."""
    return plans.judge(name_run(asked))
