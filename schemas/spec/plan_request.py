"""What a plan is asked: models, an aim, or a plan that somebody wrote."""

from typing import Self

from pydantic import Field, model_validator

from schemas.spec.base import SpecModel
from schemas.spec.optimizer import OptimizerSpec, PlanBounds, Utility


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


class DeskRequest(SpecModel):
    """A plan by hand that is judged and not saved."""

    dataset_id: str = Field(max_length=64)
    run_id: str | None = Field(None, max_length=200, description="Default: the champion's run.")
    horizon: int | None = Field(None, ge=1, le=104, description="Default: that of the run.")
    utility: Utility | None = Field(None, description="Default: that of the run.")
    risk_level: float | None = Field(None, gt=0, lt=0.5, description="Default: that of the run.")
    rows: list[SpendRow] = Field([], max_length=1000, description="Default: spend as today.")

    @model_validator(mode="after")
    def _whole_channels(self) -> Self:
        if any(row.entity_id is not None or row.period is not None for row in self.rows):
            raise ValueError("a plan that is judged while one drags speaks of whole channels")
        return self

    @property
    def key(self) -> str:
        """What the opened model is known by: the same model and horizon, the same key."""
        return f"{self.dataset_id}/{self.run_id}/{self.horizon}"

    def as_plan(self) -> PlanRequest:
        """Return the request of a plan of this model, without rows."""
        return PlanRequest(models=[PlannedModel(dataset_id=self.dataset_id, run_id=self.run_id)])

    def as_saved(self, name: str | None, settings: OptimizerSpec) -> PlanRequest:
        """Return the request that saves this plan."""
        return self.as_plan().model_copy(
            update={"name": name, "settings": settings, "what_if": self.rows}
        )
