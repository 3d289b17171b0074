"""Saturation curves of whole series, and their adjoints."""

import math

from tasks.models.mmm.kernel.elementary import Floats, compiled, copy_into, exp_into, log_into

NONE, HILL, LOGISTIC, MICHAELIS_MENTEN, TANH, ROOT = range(6)
_TINY = 1e-300


@compiled
def saturate_into(
    kind: int,
    x: Floats,
    first: float,
    second: float,
    out: Floats,
    aux: Floats,
    scratch: Floats,
    spare: Floats,
) -> None:
    """Shape of a series.

    Parameters
    ----------
    kind
        Code of the curve.
    x
        Non-negative input.
    first, second
        ``slope`` and ``kappa`` of Hill; ``lam``, ``kappa`` or ``alpha`` of the others.
    out
        Written: the response.
    aux
        Written: the logarithm of the input where the adjoint needs it again.
    scratch, spare
        Overwritten.
    """
    n = x.shape[0]
    if kind in (HILL, ROOT):
        _power_into(kind, x, first, second, out, aux, scratch, spare)
    elif kind in (LOGISTIC, TANH):
        rate = first if kind == LOGISTIC else 2.0 / first
        for t in range(n):
            spare[t] = rate * x[t]
        exp_into(spare, out, scratch)
        for t in range(n):
            out[t] = 1.0 - 2.0 / (1.0 + out[t])
    elif kind == MICHAELIS_MENTEN:
        for t in range(n):
            out[t] = x[t] / (first + x[t])
    else:
        copy_into(x, out)


@compiled
def _power_into(
    kind: int,
    x: Floats,
    first: float,
    second: float,
    out: Floats,
    aux: Floats,
    scratch: Floats,
    spare: Floats,
) -> None:
    """Curves that raise the input to a power, through its logarithm."""
    n = x.shape[0]
    log_into(x, aux, scratch)
    log_kappa = math.log(second) if kind == HILL else 0.0
    sign = -1.0 if kind == HILL else 1.0
    for t in range(n):
        spare[t] = sign * first * (aux[t] - log_kappa)
    exp_into(spare, out, scratch)
    if kind == HILL:
        for t in range(n):
            out[t] = 1.0 / (1.0 + out[t])
    else:
        for t in range(n):
            out[t] = out[t] if x[t] > 0.0 else 0.0


@compiled
def saturate_adjoint(
    kind: int,
    x: Floats,
    first: float,
    second: float,
    response: Floats,
    aux: Floats,
    adjoint: Floats,
    out: Floats,
) -> tuple[float, float]:
    """Adjoints of one ``saturate_into``.

    ``adjoint`` is that of the response; the adjoint of ``x`` is written to ``out``, those of both
    parameters are returned. No two arrays overlap.
    """
    n = x.shape[0]
    g_first, g_second = 0.0, 0.0
    if kind == NONE:
        copy_into(adjoint, out)
    elif kind == HILL:
        log_kappa = math.log(second)
        for t in range(n):
            g = adjoint[t] * response[t] * (1.0 - response[t])
            g_first += g * (aux[t] - log_kappa)
            g_second += g
            out[t] = g * first / (x[t] + _TINY)
        g_second *= -first / second
    elif kind == ROOT:
        for t in range(n):
            g = adjoint[t] * response[t]
            g_first += g * aux[t]
            out[t] = g * first / (x[t] + _TINY)
    elif kind == MICHAELIS_MENTEN:
        for t in range(n):
            inverse = 1.0 / (first + x[t])
            g_first -= adjoint[t] * response[t] * inverse
            out[t] = adjoint[t] * first * inverse * inverse
    else:
        rate = 0.5 * first if kind == LOGISTIC else 1.0 / first
        for t in range(n):
            g = adjoint[t] * (1.0 - response[t] * response[t])
            g_first += g * x[t]
            out[t] = g * rate
        g_first *= 0.5 if kind == LOGISTIC else -1.0 / (first * first)
    return g_first, g_second
