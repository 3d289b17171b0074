"""Log likelihood of one entity's KPI, independent or AR(1) noise, and its derivatives."""

import math

from tasks.models.mmm.kernel.elementary import Floats, compiled


@compiled
def to_innovations(residual: Floats, rho: float) -> float:
    """Turn the residuals of AR(1) noise into its innovations; return the log of the Jacobian.

    The first innovation is the first residual on the scale of the others: noise is stationary.
    """
    root = math.sqrt(1.0 - rho * rho)
    for t in range(residual.shape[0] - 1, 0, -1):
        residual[t] -= rho * residual[t - 1]
    residual[0] *= root
    return math.log(root)


@compiled
def innovations_adjoint(kpi: Floats, mu: Floats, rho: float, g_mu: Floats) -> float:
    """Turn derivatives by the means of innovations into those by ``mu``; return that by ``rho``."""
    n = kpi.shape[0]
    root = math.sqrt(1.0 - rho * rho)
    # Minus an innovation's mean is what rho takes away from it.
    g_rho = g_mu[0] * (kpi[0] - mu[0]) * rho / root - rho / (root * root)
    for t in range(1, n):
        g_rho += g_mu[t] * (kpi[t - 1] - mu[t - 1])
    g_mu[0] = g_mu[0] * root - (rho * g_mu[1] if n > 1 else 0.0)
    for t in range(1, n - 1):
        g_mu[t] -= rho * g_mu[t + 1]
    return g_rho


@compiled
def normal_noise(residual: Floats, sigma: float, g_mu: Floats) -> tuple[float, float]:
    """Normal log density less its constant; derivatives by the mean (written) and ``sigma``."""
    precision = 1.0 / (sigma * sigma)
    squares = 0.0
    n = residual.shape[0]
    for t in range(n):
        squares += residual[t] * residual[t]
        g_mu[t] = residual[t] * precision
    scaled = squares * precision
    return -n * math.log(sigma) - 0.5 * scaled, (scaled - n) / sigma


@compiled
def student_noise(
    residual: Floats, sigma: float, nu: float, g_mu: Floats
) -> tuple[float, float, float]:
    """Student t log density; derivatives by the mean (written), ``sigma`` and ``nu``."""
    n = residual.shape[0]
    scale = nu * sigma * sigma
    logs, ratios = 0.0, 0.0
    for t in range(n):
        square = residual[t] * residual[t]
        logs += math.log1p(square / scale)
        ratios += square / (scale + square)
        g_mu[t] = (nu + 1.0) * residual[t] / (scale + square)
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
