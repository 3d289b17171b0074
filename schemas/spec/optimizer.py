"""What a budget plan may do: horizon, utility, bounds, and when advice is withheld."""

from enum import StrEnum
from typing import Self

from pydantic import Field, model_validator

from schemas.spec.base import SpecModel


class Utility(StrEnum):
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
        13, ge=1, le=104, description="Periods that are planned; today is as many periods before."
    )
    utility: Utility = Utility.MEAN
    risk_level: float = Field(0.1, gt=0, lt=0.5, description="Tail share of var and cvar.")
    max_change: float = Field(
        0.3, ge=0, le=10, description="Largest move of a channel against its current spend."
    )
    beyond_observed: bool = Field(
        False, description="Let a plan leave the range of spend that was observed; it is flagged."
    )
    target_return: float = Field(
        1.0, gt=0, description="mROAS (KPI per money where KPI has no value) that breaks even."
    )
    min_prob_gain: float = Field(
        0.9, ge=0.5, lt=1, description="Advice is withheld where P(gain > 0) is below."
    )
    method: str = Field("slsqp", min_length=1, max_length=60)
    n_starts: int = Field(16, ge=1, le=1000)
    n_draws: int = Field(1000, ge=50, le=20_000, description="Posterior draws that are used.")
    by_entity: bool = Field(False, description="Plan every entity, not only the split of channels.")
    flighting: bool = Field(False, description="Plan every period, not only totals.")


class ChannelBounds(SpecModel):
    """How far one channel may go over the horizon: against current spend, or in money."""

    low: float | None = Field(None, ge=0, description="Least spend, as a multiple of current.")
    high: float | None = Field(None, ge=0, description="Most spend, as a multiple of current.")
    min_spend: float | None = Field(None, ge=0, description="Least spend over the horizon, money.")
    max_spend: float | None = Field(None, ge=0, description="Most spend over the horizon, money.")

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

    name: str = Field(min_length=1, max_length=200)
    channels: list[str] = Field(min_length=1)
    min_spend: float | None = Field(None, ge=0, description="Money.")
    max_spend: float | None = Field(None, ge=0, description="Money.")
    min_share: float | None = Field(None, ge=0, le=1, description="Share of the whole budget.")
    max_share: float | None = Field(None, ge=0, le=1, description="Share of the whole budget.")

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
