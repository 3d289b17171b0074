"""What a fit says of its channels: contributions, returns, quantiles and response curves."""

from enum import StrEnum
from typing import Literal

from schemas.documents.base import (
    Count,
    Document,
    InputAmount,
    KpiAmount,
    KpiRate,
    Money,
    NamedRows,
    Number,
    Part,
    Ratio,
    Return,
    Share,
    SparsePart,
    UnitValue,
    stated,
)
from schemas.names import ComponentKind

type ReturnStem = Literal["roas", "cost_per_unit"]
"""What the fields of a return begin with: of revenue, or of a count."""


class EvidenceClass(StrEnum):
    """What the data say about the effect of a channel."""

    EFFECT = "effect"
    UNCLEAR = "unclear"
    CONFOUNDED = "confounded"


class WeighedEvidence(Part):
    """Whether the data show that one channel works at all."""

    evidence: EvidenceClass
    """``effect``, ``unclear`` (it cannot be told from none) or ``confounded`` (nor from demand)."""
    evidence_sentence: str
    """The finding in plain words."""
    log10_likelihood_ratio: Number | None = None
    """How much likelier the data are with the channel than without it; null without a prior."""
    prior_elasticity: Share | None = None
    """Share of a shift of its prior that the result goes along with; null without a prior."""


class ChannelReturns(SparsePart):
    """Spend, contribution and return of one channel over the fitted window, with 94 % intervals."""

    spend: Money | None = None
    """Null without a spend column."""
    contribution_mean: KpiAmount = 0.0
    """Posterior mean."""
    contribution_low: KpiAmount = 0.0
    """Lower end."""
    contribution_high: KpiAmount = 0.0
    """Upper end."""
    roas_mean: Return | None = None
    """Null without spend, or where a unit of the KPI has no value in money."""
    roas_low: Return | None = None
    """Lower end."""
    roas_high: Return | None = None
    """Upper end."""
    mroas_mean: Return | None = None
    """Return of the next percent of spend."""
    prior_driven: bool = False
    """The data moved the prior too little to decide this channel."""
    cost_per_unit_mean: UnitValue | None = None
    """Spend over the contribution's mean; of a count KPI."""
    cost_per_unit_low: UnitValue | None = None
    """Spend over the upper end of the contribution; of a count KPI."""
    cost_per_unit_high: UnitValue | None = None
    """Spend over the lower end of the contribution; of a count KPI."""
    evidence: EvidenceClass | None = None
    """``effect``, ``unclear`` (it cannot be told from none) or ``confounded`` (nor from demand).
    Absent in runs of before."""
    evidence_sentence: str = ""
    """The finding in plain words."""
    lift_tests: list[str] | None = None
    """Its lift tests against what the model would expect without them, a sentence each."""
    log10_likelihood_ratio: Number | None = None
    """How much likelier the data are with the channel than without it."""
    prior_elasticity: Share | None = None
    """Share of a shift of its prior that the result goes along with."""

    def returned(self, stem: ReturnStem) -> tuple[float | None, float | None, float | None]:
        """Return mean, lower and upper end of ROAS, or of cost per unit."""
        mean, low, high = (getattr(self, f"{stem}_{end}") for end in ("mean", "low", "high"))
        return mean, low, high


class RoiMetrics(NamedRows[ChannelReturns]):
    """``roi_metrics.json``: spend, contribution and return of every channel."""


class ComponentSummary(SparsePart):
    """One component of the KPI over the fitted window, with 94 % intervals."""

    kind: ComponentKind
    """What the component is."""
    contribution_mean: KpiAmount
    """Posterior mean."""
    contribution_low: KpiAmount
    """Lower end."""
    contribution_high: KpiAmount
    """Upper end."""
    share_mean: Share
    """Contribution over the expected KPI."""
    share_low: Share
    """Lower end."""
    share_high: Share
    """Upper end."""
    incremental_mean: KpiAmount | None = None
    """Expected KPI less its counterfactual without the channel; of channels."""
    incremental_low: KpiAmount | None = None
    """Lower end."""
    incremental_high: KpiAmount | None = None
    """Upper end."""


class ContributionSummary(NamedRows[ComponentSummary]):
    """``contribution_summary.json``: every component over the fitted window."""


class Quantiles(Part):
    """Share of the KPI and ROAS of one channel, or of all: median, 50 % and 90 % intervals."""

    share_median: Share | None = None
    """Median of the share of the KPI."""
    share_low_50: Share | None = None
    """25 % quantile."""
    share_high_50: Share | None = None
    """75 % quantile."""
    share_low_90: Share | None = None
    """5 % quantile."""
    share_high_90: Share | None = None
    """95 % quantile."""
    roas_median: Return | None = None
    """Median; null without spend or value."""
    roas_low_50: Return | None = None
    """25 % quantile."""
    roas_high_50: Return | None = None
    """75 % quantile."""
    roas_low_90: Return | None = None
    """5 % quantile."""
    roas_high_90: Return | None = None
    """95 % quantile."""

    def ends(self, quantity: str) -> dict[str, float] | None:
        """Return ``median``, ``low_50`` ... of ``share`` or ``roas``; None where one is absent."""
        names = ("median", "low_50", "high_50", "low_90", "high_90")
        values = {name: getattr(self, f"{quantity}_{name}") for name in names}
        return None if None in values.values() else values


class ChannelQuantiles(NamedRows[Quantiles]):
    """``channel_quantiles.json``: share and ROAS of every channel over the fitted window."""


class MeasuredReturns(Quantiles):
    """Returns of one channel in an auxiliary fit, with the accuracy of its draws."""

    roas_mean: Return | None = None
    """Posterior mean."""
    roas_mcse: Return | None = None
    """Monte Carlo standard error of the mean."""
    roas_r_hat: Ratio | None = None
    """Of the ROAS; null where all draws are equal."""
    share_mean: Share | None = None
    """Posterior mean."""
    share_mcse: Share | None = None
    """Monte Carlo standard error of the mean."""
    share_r_hat: Ratio | None = None
    """Of the share; null where all draws are equal."""

    def accuracy(self, quantity: str) -> tuple[float, float]:
        """Return mean of ``share`` or ``roas`` and its Monte Carlo standard error.

        Raises
        ------
        ValueError
            If the channel has none of it.
        """
        mean, error = getattr(self, f"{quantity}_mean"), getattr(self, f"{quantity}_mcse")
        return stated(mean, f"{quantity}_mean"), stated(error, f"{quantity}_mcse")


class ReturnsOfFit(NamedRows[MeasuredReturns]):
    """``returns.json``: returns of every channel in a fit that is compared with another."""


class EntityCurve(Part):
    """Response of one entity to one channel, in the long run."""

    x: list[InputAmount]
    """Spend or input, the same in every period."""
    median: list[KpiRate]
    """What the channel adds, posterior median."""
    low_90: list[KpiRate]
    """5 % quantile."""
    high_90: list[KpiRate]
    """95 % quantile."""
    low_94: list[KpiRate] = []
    """Lower end of the 94 % interval; absent in runs of before."""
    high_94: list[KpiRate] = []
    """Upper end."""
    current: InputAmount
    """Mean of the last horizon, as a plan has it; in runs of before, of the fitted window."""
    observed_low: InputAmount
    """Smallest of the fitted window."""
    observed_high: InputAmount
    """Largest of the fitted window."""
    mroas_mean: Return | None = None
    """Return of the next percent at current spend; null where x is no money."""


class ResponseCurve(SparsePart):
    """Response to one channel, in the long run, summed over entities."""

    unit: Literal["spend", "input"]
    """What x is: money, or the input of the model."""
    x: list[InputAmount]
    """Spend or input, the same in every period."""
    median: list[KpiRate]
    """What the channel adds, posterior median."""
    low_90: list[KpiRate]
    """5 % quantile."""
    high_90: list[KpiRate]
    """95 % quantile."""
    low_94: list[KpiRate] = []
    """Lower end of the 94 % interval; absent in runs of before."""
    high_94: list[KpiRate] = []
    """Upper end."""
    current: InputAmount
    """Mean of the last horizon, as a plan has it; in runs of before, of the fitted window."""
    observed_low: InputAmount
    """Smallest of the fitted window."""
    observed_high: InputAmount
    """Largest of the fitted window."""
    interval: str | None = None
    """What the band is."""
    mroas_mean: Return | None = None
    """Return of the next percent at current spend."""
    mroas_low: Return | None = None
    """5 % quantile."""
    mroas_high: Return | None = None
    """95 % quantile."""
    return_unit: Literal["money", "kpi"] | None = None
    """What a return counts; null where x is no money."""
    target_return: Return | None = None
    """Marginal return that spend is held against."""
    breakeven: Money | None = None
    """Spend per period at which the mean marginal return falls to the target."""
    breakeven_low: Money | None = None
    """5 % quantile; null: past the end of the curve."""
    breakeven_high: Money | None = None
    """95 % quantile; null: past the end of the curve."""
    breakeven_where: Literal["below", "inside", "beyond"] | None = None
    """Whether the curve holds the breakeven."""
    headroom: Money | None = None
    """Breakeven less current spend."""
    entities: dict[str, EntityCurve] | None = None
    """Curves of single entities, of a panel with several."""


class ResponseCurves(NamedRows[ResponseCurve]):
    """``response_curves.json``: the response curve of every channel that was on."""


class FitMetrics(Document):
    """``fit_metrics.json``: how close fitted values are to the KPI; in-sample, never a gate."""

    mape: Share | None
    """Mean absolute error over the KPI, where that is not zero."""
    rmse: KpiAmount
    """Root mean squared error."""
    r2: Share | None
    """Share of the KPI's variance that is explained; null for a constant KPI."""
    n_observations: Count | float
    """Fitted cells."""
