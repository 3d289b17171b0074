"""Between the sampler's coordinates and the model's.

NUTS moves in coordinates ``u`` in which the posterior is roughly round: ``x = origin + factor @ u``
with the factor of a Laplace approximation. The log density changes by a constant only.
"""

from tasks.models.mmm.kernel import codes as at
from tasks.models.mmm.kernel.elementary import Floats, Ints, compiled, fill


@compiled
def from_preconditioned(u: Floats, ints: Ints, floats: Floats, x: Floats) -> None:
    """Write the model's point ``x`` that belongs to ``u``."""
    n = u.shape[0]
    if ints[at.H_PRECONDITIONER] == at.NO_PRECONDITIONER:
        for i in range(n):
            x[i] = u[i]
        return
    origin = floats[ints[at.F_ORIGIN] : ints[at.F_ORIGIN] + n]
    factor = floats[ints[at.F_FACTOR] :]
    if ints[at.H_PRECONDITIONER] == at.DIAGONAL_PRECONDITIONER:
        for i in range(n):
            x[i] = origin[i] + factor[i] * u[i]
        return
    for i in range(n):
        row = factor[i * n : i * n + i + 1]
        total = 0.0
        for j in range(i + 1):
            total += row[j] * u[j]
        x[i] = origin[i] + total


@compiled
def preconditioned_gradient(by_x: Floats, ints: Ints, floats: Floats, by_u: Floats) -> None:
    """Write the gradient by ``u``: the factor's transpose times the gradient by ``x``."""
    n = by_x.shape[0]
    if ints[at.H_PRECONDITIONER] == at.NO_PRECONDITIONER:
        for i in range(n):
            by_u[i] = by_x[i]
        return
    factor = floats[ints[at.F_FACTOR] :]
    if ints[at.H_PRECONDITIONER] == at.DIAGONAL_PRECONDITIONER:
        for i in range(n):
            by_u[i] = factor[i] * by_x[i]
        return
    fill(by_u, 0.0)
    for i in range(n):
        row, g = factor[i * n : i * n + i + 1], by_x[i]
        for j in range(i + 1):
            by_u[j] += g * row[j]
