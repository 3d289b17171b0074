"""A recovery check: what a spec finds in KPIs that were simulated with this dataset's media."""

from datetime import date, datetime
from enum import StrEnum

from schemas.documents.base import (
    Count,
    KpiAmount,
    Money,
    Number,
    Part,
    Periods,
    Ratio,
    Seconds,
    Share,
)
from schemas.outcomes import Verdict
from schemas.refs import FeaturesRef, FileRef, Ref, SnapshotRef
from schemas.spec.run_spec import RunSpec


class WorldKind(StrEnum):
    """What a simulated KPI is like."""

    AS_ASSUMED = "as the model assumes"
    """Drawn from the model itself."""
    LONG_CARRYOVER = "longer carryover"
    """Effects last for months, on curves of their own."""
    CONFOUNDER = "unseen demand"
    """Something that no column shows moves the KPI, and spend with it."""
    STEP = "step in the level"
    """The level of the KPI changes once and for good."""
    LASTING_NOISE = "lasting noise"
    """What is not explained lasts from period to period."""


class Answer(StrEnum):
    """How well a channel's effect is found."""

    YES = "yes"
    ROUGHLY = "roughly"
    NO = "no"


class DrawnFrom(StrEnum):
    """Where the simulated effects come from."""

    POSTERIOR = "posterior"
    """Of the champion, fitted with this spec."""
    PRIOR = "prior"
    FIT = "fit"
    """Of a fit of these data, by a kind without draws of a prior."""


class KnownFit(Ref):
    """A stored fit whose draws are simulated from."""

    run_id: str
    snapshot: SnapshotRef
    features: FeaturesRef
    posterior: FileRef


class WorldPlan(Ref):
    """One KPI to be simulated."""

    number: int
    kind: WorldKind
    silent: list[str]
    """Channels without effect in it."""


class RecoveryPlan(Ref):
    """What is simulated and refitted."""

    spec: RunSpec
    question: str
    """Digest of what the spec says of the model."""
    steps: str
    """Folder of the fits until they are summarized."""
    drawn_from: DrawnFrom
    run_id: str | None
    snapshot: SnapshotRef
    features: FeaturesRef
    laws: FileRef
    """One draw of the model's parameters per world."""
    worlds: list[WorldPlan]
    notes: list[str]


class SimulatedWorld(Ref):
    """One simulated KPI, ready to be refitted."""

    plan: WorldPlan
    spec: RunSpec
    """Of the refit: its lift tests are those that this world would have given."""
    snapshot: SnapshotRef
    truth: FileRef


class FittedWorld(Ref):
    """What a refit of a simulated KPI found."""

    world: SimulatedWorld
    scores: FileRef
    returns: FileRef
    """``RoiMetrics``, for the plan."""
    seconds: float


class TrueResponse(Part):
    """What a channel truly brings over the planned periods, by spend."""

    money: list[Money]
    """Spend over the horizon, ascending."""
    outcome: list[Number]
    """KPI of the horizon and the carryover after it, in the unit of a plan's gain."""


class Truth(Part):
    """The truth of a simulated KPI."""

    contribution: dict[str, KpiAmount]
    """By channel, over the fitted periods."""
    kpi: KpiAmount
    """KPI of the fitted periods."""
    responses: dict[str, TrueResponse]
    """By channel with spend."""
    kpi_of_horizon: Number
    """KPI of as many periods before the plan, in the unit of a plan's gain."""


class ExperimentValue(Part):
    """What one lift test of a channel would bring."""

    periods: Periods
    """Length: the channel is switched off for so long."""
    lift: KpiAmount
    """What it would be expected to cost."""
    standard_error: KpiAmount
    """Noise of the KPI over as many periods: what a comparison with a forecast reaches."""
    width_left: Share
    """Width of the channel's interval after the test, over that before."""
    needed_error: KpiAmount | None
    """Standard error that would halve the interval; null where no test of this length can."""


class ChannelScore(Part):
    """One channel in one refit."""

    truth: KpiAmount
    mean: KpiAmount
    low: KpiAmount
    """Lower end of the 94 % interval."""
    high: KpiAmount
    """Upper end."""
    shows_effect: bool
    """The evidence says that the data show an effect."""
    is_flagged: bool
    """Prior-driven, or not to be distinguished from none or from demand."""
    collinearity: Ratio | None
    """Width of its interval over that with all other channels known."""
    experiments: list[ExperimentValue]


class WorldScore(Part):
    """One refit of a simulated KPI."""

    channels: dict[str, ChannelScore]
    verdict: Verdict


class ChannelRecovery(Part):
    """What the refits say of one channel; null is what no refit could say."""

    answer: Answer
    """Can these data answer what the channel brings?"""
    n_effect: Count
    """Refits in which the channel had an effect."""
    n_like: Count = 0
    """Refits of the first in which the model holds; 0 in checks of earlier releases."""
    n_silent: Count
    """Refits in which it had none."""
    bias: Ratio | None
    """Sum of the means over the sum of the truths, less one; where the model holds."""
    coverage: Share | None
    """Intervals of 94 % that hold the truth; where the model holds."""
    coverage_unlike: Share | None
    """The same where the model is wrong."""
    width: Ratio | None
    """Median width of the interval over the truth; where the model holds."""
    found: Share | None
    """Refits that show its effect, where it has one."""
    false_effect: Share | None
    """Refits that show an effect, where it has none."""
    collinearity: Ratio | None
    """How many times wider its interval is than with all other channels known."""
    experiment: ExperimentValue | None
    """The lift test of this channel that narrows most."""


class KindRecovery(Part):
    """All refits of one kind of world."""

    kind: WorldKind
    n: Count
    coverage: Share | None
    """Intervals of channels with an effect that hold the truth."""
    bias: Ratio | None
    """Of all media together."""
    confident_wrong: Share | None
    """Channels whose interval misses the truth without any flag."""
    n_accepted: Count
    """Refits whose verdict is PASS."""


class AdviceRecovery(Part):
    """What plans of the refits would have done, in the truth."""

    n: Count
    n_followed: Count
    """Plans that advise to follow."""
    n_losing: Count
    """Followed plans that bring less than today's mix."""
    gain: Share | None
    """Mean true gain of followed plans over the KPI of as many periods."""
    regret: Share
    """Mean of what the best plan within the same bounds would have brought beyond the advice,
    over the KPI of as many periods."""


class BestExperiment(Part):
    """The lift test that leaves least unknown."""

    channel: str
    value: ExperimentValue


class RecoveryReport(Part):
    """``mmm recover --json``: whether these data can answer the question."""

    dataset_id: str
    question: str
    """Digest of what the spec says of the model: a report shows the check of its own question."""
    created_at: datetime
    """When it was made."""
    model_kind: str
    """``model.kind``."""
    drawn_from: DrawnFrom
    """Where the simulated effects come from."""
    run_id: str | None
    """Run whose posterior it is."""
    last_period: date
    """Start of the last period of the data."""
    n_worlds: Count
    """Simulated KPIs that were refitted."""
    channels: dict[str, ChannelRecovery]
    kinds: list[KindRecovery]
    advice: AdviceRecovery | None
    """Null where there is no spend to plan."""
    experiment: BestExperiment | None
    """Null without spend."""
    seconds: Seconds
    """Wall time of all refits."""
    notes: list[str]
    """What a reader has to know."""
    mlflow_run_id: str | None
    """Where it is on record."""
