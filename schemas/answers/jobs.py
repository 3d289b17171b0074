"""Long work: what was asked, how far it is, what it came to."""

from datetime import date, datetime
from enum import StrEnum

from pydantic import Field

from schemas.answers.service import Problem
from schemas.documents.base import Count, Document, Part
from schemas.documents.results import RunStatus
from schemas.outcomes import Verdict
from schemas.spec.base import SpecModel
from schemas.spec.run_spec import RunSpec


class JobKind(StrEnum):
    """What a job does."""

    REFIT = "refit"
    PLAN = "plan"
    EXPLAIN = "explain"
    SCORE = "score"
    CHECK = "check"
    GUESS = "guess"
    PRIOR = "prior"


class JobState(StrEnum):
    """How far a job is."""

    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    DONE = "DONE"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen."""
        return self in {JobState.DONE, JobState.FAILED, JobState.CANCELLED}


class Job(Document):
    """Work that a process of its own does."""

    job_id: str
    """Its id; that of a refit is the run id."""
    kind: JobKind
    """What it does."""
    state: JobState
    """How far it is."""
    dataset_id: str | None
    """Dataset that it is about; null: several."""
    created_at: datetime
    """When it was asked for."""
    started_at: datetime | None = None
    """When its process began."""
    ended_at: datetime | None = None
    """When it was over."""
    result_id: str | None = None
    """Run id of a refit, scenario id of a plan; null before it is over."""
    problem: Problem | None = None
    """Why it failed."""


class AskedJob(Job):
    """A job, and by what a second request is known to be the same."""

    key: str | None = None
    """SHA-256 of the caller's ``Idempotency-Key``; null without one."""
    request_sha256: str
    """Of what was asked."""


class JobOutcome(Document):
    """What the process of a job leaves behind."""

    exit_code: Count
    """As that of the command line."""
    result_id: str | None = None
    """What it made."""
    result: dict[str, object] | None = None
    """The answer of the verb of its kind."""
    problem: Problem | None = None
    """Why it failed."""


class CheckRequest(SpecModel):
    """Check a file against all data rules."""

    spec: RunSpec | None = None
    data: str


class GuessRequest(SpecModel):
    """Guess a run spec for a file."""

    dataset_id: str
    data: str


class NewRun(SpecModel):
    """Start a refit of a dataset, on its newest upload or on what the warehouse knows."""

    spec: dict[str, object] = Field(description="The run spec; `data` stays out of it.")
    as_of: date | None = Field(None, description="Knowledge date; default: today.")
    accept_restatement: bool = Field(
        False, description="Accept a file that changes more of history than the gates allow."
    )


class Stage(Part):
    """One state that a run goes through."""

    status: RunStatus
    """The state."""
    is_reached: bool
    """Whether the run has come there."""


class RunProgress(Part):
    """How far a run is."""

    run_id: str
    """The run; that of an interrupted one which the request took up."""
    dataset_id: str
    """Its dataset."""
    status: RunStatus
    """State of the run; CREATED as long as it waits for its turn."""
    stages: list[Stage]
    """All states in order."""
    at: RunStatus | None = None
    """State that it is working on, or stopped at; null once its outputs are ready, and where nobody
    knows how far it came."""
    job: JobState | None
    """State of its process; null for a run that no request started."""
    verdict: Verdict | None = None
    """Verdict of its gates."""
    reason: str | None = None
    """Why it ended in ERROR."""
    problem: Problem | None = None
    """The same with every finding: file, column, rows, rule, remedy."""

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen."""
        ended = self.status in {RunStatus.OUTPUTS_READY, RunStatus.ERROR}
        return self.job.is_over if self.job else ended
