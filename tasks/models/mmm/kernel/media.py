"""From a channel's series to its response and contribution, and back.

``ints``, ``floats`` and ``work`` are the buffers of ``layout``. Tuples of arrays would read better,
but every call would count the references of every array in them.
"""

import math

from tasks.models.mmm.constants import SAFE
from tasks.models.mmm.kernel import codes as at
from tasks.models.mmm.kernel.carry import (
    carry_into,
    lag_weights,
    series_adjoint,
    weight_adjoint,
)
from tasks.models.mmm.kernel.elementary import Floats, Ints, compiled, sum_of
from tasks.models.mmm.kernel.saturations import saturate_adjoint, saturate_into


@compiled
def field(c: int, which: int, ints: Ints) -> int:
    """One field of a channel."""
    return ints[ints[at.I_CHANNELS] + c * at.CHANNEL_FIELDS + which]


@compiled
def amplitude(c: int, e: int, ints: Ints, floats: Floats) -> float:
    """Sign and reference of a contribution; 0 where the channel has no input."""
    return floats[ints[at.F_AMPLITUDE] + c * ints[at.H_ENTITIES] + e]


@compiled
def part(buffer: Floats, begin: int, row: int, length: int) -> Floats:
    """One row of an array in a buffer."""
    return buffer[begin + row * length : begin + (row + 1) * length]


@compiled
def _parameter(c: int, which: int, ints: Ints, work: Floats) -> float:
    position = field(c, which, ints)
    return work[ints[at.W_VALUES] + position] if position >= 0 else 1.0


@compiled
def _add_adjoint(c: int, which: int, amount: float, ints: Ints, work: Floats) -> None:
    position = field(c, which, ints)
    if position >= 0:
        work[ints[at.W_ADJOINT] + position] += amount


@compiled
def set_weights(ints: Ints, work: Floats) -> None:
    """Compute adstock weights of every channel and their derivatives."""
    n_lags = ints[at.H_LAGS]
    for c in range(ints[at.H_CHANNELS]):
        weights = part(work, ints[at.W_WEIGHTS], c, n_lags)
        if field(c, at.C_LAGS, ints) == 1:
            weights[0] = 1.0
            continue
        lag_weights(
            field(c, at.C_ADSTOCK, ints),
            field(c, at.C_LAGS, ints),
            _parameter(c, at.C_ADSTOCK_1, ints, work),
            _parameter(c, at.C_ADSTOCK_2, ints, work),
            weights,
            part(work, ints[at.W_WEIGHT_SLOPES], c, 2 * n_lags),
        )


@compiled
def weights_adjoint(ints: Ints, work: Floats) -> None:
    """Turn the adjoints of adstock weights into those of their parameters."""
    n_lags = ints[at.H_LAGS]
    for c in range(ints[at.H_CHANNELS]):
        used = field(c, at.C_LAGS, ints)
        if used == 1:
            continue
        g_weights = part(work, ints[at.W_G_WEIGHTS], c, n_lags)
        slopes = part(work, ints[at.W_WEIGHT_SLOPES], c, 2 * n_lags)
        for p in range(2):
            g = 0.0
            for lag in range(used):
                g += g_weights[lag] * slopes[p * used + lag]
            _add_adjoint(c, at.C_ADSTOCK_1 + p, g, ints, work)


@compiled
def forward_response(
    c: int, series: Floats, start: int, response: Floats, ints: Ints, work: Floats
) -> None:
    """Write the response of a series to ``response``, from period ``start`` of the series on.

    Rows ``c`` of ``W_INNER`` and ``W_AUX`` keep what the adjoint needs again.
    """
    kind, n_lags = field(c, at.C_SATURATION, ints), field(c, at.C_LAGS, ints)
    first, second = (
        _parameter(c, at.C_SATURATION_1, ints, work),
        _parameter(c, at.C_SATURATION_2, ints, work),
    )
    weights = part(work, ints[at.W_WEIGHTS], c, ints[at.H_LAGS])
    before = field(c, at.C_BEFORE, ints) == 1
    n = series.shape[0] if before else response.shape[0]
    inner = part(work, ints[at.W_INNER], c, ints[at.H_PADDED])[:n]
    aux = part(work, ints[at.W_AUX], c, ints[at.H_PADDED])[:n]
    scratch, spare = part(work, ints[at.W_SCRATCH], 0, n), part(work, ints[at.W_SPARE], 0, n)
    if before:
        saturate_into(kind, series, first, second, inner, aux, scratch, spare)
        carry_into(inner, weights, n_lags, start, response)
    else:
        carry_into(series, weights, n_lags, start, inner)
        saturate_into(kind, inner, first, second, response, aux, scratch, spare)


@compiled
def backward_response(
    c: int,
    series: Floats,
    start: int,
    response: Floats,
    g_response: Floats,
    ints: Ints,
    work: Floats,
) -> None:
    """Adjoint of ``forward_response``: adds to those of weights and of the curve's parameters."""
    kind, n_lags = field(c, at.C_SATURATION, ints), field(c, at.C_LAGS, ints)
    first, second = (
        _parameter(c, at.C_SATURATION_1, ints, work),
        _parameter(c, at.C_SATURATION_2, ints, work),
    )
    weights = part(work, ints[at.W_WEIGHTS], c, ints[at.H_LAGS])
    g_weights = part(work, ints[at.W_G_WEIGHTS], c, ints[at.H_LAGS])
    before = field(c, at.C_BEFORE, ints) == 1
    n = series.shape[0] if before else response.shape[0]
    inner = part(work, ints[at.W_INNER], c, ints[at.H_PADDED])[:n]
    aux = part(work, ints[at.W_AUX], c, ints[at.H_PADDED])[:n]
    scratch, spare = part(work, ints[at.W_SCRATCH], 0, n), part(work, ints[at.W_SPARE], 0, n)
    if before:
        weight_adjoint(inner, g_response, n_lags, start, g_weights)
        series_adjoint(g_response, weights, n_lags, start, scratch)
        g_first, g_second = saturate_adjoint(
            kind, series, first, second, inner, aux, scratch, spare
        )
    else:
        g_first, g_second = saturate_adjoint(
            kind, inner, first, second, response, aux, g_response, scratch
        )
        weight_adjoint(series, scratch, n_lags, start, g_weights)
    _add_adjoint(c, at.C_SATURATION_1, g_first, ints, work)
    _add_adjoint(c, at.C_SATURATION_2, g_second, ints, work)


@compiled
def forward_cell(c: int, e: int, ints: Ints, floats: Floats, work: Floats) -> float:
    """Shape of one channel in one entity, and its coefficient, which is returned."""
    n, cell = ints[ints[at.I_LENGTHS] + e], c * ints[at.H_ENTITIES] + e
    series = part(floats, ints[at.F_MEDIA], cell, ints[at.H_PADDED])
    response = part(work, ints[at.W_RESPONSE], c, ints[at.H_PERIODS])[:n]
    forward_response(c, series, ints[at.H_START], response, ints, work)
    mean = 1.0
    if field(c, at.C_BY_SHARE, ints):
        mean = sum_of(response) / n + SAFE
    size = math.exp(work[ints[at.W_VALUES] + ints[ints[at.I_SHARE_CELLS] + cell]])
    beta = size * amplitude(c, e, ints, floats) / mean
    work[ints[at.W_MEANS] + c], work[ints[at.W_BETA] + c] = mean, beta
    return beta


@compiled
def backward_cell(
    c: int, e: int, g_media: Floats, ints: Ints, floats: Floats, work: Floats
) -> None:
    """Adjoint of ``forward_cell``, given that of the entity's media sum."""
    n, cell = ints[ints[at.I_LENGTHS] + e], c * ints[at.H_ENTITIES] + e
    response = part(work, ints[at.W_RESPONSE], c, ints[at.H_PERIODS])[:n]
    beta, mean = work[ints[at.W_BETA] + c], work[ints[at.W_MEANS] + c]
    g_beta = work[ints[at.W_G_BETA] + cell]
    for t in range(n):
        g_beta += g_media[t] * response[t]
    work[ints[at.W_ADJOINT] + ints[ints[at.I_SHARE_CELLS] + cell]] += g_beta * beta
    through_mean = 0.0
    if field(c, at.C_BY_SHARE, ints):
        through_mean = -g_beta * beta / (mean * n)
    g_response = part(work, ints[at.W_G_RESPONSE], 0, n)
    for t in range(n):
        g_response[t] = beta * g_media[t] + through_mean
    series = part(floats, ints[at.F_MEDIA], cell, ints[at.H_PADDED])
    backward_response(c, series, ints[at.H_START], response, g_response, ints, work)
