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
from schemas.refs import FeaturesRef, FileRef, Ref, SnapshotRef, StepKey
from schemas.spec.known_truth import KnownTruth
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
    truth: KnownTruth | None = None
    """Where the data are simulated."""
    notes: list[str] = []
    """What a reader has to know of the candidates."""


class SlicedFit(Ref):
    """One candidate at one date, ready to be fitted."""

    candidate: str
    data: SlicedData
    features: FeaturesRef
    horizon: int
    memory_bytes: int
    """Of a process that fits it, at most."""


class InformationScore(Part):
    """How well a fit predicts each period that it was fitted to, that period left out."""

    n: Count
    """Values: entities times fitted periods."""
    elpd_loo: Number | None
    """Mean expected log predictive density of a value, by PSIS-LOO; null with too few draws."""
    p_loo: Number | None
    """Effective number of parameters."""
    n_bad_k: Count
    """Values with a Pareto k above 0.7: PSIS-LOO says too little of them."""
    elpd_waic: Number
    """The same mean by WAIC."""
    n_bad_variance: Count
    """Values whose log density varies by more than 0.4: WAIC is off for them."""


class AdviceScore(Part):
    """What the advice of one fit's plan would truly have brought."""

    follow: bool
    """It advised to follow; else to stay with today's mix."""
    gain: Ratio
    """True gain of the advice against the same money in today's mix, over the KPI of as many
    periods; 0 where it is to stay."""
    regret: Ratio
    """What the best plan of the same money within the same bounds truly brings beyond the advice,
    over the same KPI."""


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
    information: InformationScore | None = None
    """Null where a kind's draws are not of a posterior."""
    advice: AdviceScore | None = None
    """Null without a known truth, and where no plan could be made."""
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


class SliceWork(Ref):
    """All that a process needs to fit and score one candidate at one date."""

    key: StepKey
    fit: SlicedFit
    spec: RunSpec
    truth: KnownTruth | None
    """Where the data are simulated."""


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
    elpd_loo: Number | None
    """Mean over the dates of the expected log predictive density of a fitted value, by PSIS-LOO;
    null where a kind's draws are not of a posterior."""
    elpd_waic: Number | None
    """The same by WAIC."""
    bad_k: Share | None
    """Fitted values with a Pareto k above 0.7."""
    n_advised: Count
    """Dates whose plan is held against a known truth."""
    n_followed: Count
    """Of these, plans that advise to follow."""
    n_losing: Count
    """Of these, plans that truly bring less than today's mix."""
    regret: Ratio | None
    """Mean of what the best plan truly brings beyond the advice, over the KPI; null without a
    known truth."""
    seconds: Seconds
    """Time of all its fits, one after the other."""
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
    workers: Count
    """Fits that ran at once."""
    seconds: Seconds
    """Wall time of all fits and scores together."""
    candidates: list[CandidateScore]
    slices: list[SliceScore]
    """By candidate and date."""
    notes: list[str]
    """What a reader has to know."""
    mlflow_run_id: str | None
    """Parent of one nested run per fit."""
