"""The trend of a dataset's returns over its refits, and how far chance alone moves them."""

from datetime import date, datetime

from pydantic import BaseModel, ConfigDict, Field

from schemas.documents.changes import FitReturns
from schemas.refs import FeaturesRef, FileRef, Ref
from schemas.spec.run_spec import RunSpec

MAX_SEEDS = 20


class TrendRow(BaseModel):
    """One channel of one accepted refit against the champion of its time."""

    model_config = ConfigDict(frozen=True)

    run_id: str
    champion_run_id: str
    channel: str
    quantity: str
    overlap: float
    change_sd: float | None
    planned_share_change: float | None


class TrendRun(BaseModel):
    """One accepted refit that was compared with a champion."""

    model_config = ConfigDict(frozen=True)

    run_id: str
    champion_run_id: str
    created_at: datetime
    last_period: date | None
    verdict: str
    min_overlap: float
    min_overlap_channel: str
    allocation_churn: float | None
    """Share of the planned budget that moved, over channels of both plans."""


class Floor(BaseModel):
    """How far one channel moves when the same fit is repeated with other seeds."""

    model_config = ConfigDict(frozen=True)

    run_id: str
    channel: str
    quantity: str
    n_seeds: int
    min_overlap: float
    mean_overlap: float
    max_change_sd: float | None
    """Largest in size."""


class StabilityReport(BaseModel):
    """``mmm stability --json``: refits side by side, and the noise floor."""

    model_config = ConfigDict(frozen=True)

    dataset_id: str
    runs: list[TrendRun]
    """Oldest first."""
    rows: list[TrendRow]
    floor: list[Floor]
    """Of the run that was repeated last; empty where none was."""
    min_overlap_review: float | None
    """``gates.stability.min_overlap_review`` of the newest refit."""
    notes: list[str] = []


class NoiseRequest(BaseModel):
    """Repeat the champion's fit with other seeds."""

    model_config = ConfigDict(frozen=True)

    dataset_id: str
    n_seeds: int = Field(ge=1, le=MAX_SEEDS)


class Repetition(Ref):
    """The champion's fit with another seed; ``own`` repeats its own with today's code."""

    name: str
    spec: RunSpec


class Repetitions(Ref):
    """What is repeated, and how often."""

    run_id: str
    dataset_id: str
    steps: str
    """Folder of the repetitions until they are compared."""
    features: FeaturesRef
    own: FileRef
    """Quantiles of the champion's own fit."""
    fits: list[Repetition]
    """Those that are not on record yet."""
    notes: list[str] = []


class Repeated(Ref):
    """One repetition that was made."""

    fit: Repetition
    returns: FitReturns


class FloorRow(BaseModel):
    """One row of ``mart.noise_floor``."""

    model_config = ConfigDict(frozen=True)

    run_id: str
    dataset_id: str
    seed: int
    channel: str
    quantity: str
    mean: float
    mcse: float
    overlap: float
    change_sd: float | None
    fingerprint: str
    measured_at: datetime
