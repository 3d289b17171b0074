"""What a budget plan may do: horizon, utility, bounds, and when advice is withheld."""

from typing import Self

from pydantic import Field, model_validator

from schemas.spec.base import Choice, SpecModel


class Utility(Choice):
    """What a plan makes large, over posterior draws of what the planned spend brings."""

    MEAN = "mean"
    VAR = "var"
    """Value at risk: the quantile at ``risk_level``, exceeded in all but that share of draws."""
    CVAR = "cvar"
    """Conditional value at risk: the mean of the worst ``risk_level`` share of draws."""
    SHARPE = "sharpe"
    """Mean over standard deviation."""


class OptimizerSpec(SpecModel):
    """How budgets are planned; the block ``optimizer`` of a run spec."""

    horizon: int = Field(
        13,
        ge=1,
        le=104,
        description="Periods that a forecast and a budget plan cover. Current spend is that of as "
        "many periods before them.",
    )
    utility: Utility = Field(
        Utility.MEAN,
        description="What a plan makes large, over the draws of what its spend brings: `mean`, "
        "`var` (the quantile at `risk_level`), `cvar` (the mean of the worst "
        "`risk_level` share) or `sharpe` (mean over standard deviation).",
    )
    risk_level: float = Field(0.1, gt=0, lt=0.5, description="Tail share of `var` and `cvar`.")
    max_change: float = Field(
        0.3,
        ge=0,
        le=10,
        description="Largest move of a channel against its current spend, where it has no bounds of"
        " its own; of the most it was seen to spend, where it rests.",
    )
    beyond_observed: bool = Field(
        False, description="Let a plan leave the range of spend that was observed. It is flagged."
    )
    target_return: float = Field(
        1.0, gt=0, description="mROAS (KPI per money where the KPI has no value) that breaks even."
    )
    min_prob_gain: float = Field(
        0.9,
        ge=0.5,
        lt=1,
        description="Advice is withheld where the probability of a gain is below.",
    )
    method: str = Field(
        "slsqp",
        min_length=1,
        max_length=60,
        description="`slsqp`, `trust-constr`, `l-bfgs-b`, or one that an installed package adds.",
    )
    n_starts: int = Field(
        16,
        ge=1,
        le=1000,
        description="Starting points; how many of them agree is part of a plan. At most 4, on 250 "
        "draws, where every step has to evaluate the model: `flighting`, and kind "
        "`log_student_t`.",
    )
    min_gain_share: float = Field(
        0.001,
        ge=0,
        lt=1,
        description="Advice is withheld where the mean gain is a smaller share of the KPI.",
    )
    n_draws: int = Field(1000, ge=50, le=20_000, description="Posterior draws that are used.")
    likelihood_power: float = Field(
        0.8,
        ge=0.2,
        le=1,
        description="A plan is made and judged as if there were this share of the data, since no "
        "model is the world: with less, returns lean more on the prior and a gain is stated with "
        "more caution. 1 takes the posterior as it is. Kinds with a prior.",
    )
    by_entity: bool = Field(
        False, description="Plan every entity, not only the split between channels."
    )
    flighting: bool = Field(False, description="Plan every period, not only totals.")


class ChannelBounds(SpecModel):
    """How far one channel may go over the horizon: against current spend, or in money."""

    low: float | None = Field(
        None,
        ge=0,
        description="Least spend that a budget plan may give the channel, as a multiple of its "
        "current spend.",
    )
    high: float | None = Field(None, ge=0, description="Most spend, as a multiple of current.")
    min_spend: float | None = Field(
        None, ge=0, description="Least spend over the horizon, in money; instead of `low`."
    )
    max_spend: float | None = Field(
        None, ge=0, description="Most spend over the horizon, in money; instead of `high`."
    )

    @model_validator(mode="after")
    def _low_before_high(self) -> Self:
        for least, most in ((self.low, self.high), (self.min_spend, self.max_spend)):
            if least is not None and most is not None and least > most:
                raise ValueError(f"the lower bound {least:g} is above the upper bound {most:g}")
        if (self.low is not None and self.min_spend is not None) or (
            self.high is not None and self.max_spend is not None
        ):
            raise ValueError("give a bound as a multiple of current spend or in money, not both")
        return self


class GroupBounds(SpecModel):
    """How much some channels may cost together over the horizon."""

    name: str = Field(
        min_length=1,
        max_length=200,
        description="Name of a group of channels with a bound of its own.",
    )
    channels: list[str] = Field(min_length=1, description="Its channels.")
    min_spend: float | None = Field(
        None, ge=0, description="Least spend of the group over the horizon, in money."
    )
    max_spend: float | None = Field(None, ge=0, description="Most spend of it.")
    min_share: float | None = Field(
        None, ge=0, le=1, description="Least share of the whole budget."
    )
    max_share: float | None = Field(None, ge=0, le=1, description="Most share of it.")

    @model_validator(mode="after")
    def _some_bound_in_order(self) -> Self:
        pairs = ((self.min_spend, self.max_spend), (self.min_share, self.max_share))
        if all(end is None for pair in pairs for end in pair):
            raise ValueError(f"group {self.name!r} has no bound")
        for least, most in pairs:
            if least is not None and most is not None and least > most:
                raise ValueError(
                    f"group {self.name!r}: the lower bound {least:g} is above the upper {most:g}"
                )
        return self


class PlanBounds(SpecModel):
    """Bounds of channels and groups; a file of this form is what ``--bounds`` takes."""

    channels: dict[str, ChannelBounds] = {}
    groups: list[GroupBounds] = []
