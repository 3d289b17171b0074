"""The factor by which all media rise and fall together, and its adjoint."""

import math

from tasks.models.mmm.kernel import codes as at
from tasks.models.mmm.kernel.elementary import Floats, Ints, compiled, fill
from tasks.models.mmm.kernel.media import part


@compiled
def set_multiplier(ints: Ints, floats: Floats, work: Floats) -> None:
    """Compute the factor, with mean one; without a curve it is one in every period."""
    n, n_basis = ints[at.H_PERIODS], ints[at.H_BASIS]
    multiplier = part(work, ints[at.W_MULTIPLIER], 0, n)
    if n_basis == 0:
        fill(multiplier, 1.0)
        return
    scale = work[ints[at.W_VALUES] + ints[at.H_TREND_SCALE]]
    weights = part(work, ints[at.W_VALUES] + ints[at.H_TREND_WEIGHT], 0, n_basis)
    for k in range(n_basis):
        basis = part(floats, ints[at.F_TREND], k, n)
        for t in range(n):
            multiplier[t] += scale * weights[k] * basis[t]
    total = 0.0
    for t in range(n):
        multiplier[t] = math.exp(multiplier[t])
        total += multiplier[t]
    for t in range(n):
        multiplier[t] *= n / total


@compiled
def multiplier_adjoint(ints: Ints, floats: Floats, work: Floats) -> None:
    """Turn the adjoint of the factor into those of the curve's size and weights."""
    n, n_basis = ints[at.H_PERIODS], ints[at.H_BASIS]
    if n_basis == 0:
        return
    multiplier = part(work, ints[at.W_MULTIPLIER], 0, n)
    adjoint = part(work, ints[at.W_G_MULTIPLIER], 0, n)
    scale = work[ints[at.W_VALUES] + ints[at.H_TREND_SCALE]]
    pull = 0.0
    for t in range(n):
        pull += adjoint[t] * multiplier[t] / n
    for k in range(n_basis):
        basis = part(floats, ints[at.F_TREND], k, n)
        g = 0.0
        for t in range(n):
            g += multiplier[t] * (adjoint[t] - pull) * basis[t]
        position = ints[at.H_TREND_WEIGHT] + k
        work[ints[at.W_ADJOINT] + position] += scale * g
        weight = work[ints[at.W_VALUES] + position]
        work[ints[at.W_ADJOINT] + ints[at.H_TREND_SCALE]] += weight * g
