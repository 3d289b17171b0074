"""What a run spec says about the fixed transforms of kind ``log_student_t``."""

from typing import Annotated

from pydantic import Field

from schemas.spec.base import SpecModel


class FixedAdstock(SpecModel):
    """Fixed geometric adstock ``y[t] = x[t] + decay * y[t-1]``, cut after ``max_lag`` periods."""

    decay_default: float = Field(
        0.5, ge=0, lt=1, description="Fixed weekly keep-rate (kind `log_student_t`)."
    )
    per_channel: dict[str, Annotated[float, Field(ge=0, lt=1)]] = Field(
        {}, description="Keep-rate by channel column."
    )
    max_lag: int = Field(13, ge=0, le=104, description="Last lag that counts.")


class FixedSaturation(SpecModel):
    """Fixed Hill curve ``x^S / (K^S + x^S)`` on adstocked activity divided by its maximum."""

    enabled: bool = Field(True, description="Fixed Hill curve on or off.")
    type: Annotated[str, Field(pattern="^hill$")] = Field("hill", description="`hill`.")
    K: float = Field(0.5, gt=0, description="Half-saturation, as a share of the maximum.")
    S: float = Field(1.0, gt=0, description="Slope.")


class FixedSeasonality(SpecModel):
    """Yearly Fourier terms with ``K`` harmonics."""

    enabled: bool = Field(True, description="Yearly Fourier terms on or off.")
    K: int = Field(2, ge=1, le=26, description="Harmonics.")


class FixedTrend(SpecModel):
    """Linear trend ``(t - mean) / std``."""

    enabled: bool = Field(True, description="Linear trend on or off.")


class FeatureConfig(SpecModel):
    """Fixed transforms of kind ``log_student_t``."""

    adstock: FixedAdstock = FixedAdstock()
    saturation: FixedSaturation = FixedSaturation()
    seasonality: FixedSeasonality = FixedSeasonality()
    trend: FixedTrend = FixedTrend()
