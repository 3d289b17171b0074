"""What a fit leaves beside its draws: settings, summary, prior beliefs, retries."""

from datetime import date
from typing import Any

from pydantic import Field

from schemas.documents.base import (
    Count,
    Document,
    InputAmount,
    KpiAmount,
    Money,
    NamedRows,
    Number,
    Part,
    Periods,
    Probability,
    Return,
    Seconds,
    Share,
    SparsePart,
    is_absent,
)
from schemas.documents.shapes import ShapeRecord
from schemas.outcomes import Verdict
from schemas.spec.model import ModelSpec
from schemas.spec.sampler import SamplerSpec


class UsedSampler(SamplerSpec):
    """The sampler as the spec has it, and what sampled in the end."""

    backend_used: str = Field("", description="Backend that drew the posterior.")


class ModelMetadata(Document):
    """``model_metadata.json``: what was fitted, how, and by which code."""

    model_kind: str
    """Kind of model."""
    model: ModelSpec
    """The model of the run spec."""
    sampler: UsedSampler
    """The sampler of the run spec, and what sampled."""
    channels: list[str]
    """In the order of the panel."""
    controls: list[str]
    """In the order of the panel."""
    entities: list[str]
    """In the order of the panel."""
    estimation_start: date
    """First fitted period."""
    estimation_end: date
    """Last fitted period."""
    n_parameters: Count
    """Free parameters of the model."""
    shapes: ShapeRecord | None = Field(
        None,
        exclude_if=is_absent,
        description="Shapes that were tried and chosen in place of what is assumed by default.",
    )
    fingerprint: str
    """Of the code that decides a fit."""
    versions: dict[str, str]
    """Of the libraries."""


class ParameterSummary(Part):
    """Posterior of one scalar parameter, in the unit of the parameter."""

    mean: Number
    """Posterior mean."""
    sd: Number
    """Posterior standard deviation."""
    hdi_low: Number = Field(alias="hdi_3%", description="Lower end of the 94 % interval.")
    hdi_high: Number = Field(alias="hdi_97%", description="Upper end of the 94 % interval.")


class PosteriorSummary(NamedRows[ParameterSummary]):
    """``posterior_summary.json``: mean and interval of every scalar parameter."""


class PriorChannel(SparsePart):
    """Effective spend of one channel, and what is believed of it before it is fitted."""

    spend: Money | None = None
    """Money of the fitted window; null without a spend column."""
    spend_share: Share | None = None
    """Of the money of all channels."""
    input_mean: InputAmount | None = None
    """Mean input per period."""
    n_active_periods: Periods | None = None
    """Periods in which it was on."""
    n_periods: Periods | None = None
    """Fitted periods."""
    share_median: Share | None = None
    """Prior median of the share of the KPI."""
    share_low_50: Share | None = None
    """25 % quantile."""
    share_high_50: Share | None = None
    """75 % quantile."""
    share_low_90: Share | None = None
    """5 % quantile."""
    share_high_90: Share | None = None
    """95 % quantile."""
    roas_median: Return | None = None
    """Prior median; null without spend or value."""
    roas_low_50: Return | None = None
    """25 % quantile."""
    roas_high_50: Return | None = None
    """75 % quantile."""
    roas_low_90: Return | None = None
    """5 % quantile."""
    roas_high_90: Return | None = None
    """95 % quantile."""


class PriorMedia(Part):
    """What is believed of all channels together."""

    share_median: Share | None
    """Prior median of their share of the KPI."""
    share_low_50: Share | None
    """25 % quantile."""
    share_high_50: Share | None
    """75 % quantile."""
    share_low_90: Share | None
    """5 % quantile."""
    share_high_90: Share | None
    """95 % quantile."""
    prob_above_one: Probability
    """That media explain more than the whole KPI."""


class PriorKpi(Part):
    """What the prior expects of one period, summed over entities, with observation noise."""

    period_start: date
    """First day of the period."""
    actual: KpiAmount
    """Observed KPI."""
    median: KpiAmount
    """Prior predictive median."""
    low_90: KpiAmount
    """5 % quantile."""
    high_90: KpiAmount
    """95 % quantile."""


class PriorPredictive(SparsePart, Document):
    """``prior_predictive.json``: what is believed before anything is fitted."""

    n_draws: Count = 0
    """Draws of the prior; kind mmm."""
    random_seed: Count = 0
    """Seed of the draws; kind mmm."""
    channels: dict[str, PriorChannel] = {}
    """By channel."""
    media_share: PriorMedia | None = None
    """All channels together; kind mmm."""
    kpi: list[PriorKpi] = []
    """Every fitted period; kind mmm."""


class TriedFit(Part):
    """One fit of an escalation."""

    number: Count
    """0 is the fit as the spec has it."""
    kind: str
    """What it does differently."""
    reason: str
    """What failed before, and what is done about it."""
    settings: dict[str, Any]
    """Settings of the sampler."""
    sampler: str | None
    """Backend that sampled; null where it stopped with an error."""
    seconds: Seconds
    """Wall time."""
    verdict: Verdict | None
    """Null where there are no draws."""
    sampling_failures: dict[str, Number]
    """Observed value of every sampling gate that failed."""
    sampling_reviews: dict[str, Number] = {}
    """Observed value of every sampling gate that is to be reviewed."""
    error: str | None
    """Why there are no draws."""
    metrics: dict[str, Number | None]
    """Numbers of the sampling gates."""


class Escalation(Document):
    """``escalation.json``: every fit that was tried, and which one was taken."""

    chosen: Count
    """Number of the fit that is published."""
    sampled_well: bool
    """No sampling gate failed it."""
    stopped: str
    """Why nothing more was tried."""
    rungs: list[TriedFit]
    """Every fit, the first one first."""
