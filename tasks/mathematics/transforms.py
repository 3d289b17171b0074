"""What a learned transform of media declares, carryover and saturation alike."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple


class TransformPrior(NamedTuple):
    """Prior of one learned parameter."""

    family: str
    """``normal``, ``log_normal``, ``half_normal``, ``gamma`` or ``beta``."""
    first: float
    second: float
    """Its arguments; ``tasks.models.mmm.parameters.PriorKind`` says which ones."""
    peak_power: float = 0.0
    """Power of the channel's largest input that it is proportional to: 1 for a half-saturation, -1
    for a rate, 0 for a shape. Only for ``log_normal``, whose mean of the logarithm moves."""


@dataclass(frozen=True, kw_only=True)
class Transform:
    """One form of carryover or saturation."""

    priors: Mapping[str, TransformPrior]
    """Learned parameters by name, in the order in which the compiled density takes them."""
    stock: str
    """Class of ``pymc_marketing.mmm`` that is the same transform."""

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of the learned parameters."""
        return tuple(self.priors)
