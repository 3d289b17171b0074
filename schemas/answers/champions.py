"""Who is champion, how that came about, and runs side by side."""

from schemas.answers.runs import RunDetail
from schemas.documents.base import Part, Return
from schemas.documents.forecast_scores import Alarm
from schemas.documents.promotions import Champion, Promotion


class ChampionState(Part):
    """The champion of a dataset, and the decisions that led to it."""

    dataset_id: str
    """The dataset."""
    champion: Champion | None
    """None where there is none."""
    history: list[Promotion]
    """Oldest first."""


class RollbackRequest(Part):
    """Give the champion alias to another version."""

    to: int | None = None
    """Version; null: the champion before this one."""
    reason: str | None = None
    """Why; kept in the history."""


class AcceptRequest(Part):
    """Accept what stands against a run under REVIEW."""

    run_id: str
    """The run; its version becomes champion."""
    reason: str
    """What was looked at; kept in the history."""


class ComparedChannel(Part):
    """ROAS of one channel in one run."""

    roas_mean: Return | None
    """Null without spend, or where the run has no such channel."""
    roas_low: Return | None
    """Lower end of the 94 % interval."""
    roas_high: Return | None
    """Upper end of the 94 % interval."""


class RunComparison(Part):
    """Runs side by side."""

    runs: list[RunDetail]
    """In the order in which they were named."""
    roas: dict[str, dict[str, ComparedChannel]]
    """By channel and run id."""


class ForecastLedger(Part):
    """What the forecast ledger of a dataset holds."""

    dataset_id: str
    """The dataset."""
    alarms: list[Alarm]
    """Alarms that are not cleared, the newest first."""
    n_forecasts: int
    """Frozen forecasts of single periods."""
    n_scores: int
    """Forecasts that have been scored, on any basis."""
