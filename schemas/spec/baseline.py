"""What a run spec says beside media: controls, the trend, events and holidays."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, model_validator

from schemas.spec.base import Choice, SpecModel

HOLIDAYS_TERM = "holidays"
"""Name of the one event term that ``model.holidays`` adds."""


class ControlSign(Choice):
    """Which way a control may move the KPI."""

    ANY = "any"
    POSITIVE = "positive"
    NEGATIVE = "negative"


class ControlReference(Choice):
    """Value of a control at which it contributes nothing, of each entity in the fitted window."""

    ZERO = "zero"
    MEAN = "mean"
    MIN = "min"
    MAX = "max"


class ControlSpec(SpecModel):
    """One control. ``decay`` is stated, not learned: the share that stays for the next period."""

    name: str = Field(
        min_length=1,
        max_length=200,
        description="Column of a control. `controls: [price, promo]` is the short form; default: "
        "all `ctrl_*`.",
    )
    sign: ControlSign = Field(
        ControlSign.ANY,
        description="`positive` or `negative` where its effect can only go one way.",
    )
    decay: float = Field(
        0.0, ge=0, lt=1, description="Stated carryover: the share that stays for the next period."
    )
    max_lag: int = Field(8, ge=0, le=104, description="Last lag of it that counts.")
    reference: ControlReference | Annotated[float, Field(allow_inf_nan=False)] | None = Field(
        None,
        exclude_if=lambda reference: reference is None,
        description="Value at which it contributes nothing: `zero`, `mean`, `min`, `max` (of each "
        "entity over the fitted window) or a number. Default: `zero` where it is zero in most "
        "periods or is 0 or one other value (a promotion, closed weeks), else `mean`.",
    )


def _long_control(control: Any) -> Any:
    return {"name": control} if isinstance(control, str) else control


Control = Annotated[ControlSpec, BeforeValidator(_long_control)]
"""A control in the long form; a spec may give the column alone."""


class TrendKind(Choice):
    """No trend, a straight line, a line with bends, or a smooth curve (a Gaussian process)."""

    NONE = "none"
    LINEAR = "linear"
    PIECEWISE = "piecewise"
    GP = "gp"


class TrendSpec(SpecModel):
    """Shape of the trend: ``changepoints`` bend a line, the rest shapes the smooth curve."""

    kind: TrendKind = Field(
        TrendKind.LINEAR,
        description="`none`, `linear`, `piecewise` (a line with bends) or `gp` (a smooth curve). "
        "`trend: gp` and `trend: false` are short forms.",
    )
    changepoints: int = Field(
        6, ge=1, le=50, description="Bends of `piecewise`, evenly spaced over the fitted periods."
    )
    length_scale: float = Field(
        52.0, gt=0, le=10_000, description="Periods over which `gp` may turn."
    )
    basis: int = Field(8, ge=1, le=100, description="Number of basis functions of `gp`.")


def _long_trend(trend: Any) -> Any:
    if isinstance(trend, bool):
        return {"kind": TrendKind.LINEAR if trend else TrendKind.NONE}
    return {"kind": trend} if isinstance(trend, str) else trend


Trend = Annotated[TrendSpec, BeforeValidator(_long_trend)]
"""A trend in the long form; a spec may give a kind alone, or true (linear) and false (none)."""


class EventSpec(SpecModel):
    """One event by its days: a list, or the first and the last day."""

    name: str = Field(
        min_length=1,
        max_length=200,
        description="Name of an event; its column is the share of a period's days that belong to "
        "it.",
    )
    dates: list[date] = Field([], description="Its days, or else `start` and `end`.")
    start: date | None = Field(None, description="Its first day.")
    end: date | None = Field(None, description="Its last day.")

    @model_validator(mode="after")
    def _days_in_one_way(self) -> Self:
        has_range = self.start is not None and self.end is not None
        if bool(self.dates) is has_range or (self.start is None) is not (self.end is None):
            raise ValueError(f"event {self.name!r} needs dates, or start and end, and not both")
        if self.start and self.end and self.end < self.start:
            raise ValueError(f"event {self.name!r} ends {self.end}, before it starts {self.start}")
        return self

    @property
    def days(self) -> list[date]:
        """Every day of the event once, oldest first."""
        if self.start is None or self.end is None:
            return sorted(set(self.dates))
        length = (self.end - self.start).days + 1
        return [self.start + timedelta(days=n) for n in range(length)]


def refuse_repeats(what: str, names: Sequence[str]) -> None:
    """Raise if a name is given to two things of one sort."""
    repeated = sorted({n for n in names if names.count(n) > 1})
    if repeated:
        raise ValueError(f"{what} named twice: {', '.join(repeated)}")
