"""What verbs answer of budget plans: one that was made, one that is shown, several compared."""

from schemas.answers.scenarios import Scenario
from schemas.documents.base import Gain, GainPerMoney, Money, Number, Part, Periods, Probability
from schemas.documents.plan import Plan, PlanModel
from schemas.spec.optimizer import GroupBounds, OptimizerSpec, Utility


class ShownPlan(Plan):
    """A saved plan, and its run in MLflow: what ``mmm scenarios NAME --json`` answers."""

    mlflow_run_id: str | None
    """Its run in MLflow; null where it has none."""


class MadePlan(Plan):
    """A plan that was just made, and where it is: what ``mmm plan --json`` answers."""

    plan_file: str | None
    """Absolute path of ``plan.json``; null where the home may not be written to, so that nothing
    is saved."""
    mlflow_run_id: str | None
    """Its run in MLflow; null where it has none."""
    took_name_from: str | None
    """Scenario id of an earlier plan of this name, which is found by its id from now on."""


class ScenarioList(Part):
    """``mmm scenarios --json``: saved plans, newest first."""

    scenarios: list[Scenario]


class PlanComparison(Part):
    """Plans side by side: what ``mmm scenarios --compare --json`` answers."""

    scenarios: list[Scenario]
    """In the order in which they were named."""
    planned: dict[str, dict[str, Money | None]]
    """Planned spend by channel and scenario id; null where a plan has no such channel."""


class DeskChannel(Part):
    """One channel before anybody has moved it. Money over the horizon."""

    current: Money
    """Spend of as many periods before the horizon."""
    low: Money
    """Least spend that an optimized plan may give it."""
    high: Money
    """Most spend that an optimized plan may give it."""
    observed_low: Money
    """Smallest observed spend per period, times the periods of the horizon."""
    observed_high: Money
    """Largest observed spend per period, times the periods of the horizon."""
    most: Money
    """As far as a plan by hand is evaluated while one drags."""
    is_held: bool
    """An optimized plan does not move it: the data cannot tell what it does."""


class PlanDesk(Part):
    """A model opened for planning by hand."""

    model: PlanModel
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
    settings: OptimizerSpec
    """Those of its run spec, with the horizon that was asked for."""
    channels: dict[str, DeskChannel]
    """Planned channels, the largest current spend first."""
    groups: list[GroupBounds]
    """Bounds of several channels together, of its run spec."""


class EvaluatedChannel(Part):
    """One channel of a plan by hand."""

    current: Money
    """Spend of as many periods before the horizon."""
    planned: Money
    """Spend of the plan."""
    brings_today: Gain | None
    """What current spend brings; null where the model multiplies its parts."""
    brings_mean: Gain | None
    """What planned spend brings, carryover included, posterior mean."""
    brings_low: Gain | None
    """Lower end of the 94 % interval."""
    brings_high: Gain | None
    """Upper end of the 94 % interval."""
    next_return: GainPerMoney | None
    """What the next money on the channel returns, posterior mean."""
    is_beyond_observed: bool
    """Planned spend leaves what was observed."""


class PlanEvaluation(Part):
    """What a plan by hand brings; nothing is saved. A gain is as in ``Plan``."""

    budget: Money
    """Of the plan."""
    current_budget: Money
    """Spend of as many periods before the horizon."""
    gain_mean: Gain
    """Against the same money in today's mix, posterior mean."""
    gain_low: Gain
    """Lower end of the 94 % interval."""
    gain_high: Gain
    """Upper end of the 94 % interval."""
    prob_gain: Probability
    """That the plan gains anything."""
    expected_regret: Gain
    """Mean loss over the draws in which the plan loses (0 in the others)."""
    change_mean: Gain
    """Against current spend, posterior mean."""
    change_low: Gain
    """Lower end."""
    change_high: Gain
    """Upper end."""
    incremental_mean: Gain
    """What the plan's spend brings in all, posterior mean."""
    incremental_low: Gain
    """Lower end."""
    incremental_high: Gain
    """Upper end."""
    return_mean: GainPerMoney | None
    """``incremental_mean`` over the budget."""
    utility: Utility
    risk_level: Number
    """Tail share of ``var`` and ``cvar``."""
    utility_value: Number
    """Utility of what the plan's spend brings."""
    utility_rival: Number
    """Utility of the same money in today's mix."""
    channels: dict[str, EvaluatedChannel]
    """In the order of the desk."""
