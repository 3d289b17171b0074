"""What a run reports when it ends, and the state machine it goes through."""

from datetime import date, datetime
from enum import StrEnum
from typing import Self

from pydantic import BaseModel, ConfigDict, Field

from schemas.documents.base import Count, Document, Part
from schemas.documents.plan import Advice
from schemas.outcomes import Finding, Verdict, is_accepted
from schemas.refs import PublicationRef


class RunStatus(StrEnum):
    """States of a run, in order; ERROR can follow any of them."""

    CREATED = "CREATED"
    VALIDATED = "VALIDATED"
    FEATURES_BUILT = "FEATURES_BUILT"
    TRAINING = "TRAINING"
    TRAINED = "TRAINED"
    OUTPUTS_READY = "OUTPUTS_READY"
    ERROR = "ERROR"


class RunRecord(Part):
    """One run and how far it got: a row of ``ops.runs``."""

    run_id: str
    """Id of the run; the name of its folder."""
    dataset_id: str
    """Dataset that it was fitted on."""
    status: RunStatus
    """How far it got."""
    reason: str | None = None
    """Why the run ended in ERROR."""
    verdict: Verdict | None = None
    """Verdict of its gates; null where it was never judged."""
    snapshot_id: str | None = None
    """Data that it was fitted on."""
    mlflow_run_id: str | None = None
    """Its run in MLflow; null before it was published."""
    model_version: Count | None = None
    """Registered version of its model; null: not registered."""
    created_at: datetime
    """When it began."""
    updated_at: datetime
    """When its state changed last."""

    @property
    def is_accepted(self) -> bool:
        """Whether the run ended with a fit that its gates accepted."""
        return self.status is RunStatus.OUTPUTS_READY and is_accepted(self.verdict)


ENDED = (RunStatus.OUTPUTS_READY, RunStatus.ERROR)
"""States of a run that nobody is at any more."""


class StatusFile(RunRecord, Document):
    """``run_status.json``: one run and how far it got; ``ops.runs`` has its begin and its end."""

    reached: RunStatus | None = None
    """State that it had reached before it ended in ERROR; null where it did not end so."""
    flow_run_id: str | None = None
    """Its flow run in Prefect; null where none made it, or an earlier version did."""


def explain_refusal(record: RunRecord) -> str | None:
    """Say why nothing may be made of a run: the end of a sentence; None where it was accepted."""
    if record.status is not RunStatus.OUTPUTS_READY:
        return f"has no outputs: it is {record.status}" + (
            f": {record.reason}" if record.reason else ""
        )
    if not is_accepted(record.verdict):
        return f"was rejected by a gate ({record.verdict})"
    return None


class RefitReport(BaseModel):
    """``mmm refit --json``: what became of a refit."""

    model_config = ConfigDict(frozen=True)

    run_id: str
    dataset_id: str
    snapshot_id: str | None
    status: RunStatus
    verdict: Verdict
    reasons: list[str]
    notes: list[str] = Field([], exclude_if=lambda notes: not notes)
    """What the diagnosis says of the fit and blocks nothing, notes on the data among it."""
    champion: str | None
    champion_last_period: date | None = None
    """Newest period that the champion was fitted on."""
    champion_age_days: int | None = None
    """Days between the champion's knowledge date and that of this run."""
    promotion: str = ""
    """What became of the champion alias, and why."""
    model_version: int | None
    artifacts_dir: str
    mlflow_run_id: str | None
    advice: Advice | None = None
    """Whether to follow the plan of this refit; None where there is none."""
    plan_note: str | None = None
    """Reason of the advice, or why there is no plan."""
    metrics: dict[str, float]
    findings: list[Finding]
    timings: dict[str, float]
    """Wall seconds per stage."""

    def with_publication(self, publication: PublicationRef) -> Self:
        """Return the report with what became of the run: where it is, and who is champion."""
        return self.model_copy(update=publication.model_dump())
