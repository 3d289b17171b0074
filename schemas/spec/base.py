"""The base of everything that people write: frozen, bounded, no unknown keys."""

from enum import StrEnum
from typing import Self

from pydantic import BaseModel, ConfigDict


class SpecModel(BaseModel):
    """Frozen base of everything in a run spec; unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Choice(StrEnum):
    """One of a few words; `week`, `Week` and `WEEK` are the same choice."""

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        """Return the choice that is spelled so but for case and blanks around it."""
        if not isinstance(value, str):
            return None
        spelled = value.strip().casefold()
        return next((choice for choice in cls if choice.value.casefold() == spelled), None)
