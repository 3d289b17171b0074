"""What a model explains: the KPI, and the value of a unit in money."""

from typing import Self

from pydantic import Field, model_validator

from schemas.spec.base import Choice, SpecModel


class KpiKind(Choice):
    """Decides the words: revenue gives ROAS, a count gives cost per unit."""

    REVENUE = "revenue"
    COUNT = "count"


class KpiSpec(SpecModel):
    """What is explained. ``value_per_unit`` makes a count money: a number or a source column."""

    name: str | None = Field(
        None,
        min_length=1,
        max_length=200,
        description="Name of the KPI in tables and reports; default: the column.",
    )
    kind: KpiKind = Field(KpiKind.REVENUE, description="`revenue`: ROAS; `count`: cost per unit.")
    value_per_unit: float | str | None = Field(
        None, description="Money per unit of a count: a number or a column."
    )

    currency: str | None = Field(
        None,
        min_length=1,
        max_length=12,
        description="Written beside money in the report: `EUR`, `$`. Nothing is converted.",
    )

    @model_validator(mode="after")
    def _positive_value(self) -> Self:
        if isinstance(self.value_per_unit, float) and self.value_per_unit <= 0:
            raise ValueError("value_per_unit must be positive")
        return self
