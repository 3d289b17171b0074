"""Log likelihood of one entity's KPI, and its derivatives."""

import math

from tasks.models.mmm.kernel.elementary import Floats, compiled


@compiled
def normal_noise(kpi: Floats, mu: Floats, sigma: float, g_mu: Floats) -> tuple[float, float]:
    """Normal log density less its constant; derivatives by ``mu`` (written) and ``sigma``."""
    precision = 1.0 / (sigma * sigma)
    squares = 0.0
    n = kpi.shape[0]
    for t in range(n):
        residual = kpi[t] - mu[t]
        squares += residual * residual
        g_mu[t] = residual * precision
    scaled = squares * precision
    return -n * math.log(sigma) - 0.5 * scaled, (scaled - n) / sigma


@compiled
def student_noise(
    kpi: Floats, mu: Floats, sigma: float, nu: float, g_mu: Floats
) -> tuple[float, float, float]:
    """Student t log density; derivatives by ``mu`` (written), ``sigma`` and ``nu``."""
    n = kpi.shape[0]
    scale = nu * sigma * sigma
    logs, ratios = 0.0, 0.0
    for t in range(n):
        residual = kpi[t] - mu[t]
        square = residual * residual
        logs += math.log1p(square / scale)
        ratios += square / (scale + square)
        g_mu[t] = (nu + 1.0) * residual / (scale + square)
    constant = math.lgamma(0.5 * (nu + 1.0)) - math.lgamma(0.5 * nu)
    constant -= 0.5 * math.log(nu * math.pi) + math.log(sigma)
    value = n * constant - 0.5 * (nu + 1.0) * logs
    g_sigma = (-n + (nu + 1.0) * ratios) / sigma
    g_nu = 0.5 * (n * (_digamma(0.5 * (nu + 1.0)) - _digamma(0.5 * nu) - 1.0 / nu) - logs)
    g_nu += 0.5 * (nu + 1.0) / nu * ratios
    return value, g_sigma, g_nu


@compiled
def _digamma(x: float) -> float:
    """Digamma for positive ``x``: recurrence up to 10, then the asymptotic series.

    Abramowitz & Stegun (1964), 6.3.5 and 6.3.18.
    """
    shift = 0.0
    while x < 10.0:
        shift -= 1.0 / x
        x += 1.0
    y = 1.0 / (x * x)
    series = y * (1.0 / 12 - y * (1.0 / 120 - y * (1.0 / 252 - y * (1.0 / 240 - y / 132))))
    return shift + math.log(x) - 0.5 / x - series
