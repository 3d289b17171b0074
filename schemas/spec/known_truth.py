"""The true curves of simulated data, as a backtest is told them."""

from pydantic import BaseModel, ConfigDict, Field


class KnownChannel(BaseModel):
    """What one channel truly brings.

    ``beta * carried^slope / (half_saturation^slope + carried^slope)``, where ``carried`` is the
    input over ``input_scale``, spread over ``l_max`` periods with weights ``retention^lag`` that
    add up to one.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)

    retention: float = Field(ge=0, lt=1)
    half_saturation: float = Field(gt=0)
    slope: float = Field(gt=0)
    beta: float | dict[str, float] = Field(
        description="KPI units at full saturation, of every entity or by entity."
    )
    input_scale: float = Field(gt=0, description="Input that counts as 1.")

    def amplitude(self, entity: str) -> float:
        """Return ``beta`` of an entity."""
        return self.beta[entity] if isinstance(self.beta, dict) else self.beta


class KnownTruth(BaseModel):
    """True curves of every channel; other keys of the file are its generator's own."""

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)

    l_max: int = Field(ge=1, le=208, description="Periods in which an input is felt.")
    channels: dict[str, KnownChannel] = Field(min_length=1)
