"""What a run spec says about the fixed transforms of kind ``log_student_t``."""

from typing import Annotated

from pydantic import Field

from schemas.spec.base import SpecModel


class FixedAdstock(SpecModel):
    """Fixed geometric adstock ``y[t] = x[t] + decay * y[t-1]``, cut after ``max_lag`` periods."""

    decay_default: float = Field(0.5, ge=0, lt=1)
    per_channel: dict[str, Annotated[float, Field(ge=0, lt=1)]] = {}
    max_lag: int = Field(13, ge=0, le=104)


class FixedSaturation(SpecModel):
    """Fixed Hill curve ``x^S / (K^S + x^S)`` on adstocked activity divided by its maximum."""

    enabled: bool = True
    type: Annotated[str, Field(pattern="^hill$")] = "hill"
    K: float = Field(0.5, gt=0)
    S: float = Field(1.0, gt=0)


class FixedSeasonality(SpecModel):
    """Yearly Fourier terms with ``K`` harmonics."""

    enabled: bool = True
    K: int = Field(2, ge=1, le=26)


class FixedTrend(SpecModel):
    """Linear trend ``(t - mean) / std``."""

    enabled: bool = True


class FeatureConfig(SpecModel):
    """Fixed transforms of kind ``log_student_t``."""

    adstock: FixedAdstock = FixedAdstock()
    saturation: FixedSaturation = FixedSaturation()
    seasonality: FixedSeasonality = FixedSeasonality()
    trend: FixedTrend = FixedTrend()
