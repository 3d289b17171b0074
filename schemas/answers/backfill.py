"""A replay of past weeks (or months): what is asked, and what became of each of them."""

from collections import Counter
from datetime import date
from enum import StrEnum
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from schemas.outcomes import Verdict
from schemas.spec.base import SpecModel


class BackfillRequest(SpecModel):
    """Replay a dataset, period by period, as of days in the past."""

    spec_file: str = Field(
        title="Run spec",
        description="JSON or YAML file; a relative path is looked up in MMM_HOME, then in the "
        "checkout.",
        min_length=1,
        max_length=1000,
    )
    first_date: date = Field(
        title="From", description="First as-of date; its weekday, or day of the month, is kept."
    )
    last_date: date = Field(title="To", description="Last as-of date at most.")
    data: str | None = Field(
        None,
        title="Input file",
        description="CSV, Parquet or Excel file that is taken in on the first date; default: what "
        "the warehouse knew on each date.",
    )
    again: bool = Field(
        False, title="Again", description="Also replay what is done already, as further runs."
    )

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.last_date < self.first_date:
            raise ValueError(f"the last date {self.last_date} is before the first")
        return self


class ReplayOutcome(StrEnum):
    """What became of one as-of date."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    INVALID = "bad data"
    UNAVAILABLE = "unavailable"
    FAILED = "failed"
    DONE = "already done"
    UNCHANGED = "no new data"
    """The snapshot is that of the date before, so a refit would say the same."""


_BY_EXIT_CODE = {
    2: ReplayOutcome.INVALID,
    3: ReplayOutcome.REJECTED,
    4: ReplayOutcome.UNAVAILABLE,
}
_WORST_FIRST = (
    (ReplayOutcome.FAILED, 1),
    (ReplayOutcome.UNAVAILABLE, 4),
    (ReplayOutcome.INVALID, 2),
    (ReplayOutcome.REJECTED, 3),
)


def outcome_of(exit_code: int) -> ReplayOutcome:
    """Return the outcome of a refit that raised an error with this exit code."""
    return _BY_EXIT_CODE.get(exit_code, ReplayOutcome.FAILED)


class ReplayedPeriod(BaseModel):
    """One as-of date of a backfill."""

    model_config = ConfigDict(frozen=True)

    as_of: date
    outcome: ReplayOutcome
    run_id: str | None = None
    snapshot_id: str | None = None
    verdict: Verdict | None = None
    became_champion: bool = False
    r_hat_max: float | None = None
    seconds: float = 0.0
    reason: str = ""
    """Why it was not accepted, or what became of the champion alias."""


class BackfillReport(BaseModel):
    """``mmm backfill --json``: what became of each date; ``exit_code`` stands beside it."""

    model_config = ConfigDict(frozen=True)

    dataset_id: str
    periods: list[ReplayedPeriod]
    champion: str | None = None
    """Champion after the last refit; None where none ran, or there is none."""

    @property
    def exit_code(self) -> int:
        """Exit code of the worst outcome: failed, unavailable, bad data, rejected; 0 without."""
        found = {period.outcome for period in self.periods}
        return next((code for outcome, code in _WORST_FIRST if outcome in found), 0)

    @property
    def summary(self) -> str:
        """Outcomes with their counts."""
        counts = Counter(period.outcome for period in self.periods)
        return ", ".join(
            f"{counts[outcome]} {outcome}" for outcome in ReplayOutcome if counts[outcome]
        )
