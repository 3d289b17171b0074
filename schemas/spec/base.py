"""The base of everything that people write: frozen, bounded, no unknown keys."""

from pydantic import BaseModel, ConfigDict


class SpecModel(BaseModel):
    """Frozen base of everything in a run spec; unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
