"""What ``mmm compare`` answers: runs of any kinds side by side."""

from datetime import date, datetime

from pydantic import JsonValue

from schemas.documents.base import (
    Count,
    Gain,
    InputAmount,
    KpiAmount,
    KpiRate,
    Money,
    Part,
    Probability,
    Return,
    Share,
)
from schemas.documents.effects import EvidenceClass, FitMetrics
from schemas.documents.plan import Action, Advice
from schemas.documents.results import RunStatus
from schemas.outcomes import Verdict


class ForecastFigures(Part):
    """Scores of what one run forecast, over the periods that have happened since."""

    n: Count
    """Scored periods, all entities together."""
    crps: KpiAmount | None
    """Mean continuous ranked probability score."""
    mape: Share | None
    """Mean absolute error of the median over the KPI; null where every KPI is zero."""
    coverage_50: Share
    """Periods whose KPI was between the quartiles."""
    coverage_90: Share
    """Periods whose KPI was inside the 90 % interval."""


class PlanFigures(Part):
    """The plan of one run."""

    advice: Advice
    budget: Money
    """Of the candidate."""
    gain_mean: Gain
    """Against ``gain_against`` of the plan, posterior mean."""
    gain_low: Gain
    """Lower end of the 94 % interval."""
    gain_high: Gain
    """Upper end of the 94 % interval."""
    prob_gain: Probability
    """That the candidate gains anything."""


class RunInComparison(Part):
    """One run; null is what it did not leave behind."""

    run_id: str
    status: RunStatus
    verdict: Verdict | None
    reasons: list[str]
    """A sentence for everything that is not a pass."""
    created_at: datetime
    """When it began."""
    model_version: Count | None
    """Registered version."""
    is_champion: bool
    """Today."""
    model_kind: str | None
    """Kind of model."""
    snapshot_id: str | None
    """Data that it was fitted on."""
    estimation_start: date | None
    """First fitted period."""
    estimation_end: date | None
    """Last fitted period."""
    fit: FitMetrics | None
    """In-sample; more parameters fit closer."""
    forecasts: dict[str, ForecastFigures]
    """By basis: ``published`` with the media supposed, ``deployed`` with those that happened."""
    plan: PlanFigures | None

    @property
    def title(self) -> str:
        """Model kind and run, as a heading of a column names it."""
        return " ".join(filter(None, [self.model_kind, self.run_id]))


class ChannelInComparison(Part):
    """One channel in one run, over its fitted window, with 94 % intervals."""

    spend: Money | None
    """Null without a spend column."""
    contribution_mean: KpiAmount
    """Mean over draws."""
    contribution_low: KpiAmount
    """Lower end."""
    contribution_high: KpiAmount
    """Upper end."""
    roas_mean: Return | None
    """Null without spend, or where a unit of the KPI has no value in money."""
    roas_low: Return | None
    """Lower end."""
    roas_high: Return | None
    """Upper end."""
    mroas_mean: Return | None
    """Return of the next percent of spend."""
    evidence: EvidenceClass | None
    """``effect``, or ``unclear``: it cannot be told from none."""
    current: Money | None
    """Spend of as many periods before the horizon as the plan has."""
    candidate: Money | None
    """What the optimizer of the run found."""
    action: Action | None
    """Of its plan."""


class CurveInComparison(Part):
    """Response of one channel in one run, in the long run, with its 90 % interval."""

    unit: str
    """``spend`` or ``input``: what x is."""
    x: list[InputAmount]
    """The same in every period."""
    median: list[KpiRate]
    """What the channel adds."""
    low_90: list[KpiRate]
    """5 % quantile."""
    high_90: list[KpiRate]
    """95 % quantile."""
    current: InputAmount
    """What is spent today."""


class Difference(Part):
    """One key of the run spec in which the runs differ."""

    key: str
    """Dotted path."""
    values: dict[str, JsonValue]
    """By run; null where its spec does not have the key."""


class RunsCompared(Part):
    """``mmm compare --json``: runs of one dataset and one KPI, in the order of their names.

    Predictive scores say which run forecast best; they cannot choose between causal explanations:
    two models that forecast alike may share the KPI out differently.
    """

    dataset_id: str
    kpi_name: str | None
    """Name of the KPI; null where no run left its spec behind."""
    same_snapshot: bool
    """All were fitted on the same data."""
    runs: list[RunInComparison]
    channels: dict[str, dict[str, ChannelInComparison]]
    """By channel and run; a run without the channel is left out."""
    curves: dict[str, dict[str, CurveInComparison]]
    """By channel and run."""
    differences: list[Difference]
    """What of the run specs differs, in alphabetical order."""
