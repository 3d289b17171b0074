"""A transform of media of somebody else in kind ``mmm``: what it has to be.

It takes the place of carryover and saturation. ``transform`` is written in PyTensor, once: the
graph that is sampled, the evaluation of draws and the gradient of a plan are all made of it
(``own_graph``). It is tried out by ``own_trial``; how a class is found and permitted stands in
``tasks.models.foreign``.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from math import isfinite
from typing import Any, Protocol

from tasks.models.foreign import make_transform
from tasks.models.mmm.parameters import PriorKind

OWN_KEY = "model.transform"
FAMILY = "transform"
"""Before the names of its parameters: ``transform_power``."""
_MOST_PARAMETERS = 4


class Transform(Protocol):
    """What a class has to be, whose instances are made without arguments."""

    priors: Mapping[str, tuple[str, float, float]]
    """Prior of each parameter of a channel: a family of ``PriorKind`` with its two arguments."""
    l_max: int
    """Periods in which an input is felt, its own included."""

    def transform(self, x: Any, **parameters: Any) -> Any:
        """Return what input ``(period,)`` becomes: as long, not negative, of the past alone.

        Input is a vector of PyTensor, parameters are scalars of it.
        """
        ...


@dataclass(frozen=True)
class OwnTransform:
    """A class of somebody else that passed ``find_transform``."""

    name: str
    made: Transform

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of its parameters."""
        return tuple(self.made.priors)

    @property
    def l_max(self) -> int:
        """Periods in which an input is felt."""
        return self.made.l_max

    def prior(self, parameter: str) -> tuple[PriorKind, float, float]:
        """Return family and arguments of one parameter's prior."""
        family, first, second = self.made.priors[parameter]
        return PriorKind(family), float(first), float(second)


@cache
def find_transform(name: str) -> OwnTransform:
    """Return the transform that a spec names.

    Raises
    ------
    SpecError
        If this machine does not permit its module, it cannot be imported, or it is no transform.
    """
    return OwnTransform(name, make_transform(name, OWN_KEY, _prior_problems))


def _prior_problems(made: Any) -> Iterator[str]:
    priors = getattr(made, "priors", None)
    if not isinstance(priors, Mapping) or not 1 <= len(priors) <= _MOST_PARAMETERS:
        yield f"priors is no mapping of one to {_MOST_PARAMETERS} parameter names to priors"
        return
    for name, prior in priors.items():
        if not _is_prior(prior):
            yield (
                f"priors[{name!r}] is {prior!r}; write (family, first, second), as in "
                f"('beta', 2, 2), with a family of {', '.join(PriorKind)}"
            )


def _is_prior(prior: Any) -> bool:
    """Whether it is a family with arguments that it can have."""
    if not isinstance(prior, Sequence) or isinstance(prior, str) or len(prior) != 3:
        return False
    family, *numbers = prior
    if family not in set(PriorKind) or not all(_is_number(value) for value in numbers):
        return False
    first, second = numbers
    if family == PriorKind.HALF_NORMAL:
        return bool(first > 0)
    needs_positive_first = family in (PriorKind.GAMMA, PriorKind.BETA)
    return bool(second > 0 and (first > 0 or not needs_positive_first))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)
