"""``diagnostics.json`` and ``stability.json``: what was measured of a fit, and the verdict."""

from datetime import date
from enum import StrEnum

from pydantic import Field

from schemas.documents.base import (
    Count,
    Document,
    Draws,
    KpiAmount,
    Money,
    Number,
    Part,
    Probability,
    Ratio,
    Share,
    is_absent,
)
from schemas.documents.effects import WeighedEvidence
from schemas.outcomes import GateOutcome, Verdict


class ParameterConvergence(Part):
    """How well one parameter was sampled."""

    r_hat: Ratio | None
    """Rank-normalized split R-hat; 1 is perfect."""
    ess_bulk: Draws | None
    """Effective sample size of the bulk."""
    ess_tail: Draws | None
    """Effective sample size of the tails."""


class LeftOutBy(StrEnum):
    """How it is known what the model would expect without a lift test."""

    WEIGHTS = "weights"
    """The draws of the fit, weighted anew."""
    FIT = "fit"
    """An auxiliary fit without the test."""
    NORMAL = "normal"
    """The draws' mean and variance less the test's, as if both were normal."""


class LiftTestOutcome(Part):
    """One experiment against the model."""

    channel: str
    """Channel that was tested."""
    entity: str | None = None
    """Null: all entities together."""
    start: date
    """First day of the test."""
    end: date
    """Last day of the test."""
    delta_spend: Money
    """Money more, over all periods of the test."""
    standard_error: KpiAmount
    """Of the observed lift."""
    observed: KpiAmount
    """Lift that the experiment saw."""
    expected_mean: KpiAmount | None = None
    """Lift that the model expects, knowing the test."""
    expected_low: KpiAmount | None = None
    """Lower end of the 94 % interval."""
    expected_high: KpiAmount | None = None
    """Upper end of the 94 % interval."""
    posterior_score: Number | None = None
    """Observed less expected lift in standard deviations."""
    expected_without: KpiAmount | None = None
    """Lift that the model would expect had it not known the test."""
    conflict_score: Number | None = None
    """As the score, without the test."""
    pareto_k: Number | None = None
    """Trust in leaving the test out by weights: above 0.7 the test dominates the fit."""
    left_out_by: LeftOutBy | None = None
    """``weights`` of the draws, an auxiliary ``fit`` without the test, or a ``normal`` formula;
    null in runs of before."""
    conflict: bool
    """Experiment and weekly data disagree."""
    sentence: str = ""
    """The finding in plain words."""


class FoundCause(Part):
    """What probably makes a parameter hard to sample."""

    parameter: str
    """Empty where no single parameter stands out."""
    channel: str
    """Channel, or another component of the KPI."""
    cause: str
    """Kind of cause."""
    evidence: str
    """Numbers behind it, in a sentence."""
    remedy: str
    """What to do."""


class JudgedGate(GateOutcome):
    """One gate of a fit."""

    battery: str | None = Field(
        None, exclude_if=is_absent, description="Gate group, where it is not of the fit itself."
    )


class Diagnostics(Document):
    """``diagnostics.json``: the verdict on a fit, its reasons, and every number behind them."""

    verdict: Verdict
    """PASS, REVIEW or FAIL."""
    reasons: list[str]
    """A sentence for everything that is not a pass."""
    notes: list[str] = Field([], exclude_if=lambda notes: not notes)
    """What is reported and blocks nothing."""
    r_hat_max: Ratio | None = None
    """Worst R-hat of any parameter."""
    ess_bulk_min: Draws | None = None
    """Least effective sample size of the bulk."""
    ess_tail_min: Draws | None = None
    """Least effective sample size of the tails."""
    divergences: Count | None = None
    """Draws after which the sampler lost its way."""
    ebfmi_min: Ratio | None = None
    """Least E-BFMI of any chain."""
    max_tree_depth_share: Share | None = None
    """Draws that ran into the largest tree."""
    ppc_p_mean: Probability | None = None
    """Posterior predictive p of the mean."""
    ppc_p_sd: Probability | None = None
    """Posterior predictive p of the standard deviation."""
    negative_baseline_prob: Probability | None = None
    """That the baseline is negative."""
    durbin_watson: Number | None = None
    """2: residuals do not lean on each other."""
    coverage_94: Share | None = None
    """Observed values inside the 94 % predictive interval."""
    elpd_loo: Number | None = None
    """Expected log predictive density, leaving one out."""
    p_loo: Number | None = None
    """Effective number of parameters."""
    pareto_k_bad_share: Share | None = None
    """Observations whose leave-one-out weight cannot be trusted."""
    contraction: dict[str, Share] = {}
    """Share of each channel's prior variance that the data removed."""
    evidence: dict[str, WeighedEvidence] = {}
    """By channel: whether the data show an effect at all."""
    prior_driven: list[str] = []
    """Channels that the data did not decide."""
    lift_tests: list[LiftTestOutcome] = []
    """Experiments against the model."""
    causes: list[FoundCause] = []
    """Why sampling failed, where it did."""
    gates: list[JudgedGate] = []
    """Every number that was judged."""
    parameters: dict[str, ParameterConvergence] = {}
    """Convergence of every scalar parameter."""


class ComparedChampion(Part):
    """The champion that a refit was compared with."""

    name: str
    """Dataset and version, as in ``demo@3``."""
    run_id: str
    """Its run."""
    last_period: date | None
    """Newest period that it was fitted on."""
    age_days: Count | None
    """Days between its knowledge date and that of this run."""


class ShiftedChannel(Part):
    """One channel now against the champion."""

    channel: str
    """Channel that both fits have."""
    quantity: str
    """``roas``, or ``share`` of the KPI where either fit has no ROAS."""
    overlap: Share
    """Of the 50 % intervals; 1 where they are the same."""
    change_sd: Number | None
    """Change of the median in standard deviations of the champion's posterior."""
    planned_share_change: Share | None = None
    """Share of the planned budget, now minus then; null where either has no plan."""


class StabilityReport(Document):
    """``stability.json``: how far a refit moved from the champion."""

    champion: ComparedChampion | None
    """Null where there was none."""
    channels: list[ShiftedChannel]
    """Channels that both fits have."""
    allocation_churn: Share | None
    """Share of the planned money that moves; null where either has no plan."""
    new_data_share: Share | None = None
    """Share of both fits' cells (entity and period) that only one has; the limit goes with it."""
