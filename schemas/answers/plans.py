"""What verbs answer of budget plans: one that was made, one that is shown, several compared."""

from schemas.answers.scenarios import Scenario
from schemas.documents.base import Money, Part
from schemas.documents.plan import Plan


class ShownPlan(Plan):
    """A saved plan, and its run in MLflow: what ``mmm scenarios NAME --json`` answers."""

    mlflow_run_id: str | None
    """Its run in MLflow; null where it has none."""


class MadePlan(Plan):
    """A plan that was just made, and where it is: what ``mmm plan --json`` answers."""

    plan_file: str
    """Absolute path of ``plan.json``."""
    mlflow_run_id: str | None
    """Its run in MLflow; null where it has none."""
    took_name_from: str | None
    """Scenario id of an earlier plan of this name, which is found by its id from now on."""


class ScenarioList(Part):
    """``mmm scenarios --json``: saved plans, newest first."""

    scenarios: list[Scenario]


class PlanComparison(Part):
    """Plans side by side: what ``mmm scenarios --compare --json`` answers."""

    scenarios: list[Scenario]
    """In the order in which they were named."""
    planned: dict[str, dict[str, Money | None]]
    """Planned spend by channel and scenario id; null where a plan has no such channel."""
