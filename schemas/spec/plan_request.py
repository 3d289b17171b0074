"""What a plan is asked: models, an aim, or a plan that somebody wrote."""

from typing import Self

from pydantic import Field, model_validator

from schemas.spec.base import SpecModel
from schemas.spec.optimizer import OptimizerSpec, PlanBounds


class PlannedModel(SpecModel):
    """One model that a plan speaks for; ``weight`` turns its KPI into the plan's common unit."""

    dataset_id: str
    run_id: str | None = Field(None, description="Default: the champion's run.")
    weight: float = Field(1.0, gt=0)


class SpendRow(SpecModel):
    """One row of a hand-written plan: money, or a change of current spend."""

    channel: str
    entity_id: str | None = Field(None, description="Default: all, split as today.")
    period: int | None = Field(None, ge=1, description="1 is the first; default: all, as today.")
    spend: float | None = Field(None, ge=0, description="Money over the periods it speaks of.")
    change: float | None = Field(None, ge=-1, description="0.1 is 10 % more than today.")

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        if (self.spend is None) is (self.change is None):
            raise ValueError(f"channel {self.channel!r} needs spend or change, and not both")
        return self


class PlanRequest(SpecModel):
    """One plan. Without budget and target the budget is current spend.

    ``what_if`` evaluates a hand-written plan instead of optimizing; channels that it leaves out
    stay as they are.
    """

    models: list[PlannedModel] = Field(min_length=1)
    separate: bool = Field(
        False,
        description="Channels of one name in several models are different money (brands, markets); "
        "otherwise one budget drives several KPIs.",
    )
    name: str | None = Field(None, pattern=r"^[A-Za-z0-9][A-Za-z0-9_. -]{0,79}$")
    budget: float | None = Field(None, gt=0, description="Money over the horizon.")
    target_roas: float | None = Field(
        None, gt=0, description="Spend as much as returns this on average."
    )
    target_mroas: float | None = Field(
        None, gt=0, description="Spend until the last unit of money returns this."
    )
    settings: OptimizerSpec | None = Field(None, description="Default: that of the model's run.")
    bounds: PlanBounds | None = Field(None, description="Default: that of the model's run.")
    what_if: list[SpendRow] | None = None
    random_seed: int = Field(42, ge=0, lt=2**32)

    @model_validator(mode="after")
    def _one_aim(self) -> Self:
        aims = [self.budget, self.target_roas, self.target_mroas, self.what_if]
        if sum(aim is not None for aim in aims) > 1:
            raise ValueError(
                "give one of budget, target ROAS, target mROAS and a hand-written plan"
            )
        names = [model.dataset_id for model in self.models]
        if len(set(names)) < len(names):
            raise ValueError(f"a dataset is named twice: {', '.join(names)}")
        return self
