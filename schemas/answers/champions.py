"""Who is champion, how that came about, and the forecast ledger."""

from schemas.documents.base import Part
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
