"""What a plan answers: ``Plan``, ``plan.json``."""

from datetime import datetime
from enum import StrEnum

from pydantic import Field, field_validator

from schemas.documents.base import (
    Count,
    Document,
    Gain,
    GainPerMoney,
    Money,
    Number,
    Part,
    Periods,
    Probability,
    Share,
    is_absent,
    is_nothing,
)
from schemas.spec.optimizer import OptimizerSpec, Utility


class Advice(StrEnum):
    """Whether to follow a plan."""

    FOLLOW = "follow"
    WITHHELD = "withheld"
    """P(gain > 0) or the gain is below its threshold, or nothing can be moved: spend as today."""
    EVALUATED = "evaluated"
    """A hand-written plan; nobody recommends it."""


class Action(StrEnum):
    """What to do with one channel."""

    INCREASE = "INCREASE"
    HOLD = "HOLD"
    REDUCE = "REDUCE"


class ChannelPlan(Part):
    """One channel over the horizon. Money, unless a field says otherwise.

    Returns are money per money; KPI units per money where the KPI has no value in money.
    """

    current: Money
    """Spend of as many periods before the horizon."""
    planned: Money
    """What is advised; ``current`` where advice is withheld and the budget is today's."""
    candidate: Money
    """What the optimizer found, advised or not."""
    low: Money
    high: Money
    """Bounds of the optimizer."""
    action: Action
    reason: str
    """One sentence with the numbers behind the action."""
    mroas_mean: GainPerMoney | None
    """Return of the next percent of spend at ``current``; null without spend."""
    mroas_low: GainPerMoney | None
    """Lower end of the 94 % interval."""
    mroas_high: GainPerMoney | None
    """Upper end of the 94 % interval."""
    mroas_candidate_mean: GainPerMoney | None
    """The same at ``candidate``."""
    incremental_current_mean: Gain
    """What ``current`` brings, carryover included, KPI units (weighted)."""
    incremental_candidate_mean: Gain
    """What the candidate brings, carryover included."""
    prob_raise: Probability | None
    """Share of draws whose own best plan spends more than today on the channel."""
    prior_driven: bool
    """The data did not decide this channel."""
    unclear: bool = False
    """Its effect cannot be told from none."""
    confounded: bool = Field(False, exclude_if=is_nothing)
    """Its effect cannot be told from demand that spend may follow."""
    observed_low: Money
    """Smallest observed spend per period, times the periods of the horizon."""
    observed_high: Money
    """Observed range of spend per period, times the periods of the horizon."""
    is_beyond_observed: bool
    """The candidate leaves that range."""


class SpendCell(Part):
    """One cell of the plan: what to spend where and when."""

    entity_id: str
    """Where; ``all`` where entities are not planned apart."""
    channel: str
    period_start: str
    """First day of the period."""
    current: Money
    """Spend if it goes on as before."""
    planned: Money
    """Spend that is advised."""
    candidate: Money
    """Spend that the optimizer found."""


class MultiStartAgreement(Part):
    """How far one can trust that the optimum is the optimum."""

    method: str
    n_starts: Count
    n_agree: Count
    """Starts that end within 0.01 % of the best utility."""
    agree_share: Share
    """Share of the starts that agree."""
    best_utility: Number
    """Largest utility of any start."""
    worst_utility: Number
    """Smallest utility of any start."""
    n_failed: Count
    """Starts whose solver gave up."""


class PlanModel(Part):
    """A model that a plan speaks for."""

    dataset_id: str
    run_id: str
    """Run whose posterior is planned from."""
    snapshot_id: str
    """Data that it was fitted on."""
    model_version: Count | None
    """Registered version; null: not registered."""
    weight: Number
    """Weight of its KPI in the utility."""
    likelihood_power: Share | None = Field(None, exclude_if=is_absent)
    """Power of the likelihood in the draws that the plan was made of; 1: the posterior."""
    against: list[str] = Field([], exclude_if=is_nothing)
    """What stands against acting on it, a sentence each: a REVIEW, a newer run."""


class GroupPlan(Part):
    """Spend of a group of channels against its bounds, money."""

    name: str
    channels: list[str]
    current: Money
    """Spend if it goes on as before."""
    candidate: Money
    """Spend that the optimizer found."""
    low: Money | None
    high: Money | None


class PlanSettings(OptimizerSpec):
    """How a plan was made; plans from before there was a power of the likelihood took it whole."""

    likelihood_power: float = Field(
        1.0,
        ge=0.2,
        le=1,
        exclude_if=lambda power: power == 1,
        description="Share of the data that the plan was made as if there were; absent: 1.",
    )


class Plan(Document):
    """``plan.json``: a budget plan, what it gains and whether to follow it.

    A gain is against ``gain_against``, in KPI units (weighted over models), over the
    horizon and the carryover after it; intervals are the 94 % HDI and, as ``_low_90`` and
    ``_high_90``, equal-tailed. Everything about a gain is of the ``candidate``.
    """

    scenario_id: str
    """Id of the plan; the run id for the plan of a refit."""
    name: str
    created_at: datetime
    """When it was made."""
    dataset_ids: list[str]
    """Datasets that it speaks for."""
    models: list[PlanModel]
    """One for each of them."""
    advice: Advice
    reason: str
    """Why the advice is given or withheld, one or two sentences."""
    utility: Utility
    unit: str
    """Unit of a gain: ``money``, or the KPI's name."""
    kpi_name: str
    """Name of the KPI."""
    return_word: str
    """``ROAS``, or ``<KPI> per money`` where the KPI has no value."""
    first_period: str
    """First day of the first planned period."""
    last_period: str
    """First day of the last planned period."""
    horizon: Periods
    budget: Money
    """Of the candidate, money."""
    current_budget: Money
    """Spend of as many periods before the horizon."""
    target: str | None
    """``ROAS >= 2`` or ``mROAS = 1``; null where the budget is fixed."""
    gain_against: str = "the same money in today's mix"
    """The same money in today's mix; with a target, today's spend and the price of extra money."""
    gain_mean: Gain
    """What the candidate brings beyond ``gain_against``, posterior mean."""
    gain_low: Gain
    """Lower end of the 94 % interval."""
    gain_high: Gain
    """Upper end of the 94 % interval."""
    gain_low_90: Gain
    """5 % quantile."""
    gain_high_90: Gain
    """95 % quantile."""
    prob_gain: Probability
    """That the candidate gains anything."""
    expected_regret: Gain
    """Mean loss over the draws in which the candidate loses (0 in the others)."""
    perfect_information: Gain | None
    """Mean of what each draw's own best plan gains beyond the candidate; null if not measured."""
    change_mean: Gain
    """What the candidate brings beyond current spend, posterior mean."""
    change_low: Gain
    """Lower end."""
    change_high: Gain
    """Against current spend itself; differs from the gain where the budget is another one."""
    incremental_mean: Gain
    """What the candidate brings in all, posterior mean."""
    incremental_low: Gain
    """Lower end."""
    incremental_high: Gain
    """What the candidate's spend brings in all."""
    return_mean: GainPerMoney | None
    """``incremental_mean`` over the budget."""
    last_money_mean: GainPerMoney | None = Field(None, exclude_if=is_absent)
    """Return of the next percent of all current spend, shared out as today; null without spend, and
    in plans of before."""
    last_money_low: GainPerMoney | None = Field(None, exclude_if=is_absent)
    """Lower end of the 94 % interval."""
    last_money_high: GainPerMoney | None = Field(None, exclude_if=is_absent)
    """Upper end of the 94 % interval."""
    channels: dict[str, ChannelPlan]
    """Planned channels, the largest current spend first."""
    groups: list[GroupPlan]
    not_planned: dict[str, str]
    """Channels that no plan can move, with the reason: no spend column, competitor."""
    certificate: MultiStartAgreement | None
    """None for a hand-written plan."""
    flags: list[str]
    """What a reader must know: extrapolation, starts that disagree, a bound that decides."""
    allocation: list[SpendCell]
    """Spend per period, and per entity where entities are planned."""
    settings: PlanSettings

    @field_validator("settings", mode="before")
    @classmethod
    def _as_asked(cls, settings: object) -> object:
        return settings.model_dump() if isinstance(settings, OptimizerSpec) else settings

    @property
    def planned(self) -> dict[str, float]:
        """Planned money by channel."""
        return {name: row.planned for name, row in self.channels.items()}
