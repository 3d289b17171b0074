"""Lift tests: experiments that say what a change of spend did to the KPI."""

from datetime import date, datetime
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, model_validator

from schemas.spec.base import SpecModel


def _calendar_day(value: Any) -> Any:
    """Refuse numbers, which would be taken for seconds since 1970."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    if isinstance(value, str):
        try:
            return date.fromisoformat(value.strip())
        except ValueError:
            pass
    raise ValueError("must be a date such as 2026-03-02")


Day = Annotated[date, BeforeValidator(_calendar_day)]


class LiftTest(SpecModel):
    """One experiment: ``delta_spend`` more of a channel would have brought ``delta_kpi``.

    Both differences are measured from the spend in the data. A test that the data contain (spend
    was raised, or switched off, and the file says so) is entered as the way back: with the sign of
    both turned.
    """

    channel: str = Field(min_length=1, max_length=200, description="Channel of the experiment.")
    entity: str | None = Field(
        None,
        min_length=1,
        max_length=200,
        description="Entity of the experiment; default: all together.",
    )
    start: Day = Field(description="First day.")
    end: Day = Field(description="Last day, itself included.")
    delta_spend: float = Field(
        description="Change of spend over the whole test, measured from the spend in the data: an "
        "experiment that the data contain is entered as the way back."
    )
    delta_kpi: float = Field(
        description="Change of the KPI that it made, later carryover included."
    )
    standard_error: float = Field(gt=0, description="Standard error of `delta_kpi`.")

    @model_validator(mode="after")
    def _is_a_contrast(self) -> Self:
        if self.end < self.start:
            raise ValueError(f"end {self.end} is before start {self.start}")
        if self.delta_spend == 0:
            raise ValueError("delta_spend is 0; a test has to change spend")
        return self

    @property
    def label(self) -> str:
        """The test in words: channel, entity and days."""
        where = f", {self.entity}" if self.entity else ""
        return f"{self.channel}{where}, {self.start} to {self.end}"


def distinct_rows(tests: Any) -> Any:
    """Return the rows of ``lift_tests`` as given; refuse a path and a row that is there twice.

    Raises
    ------
    ValueError
        With the rule; a path can be followed only where the spec file is read.
    """
    if isinstance(tests, str):
        raise ValueError("a path works in a spec file only; give the rows of the tests here")
    if isinstance(tests, list):
        for position, row in enumerate(tests):
            if row in tests[:position]:
                raise ValueError(
                    f"row {position} repeats row {tests.index(row)}; counted twice, an experiment "
                    "would weigh double"
                )
    return tests
