"""A backtest: what is fitted at which dates, and how good what it said was."""

from datetime import date

from schemas.documents.base import (
    Count,
    KpiAmount,
    Number,
    Part,
    Periods,
    Ratio,
    Seconds,
    Share,
)
from schemas.refs import FeaturesRef, FileRef, Ref, SnapshotRef
from schemas.spec.run_spec import RunSpec

CAUTION = (
    "Scores say which model forecasts best with the media that really ran. They cannot choose "
    "between causal explanations: models that forecast alike may share the KPI out differently."
)


class Candidate(Ref):
    """One spec with one kind."""

    name: str
    """Name of the spec's file, and the kind where several are asked for."""
    spec: RunSpec


class Slice(Ref):
    """One date at which candidates are fitted."""

    number: int
    """The earliest is 0."""
    origin: date
    """Start of the last fitted period."""
    as_of: date
    """Day after that period: what was known on it counts."""


class SlicedData(Ref):
    """What one candidate is given at one date."""

    slice: Slice
    snapshot: SnapshotRef
    as_known: bool
    """The values are those known on that day; else today's, cut at the date."""


class BacktestPlan(Ref):
    """What is fitted."""

    dataset_id: str
    kpi_name: str
    """Column of the KPI."""
    steps: str
    """Folder of the fits until they are scored."""
    candidates: list[Candidate]
    slices: list[Slice]
    horizon: int
    step: int


class SlicedFit(Ref):
    """One candidate at one date, ready to be fitted."""

    candidate: str
    data: SlicedData
    features: FeaturesRef
    horizon: int


class SliceReturn(Part):
    """Return of one channel in one fit."""

    quantity: str
    """``roas``, or ``share`` of the KPI where there is none."""
    median: Number
    """Median over the draws."""
    low_90: Number
    """5 % quantile."""
    high_90: Number
    """95 % quantile."""


class SliceScore(Part):
    """One candidate at one date; null is what could not be computed."""

    candidate: str
    origin: date
    """Start of the last fitted period."""
    as_of: date
    """Knowledge date."""
    as_known: bool
    """Values as known on that day; else today's, restatements not undone."""
    n_fitted: Periods
    """Fitted periods."""
    n_scored: Count
    """Periods after them that are scored, all entities together."""
    crps: KpiAmount | None
    """Mean continuous ranked probability score."""
    mape: Share | None
    """Mean absolute error of the median over the KPI."""
    coverage_50: Share | None
    """Periods whose KPI was between the quartiles."""
    coverage_90: Share | None
    """Periods whose KPI was inside the 90 % interval."""
    skill: Ratio | None
    """1 - mean absolute error over that of the KPI of a year before."""
    r_hat_max: Ratio | None
    """Worst R-hat; null where no chain has to converge."""
    seconds: Seconds
    """Wall time of fit and scores."""
    returns: dict[str, SliceReturn] = {}
    """By channel."""
    error: str | None = None
    """Why there is no fit."""


class ScoredSlice(Ref):
    """One candidate at one date, with its scores on file."""

    score: SliceScore
    rows: FileRef | None
    """Scores of single periods; None where there is no fit."""


class CandidateScore(Part):
    """One candidate over the dates at which every candidate could be fitted."""

    candidate: str
    model_kind: str
    """Kind of model, as ``model.kind`` names it."""
    n_slices: Count
    """Dates that are counted."""
    n_failed: Count
    """Dates without a fit."""
    n_scored: Count
    """Periods."""
    crps: KpiAmount | None
    """Mean continuous ranked probability score."""
    mape: Share | None
    """Mean absolute error of the median over the KPI."""
    coverage_50: Share | None
    """Periods whose KPI was between the quartiles."""
    coverage_90: Share | None
    """Periods whose KPI was inside the 90 % interval."""
    skill: Ratio | None
    """1 - mean absolute error over that of the KPI of a year before."""
    seconds: Seconds
    """Wall time of all its fits."""
    return_spread: dict[str, Ratio | None]
    """By channel: standard deviation of the median return over the dates, over the size of its
    mean; null with one date or a mean of zero."""


class BacktestReport(Part):
    """``mmm backtest --json``: scores of every candidate, and of every date."""

    dataset_id: str
    kpi_name: str
    """Column of the KPI."""
    horizon: Periods
    """Periods after each date that are scored."""
    step: Periods
    """Periods from one date to the next."""
    candidates: list[CandidateScore]
    slices: list[SliceScore]
    """By candidate and date."""
    notes: list[str]
    """What a reader has to know."""
    mlflow_run_id: str | None
    """Parent of one nested run per fit."""
