"""What is planned for coming periods: spend, activity and controls that a forecast is to use."""

from typing import Annotated, Any

from pydantic import Field

from schemas.spec.base import SpecModel
from schemas.spec.lift_tests import Day


class PlannedPeriod(SpecModel):
    """Values of one coming period, by column of the data; what is not named stays unknown."""

    period_start: Day = Field(description="Any day of the period.")
    entity: str | None = Field(
        None,
        min_length=1,
        max_length=200,
        description="Entity; only a panel of one entity needs none.",
    )
    values: dict[str, Annotated[float, Field(allow_inf_nan=False)]] = Field(
        min_length=1,
        description="Spend, activity and controls by their columns: `{spend_tv: 50000}`.",
    )


def distinct_periods(planned: Any) -> Any:
    """Return the rows of ``planned`` as given; refuse a path and a period that is there twice.

    Raises
    ------
    ValueError
        With the rule; a path can be followed only where the spec file is read.
    """
    if isinstance(planned, str):
        raise ValueError("a path works in a spec file only; give the rows of the plan here")
    if isinstance(planned, list):
        rows = [row for row in planned if isinstance(row, dict)]
        keys = [(str(row.get("period_start")), row.get("entity")) for row in rows]
        for position, key in enumerate(keys):
            if key in keys[:position]:
                where = f" of {key[1]}" if key[1] else ""
                raise ValueError(f"period {key[0]}{where} is planned twice; keep one row")
    return planned
