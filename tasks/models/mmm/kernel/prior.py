"""Priors of all free parameters, and the step from sampling coordinates to values."""

import math

from tasks.models.mmm.kernel.codes import (
    BETA,
    GAMMA,
    HALF_NORMAL,
    NORMAL,
    POOLED,
    RELATIVE_SIZE,
    SIZE,
)
from tasks.models.mmm.kernel.elementary import Floats, Ints, compiled


@compiled
def constrain(codes: Ints, x: Floats, values: Floats, slopes: Floats) -> None:
    """Values of the parameters and their derivatives by ``x``; pooled values come later."""
    for i in range(x.shape[0]):
        if codes[i] == NORMAL or codes[i] >= POOLED:
            values[i] = x[i]
            slopes[i] = 1.0
        elif codes[i] == BETA:
            values[i] = 1.0 / (1.0 + math.exp(-x[i]))
            slopes[i] = values[i] * (1.0 - values[i])
        else:
            values[i] = math.exp(x[i])
            slopes[i] = values[i]


@compiled
def add_priors(
    codes: Ints,
    first: Floats,
    second: Floats,
    common: int,
    n_commons: int,
    x: Floats,
    values: Floats,
    grad: Floats,
) -> float:
    """Log prior density in sampling coordinates, Jacobian included, less its constants.

    Writes the derivative by ``x`` over ``grad``. The common factors, from position ``common`` on,
    are before what follows them: one of all, or one of each entity, which sizes have in turn.
    """
    total, n_sizes = 0.0, 0
    for i in range(x.shape[0]):
        a, b = first[i], second[i]
        if codes[i] == POOLED:
            grad[i] = 0.0
        elif codes[i] == SIZE or codes[i] == RELATIVE_SIZE:
            own = common + n_sizes % n_commons if codes[i] == RELATIVE_SIZE else common
            n_sizes += codes[i] == RELATIVE_SIZE
            scaled = x[i] - a - (x[own] if codes[i] == RELATIVE_SIZE else 0.0)
            size = math.exp(scaled)
            total += b * scaled - size
            grad[i] = b - size
            if codes[i] == RELATIVE_SIZE:
                grad[own] -= b - size
        elif codes[i] == HALF_NORMAL:
            scaled = (values[i] / a) ** 2
            total += x[i] - 0.5 * scaled
            grad[i] = 1.0 - scaled
        elif codes[i] == GAMMA:
            total += a * x[i] - b * values[i]
            grad[i] = a - b * values[i]
        elif codes[i] == BETA:
            # log(sigmoid) without overflow at either end.
            low = min(x[i], 0.0) - math.log1p(math.exp(-abs(x[i])))
            total += a * low + b * (low - x[i])
            grad[i] = a - (a + b) * values[i]
        else:
            scaled = (x[i] - a) / b
            total -= 0.5 * scaled * scaled
            grad[i] = -scaled / b
    return total


@compiled
def pool(
    groups: Ints,
    weights: Floats,
    units: Floats,
    offsets: Floats,
    n_entities: int,
    x: Floats,
    values: Floats,
) -> float:
    """Log density of pooled contrasts, less constants; writes the values behind the parameters.

    ``groups`` has four positions per group: first contrast, mean, spread, first value.
    """
    total = 0.0
    for i in range(weights.shape[0]):
        first, w, spread = groups[4 * i], weights[i], values[groups[4 * i + 2]] * units[i]
        log_spread = math.log(spread)
        width = math.exp(w * log_spread)
        mean, cells = values[groups[4 * i + 1]], groups[4 * i + 3]
        # Helmert: contrast j adds to entities before j and takes it all from entity j.
        behind = 0.0
        for e in range(n_entities - 1, 0, -1):
            scaled = x[first + e - 1] / width
            total -= 0.5 * scaled * scaled
            step = spread * scaled / math.sqrt(e * (e + 1.0))
            values[cells + e] = mean + behind - e * step + offsets[i * n_entities + e]
            behind += step
        values[cells] = mean + behind + offsets[i * n_entities]
        total -= (n_entities - 1) * w * log_spread
    return total


@compiled
def pool_adjoint(
    groups: Ints,
    weights: Floats,
    units: Floats,
    n_entities: int,
    x: Floats,
    values: Floats,
    adjoint: Floats,
    grad: Floats,
) -> None:
    """Turn the adjoints of pooled values into those of contrasts, mean and spread.

    ``adjoint`` is by value, ``grad`` by ``x``; the contrasts' go to ``grad``.
    """
    for i in range(weights.shape[0]):
        first, w, spread = groups[4 * i], weights[i], values[groups[4 * i + 2]] * units[i]
        width = math.exp(w * math.log(spread))
        cells = groups[4 * i + 3]
        before, by_spread = adjoint[cells], 0.0
        for e in range(1, n_entities):
            scaled = x[first + e - 1] / width
            g_step = (before - e * adjoint[cells + e]) / math.sqrt(e * (e + 1.0))
            grad[first + e - 1] += (g_step * spread - scaled) / width
            by_spread += (1.0 - w) * g_step * scaled + w * scaled * scaled / spread
            before += adjoint[cells + e]
        adjoint[groups[4 * i + 1]] += before
        by_spread -= (n_entities - 1) * w / spread
        adjoint[groups[4 * i + 2]] += by_spread * units[i]
