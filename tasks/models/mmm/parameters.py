"""Every free parameter of kind ``mmm`` with its prior, declared once.

The PyMC graph makes its random variables from this table, and the compiled kernel its offsets and
constants, so that the two cannot drift apart. A *pooled* parameter has one value per group (a
channel or a term) and entity, which differ from their average by contrasts:

    mean ~ its own prior,  spread ~ LogNormal
    z_j ~ Normal(0, spread^w),  j = 1..n_entities - 1
    value_e = mean + offset_e + sum_j contrast[e, j] * spread^(1 - w) * z_j

Columns of ``contrast`` are orthonormal and sum to zero (Helmert), so the deviations are those of
Normal(mean, spread) less their average, for every weight ``w``; see ``geometry``. That the mean is
the average of the entities at hand, not of a population, takes one funnel out of the posterior: the
data fix it whatever the spread is.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


class PriorKind(StrEnum):
    """Families of priors; each has one transform to the real line."""

    NORMAL = "normal"
    """Mean and standard deviation; unbounded."""
    LOG_NORMAL = "log_normal"
    """Mean and standard deviation of the logarithm; positive."""
    HALF_NORMAL = "half_normal"
    """Standard deviation, and an unused 0; positive."""
    GAMMA = "gamma"
    """Shape and rate; positive."""
    BETA = "beta"
    """Both shapes; in (0, 1)."""


@dataclass(frozen=True)
class Parameter:
    """One named array of independent parameters."""

    name: str
    dims: tuple[str, ...]
    prior: PriorKind
    first: Array
    """First argument of the prior, one per cell."""
    second: Array
    """Second argument of the prior, one per cell."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Cells along ``dims``."""
        return self.first.shape


@dataclass(frozen=True)
class SizeParameter:
    """Logarithms of how much each channel brings.

    Normal where the spec states a prior. Elsewhere the size itself is gamma, whose density does not
    vanish at zero, so that "nothing" can be the answer:

        z = log size - location (- log common),   density exp(shape * z - exp(z)) / gamma(shape)

    The common factor is one parameter for all channels that follow it.
    """

    name: str
    dims: tuple[str, ...]
    first: Array
    """Along ``dims``, channels first: mean, or location."""
    second: Array
    """Likewise: standard deviation, or shape."""
    is_gamma: NDArray[np.bool_]
    """Likewise: no prior was stated."""
    follows: NDArray[np.bool_]
    """Likewise: in units of the common factor."""
    common: str
    """Name of the common factor; it stands before the sizes, or none follows it. One of all, or one
    along the last of ``dims``."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Cells along ``dims``."""
        return self.first.shape


@dataclass(frozen=True)
class PooledParameter:
    """Values of groups and entities around the average of each group.

    ``mean`` and ``spread`` name parameters of shape ``(group,)``; the spread counts in ``unit``.
    """

    name: str
    dims: tuple[str, str]
    """Dims of the values; entities are the one that is not ``group_axis``."""
    group_axis: int
    n_entities: int
    mean: str
    spread: str
    unit: Array
    """``(group,)``"""
    weight: Array
    """Weight of centering, ``(group,)``."""
    offset: Array
    """``(group, entity)``: what is known to differ; each row adds up to zero."""

    @property
    def z_name(self) -> str:
        """Name of the sampled contrasts."""
        return f"{self.name}_z"

    @property
    def shape(self) -> tuple[int, ...]:
        """Sampled contrasts, ``(group, n_entities - 1)``."""
        return (len(self.unit), self.n_entities - 1)


def contrasts(n_entities: int) -> Array:
    """Orthonormal Helmert contrasts, ``(n_entities, n_entities - 1)``; each column sums to zero."""
    columns = np.arange(1, n_entities)
    upper = np.arange(n_entities)[:, None] < columns
    matrix = np.where(upper, 1.0, 0.0)
    matrix[columns, columns - 1] = -columns
    return matrix / np.sqrt(columns * (columns + 1.0))


Entry = Parameter | SizeParameter | PooledParameter


@dataclass(frozen=True)
class ParameterTable:
    """Free parameters in sampling order."""

    entries: tuple[Entry, ...]
    coords: Mapping[str, list[str]]

    @property
    def size(self) -> int:
        """Length of the unconstrained vector."""
        return sum(int(np.prod(entry.shape)) for entry in self.entries)

    def offsets(self) -> dict[str, int]:
        """Position of every entry's first cell in the unconstrained vector."""
        sizes = [int(np.prod(entry.shape)) for entry in self.entries]
        starts = np.cumsum([0, *sizes])
        return {entry.name: int(at) for entry, at in zip(self.entries, starts, strict=False)}

    def __contains__(self, name: object) -> bool:
        """Whether an entry has this name."""
        return any(entry.name == name for entry in self.entries)

    def __getitem__(self, name: str) -> Entry:
        """Entry of a name."""
        return next(entry for entry in self.entries if entry.name == name)


def parameter(
    name: str, dims: tuple[str, ...], prior: PriorKind, first: object, second: object
) -> Parameter:
    """Make a parameter; the arguments of its prior are broadcast against each other."""
    one, two = np.broadcast_arrays(np.asarray(first, float), np.asarray(second, float))
    return Parameter(name, dims, prior, np.array(one), np.array(two))
