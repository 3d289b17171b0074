"""The log density: one pass forward and one backward over every entity.

Adjoints are derivatives of the log density by an intermediate value. The arrays of responses are
those of one entity, so that they stay in the processor's cache at any number of entities.
"""

import math

from tasks.models.mmm.kernel import codes as at
from tasks.models.mmm.kernel.elementary import Floats, Ints, compiled, fill, sum_of
from tasks.models.mmm.kernel.lift import add_lift
from tasks.models.mmm.kernel.media import (
    amplitude,
    backward_cell,
    forward_cell,
    part,
    set_weights,
    weights_adjoint,
)
from tasks.models.mmm.kernel.media_trend import multiplier_adjoint, set_multiplier
from tasks.models.mmm.kernel.noise import (
    innovations_adjoint,
    normal_noise,
    student_noise,
    to_innovations,
)
from tasks.models.mmm.kernel.prior import add_priors, constrain, pool, pool_adjoint


@compiled
def evaluate(x: Floats, grad: Floats, ints: Ints, floats: Floats, work: Floats) -> float:
    """Log density at ``x``; its gradient is written to ``grad``.

    ``work`` has ``ints[H_WORK]`` zeros; the other buffers are as ``layout.pack`` has them.
    """
    n, n_entities, n_groups = x.shape[0], ints[at.H_ENTITIES], ints[at.H_GROUPS]
    n_values = n + n_groups * n_entities
    values, adjoint = work[ints[at.W_VALUES] :][:n_values], work[ints[at.W_ADJOINT] :][:n_values]
    slopes = part(work, ints[at.W_SLOPES], 0, n)
    codes, groups = ints[ints[at.I_CODES] :][:n], ints[ints[at.I_GROUPS] :][: 4 * n_groups]
    first, second = part(floats, ints[at.F_FIRST], 0, n), part(floats, ints[at.F_SECOND], 0, n)
    weights = part(floats, ints[at.F_POOL_WEIGHTS], 0, n_groups)
    units = part(floats, ints[at.F_POOL_UNITS], 0, n_groups)
    offsets = part(floats, ints[at.F_POOL_OFFSETS], 0, n_groups * n_entities)

    constrain(codes, x, values, slopes)
    total = floats[ints[at.F_CONSTANT]]
    total += add_priors(
        codes, first, second, ints[at.H_COMMON], ints[at.H_COMMONS], x, values, grad
    )
    total += pool(groups, weights, units, offsets, n_entities, x, values)
    set_weights(ints, work)
    set_multiplier(ints, floats, work)
    if ints[at.H_TESTS]:
        total += add_lift(ints, floats, work)
    for e in range(n_entities):
        total += _add_entity(e, ints, floats, work)
    weights_adjoint(ints, work)
    multiplier_adjoint(ints, floats, work)
    pool_adjoint(groups, weights, units, n_entities, x, values, adjoint, grad)
    for i in range(n):
        if codes[i] != at.POOLED:
            grad[i] += adjoint[i] * slopes[i]
    return total


@compiled
def _add_entity(e: int, ints: Ints, floats: Floats, work: Floats) -> float:
    """Log likelihood of one entity; adds to the adjoints in ``work``."""
    n, start = ints[ints[at.I_LENGTHS] + e], ints[ints[at.I_STARTS] + e]
    baseline = _expect(e, ints, floats, work)
    total = _add_noise(e, ints, floats, work)
    g_mu = part(work, ints[at.W_G_MU], 0, n)
    g_baseline = 0.0
    if ints[at.H_SOFT_BASELINE]:
        width = floats[ints[at.F_SOFT_BASELINE] + e]
        scaled = baseline / width
        total += min(scaled, 0.0) - math.log1p(math.exp(-abs(scaled)))
        g_baseline = 1.0 / ((1.0 + math.exp(min(scaled, 700.0))) * width)
    g_level = sum_of(g_mu) + g_baseline
    work[ints[at.W_ADJOINT] + ints[at.H_LEVEL] + e] += g_level
    _terms_adjoint(e, g_baseline, ints, floats, work)
    # Media enter less their mean, and the baseline takes the mean up.
    for t in range(n):
        g_mu[t] -= g_level / n
    if ints[at.H_BASIS]:
        for t in range(n):
            work[ints[at.W_G_MULTIPLIER] + start + t] += g_mu[t] * work[ints[at.W_MEDIA] + t]
            g_mu[t] *= work[ints[at.W_MULTIPLIER] + start + t]
    for c in range(ints[at.H_CHANNELS]):
        if amplitude(c, e, ints, floats) != 0.0:
            backward_cell(c, e, g_mu, ints, floats, work)
    return total


@compiled
def _expect(e: int, ints: Ints, floats: Floats, work: Floats) -> float:
    """Write the expected KPI of one entity to ``W_MU``; return its baseline."""
    n, n_terms = ints[ints[at.I_LENGTHS] + e], ints[at.H_TERMS]
    media, mu = part(work, ints[at.W_MEDIA], 0, n), part(work, ints[at.W_MU], 0, n)
    multiplier = part(work, ints[at.W_MULTIPLIER] + ints[ints[at.I_STARTS] + e], 0, n)
    fill(media, 0.0)
    for c in range(ints[at.H_CHANNELS]):
        if amplitude(c, e, ints, floats) == 0.0:
            continue
        beta = forward_cell(c, e, ints, floats, work)
        response = part(work, ints[at.W_RESPONSE], c, ints[at.H_PERIODS])
        for t in range(n):
            media[t] += beta * response[t]
    media_mean = 0.0
    for t in range(n):
        mu[t] = media[t] * multiplier[t]
        media_mean += mu[t] / n
    baseline = work[ints[at.W_VALUES] + ints[at.H_LEVEL] + e] - media_mean
    for t in range(n):
        mu[t] += baseline
    for k in range(n_terms):
        raw = work[ints[at.W_VALUES] + ints[ints[at.I_GAMMA_CELLS] + e * n_terms + k]]
        sign = floats[ints[at.F_TERM_SIGNS] + k]
        gamma = raw if sign == 0.0 else sign * math.exp(raw)
        work[ints[at.W_GAMMA] + k] = gamma
        baseline -= gamma * floats[ints[at.F_TERM_MEANS] + e * n_terms + k]
        column = part(floats, ints[at.F_DESIGN], e * n_terms + k, ints[at.H_PERIODS])
        for t in range(n):
            mu[t] += gamma * column[t]
    return baseline


@compiled
def _terms_adjoint(e: int, g_baseline: float, ints: Ints, floats: Floats, work: Floats) -> None:
    """Adjoints of the coefficients of one entity's linear terms."""
    n, n_terms = ints[ints[at.I_LENGTHS] + e], ints[at.H_TERMS]
    g_mu = part(work, ints[at.W_G_MU], 0, n)
    for k in range(n_terms):
        column = part(floats, ints[at.F_DESIGN], e * n_terms + k, ints[at.H_PERIODS])
        g = -g_baseline * floats[ints[at.F_TERM_MEANS] + e * n_terms + k]
        for t in range(n):
            g += g_mu[t] * column[t]
        if floats[ints[at.F_TERM_SIGNS] + k] != 0.0:
            g *= work[ints[at.W_GAMMA] + k]
        work[ints[at.W_ADJOINT] + ints[ints[at.I_GAMMA_CELLS] + e * n_terms + k]] += g


@compiled
def _add_noise(e: int, ints: Ints, floats: Floats, work: Floats) -> float:
    """Log density of one entity's KPI; the adjoint of ``W_MU`` is written to ``W_G_MU``."""
    n, position, tail = ints[ints[at.I_LENGTHS] + e], ints[at.H_SIGMA] + e, ints[at.H_NU]
    kpi = part(floats, ints[at.F_KPI], e, ints[at.H_PERIODS])[:n]
    mu = part(work, ints[at.W_MU], 0, n)
    g_mu, sigma = part(work, ints[at.W_G_MU], 0, n), work[ints[at.W_VALUES] + position]
    residual = part(work, ints[at.W_RESIDUAL], 0, n)
    for t in range(n):
        residual[t] = kpi[t] - mu[t]
    rho, total = 0.0, 0.0
    if ints[at.H_RHO] >= 0:
        rho = work[ints[at.W_VALUES] + ints[at.H_RHO] + e]
        total += to_innovations(residual, rho)
    if tail >= 0:
        nu = work[ints[at.W_VALUES] + tail]
        value, g_sigma, g_nu = student_noise(residual, sigma, nu, g_mu)
        work[ints[at.W_ADJOINT] + tail] += g_nu
    else:
        value, g_sigma = normal_noise(residual, sigma, g_mu)
    if ints[at.H_RHO] >= 0:
        g_rho = innovations_adjoint(kpi, mu, rho, g_mu)
        work[ints[at.W_ADJOINT] + ints[at.H_RHO] + e] += g_rho
    work[ints[at.W_ADJOINT] + position] += g_sigma
    return total + value
