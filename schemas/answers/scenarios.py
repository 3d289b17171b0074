"""What is reported of a plan after it was made: the flow's report, and a row of a list."""

from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from schemas.documents.plan import Advice


class MadeBy(StrEnum):
    """Who made a plan."""

    PLAN = "plan"
    """The optimizer, asked by a person."""
    WHAT_IF = "what_if"
    """A person, by hand."""
    REFIT = "refit"
    """The weekly refit; the plan is named after the run."""


class PlanReport(BaseModel):
    """What the flow ``plan_budget`` returns."""

    model_config = ConfigDict(frozen=True)

    scenario_id: str
    name: str
    advice: Advice
    reason: str
    dataset_ids: list[str]
    run_ids: list[str]
    plan_file: str
    """Absolute path of ``plan.json``."""
    mlflow_run_id: str | None
    took_name_from: str | None
    """Scenario id of an earlier plan of this name, which is found by its id from now on."""
    metrics: dict[str, float]


class Scenario(BaseModel):
    """One saved plan, as a list shows it. Money and KPI units as in ``Plan``."""

    model_config = ConfigDict(frozen=True)

    scenario_id: str
    name: str
    has_name: bool
    """False where a newer plan took the name: this one is found by its id."""
    dataset_ids: list[str]
    run_ids: list[str]
    """In the order of ``dataset_ids``."""
    model_versions: list[int | None]
    """In the same order; None for a run that registered no version."""
    made_by: MadeBy
    created_at: datetime
    utility: str
    unit: str
    horizon: int
    first_period: str
    budget: float
    current_budget: float
    gain_mean: float
    gain_low: float
    gain_high: float
    prob_gain: float
    advice: Advice
    reason: str
    mlflow_run_id: str | None
