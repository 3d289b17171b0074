"""Adstock weights of one channel with their derivatives, and the lag sum and its adjoint."""

import math

import numpy as np

from tasks.models.mmm.kernel.elementary import Floats, compiled, fill, sum_of

NONE, GEOMETRIC, DELAYED, WEIBULL_PDF, WEIBULL_CDF, BINOMIAL = range(6)
_TINY = 1e-300


@compiled
def lag_weights(
    kind: int, n_lags: int, first: float, second: float, weights: Floats, slopes: Floats
) -> None:
    """Normalized weights of the lags and their derivatives by both parameters.

    Parameters
    ----------
    kind, n_lags
        Code of the kernel and its number of lags.
    first, second
        ``alpha`` and ``theta``, or Weibull ``lam`` and ``k``.
    weights
        Written, ``(>= n_lags,)``.
    slopes
        Written, ``(>= 2 * n_lags,)``: those by the first parameter, then those by the second.
    """
    fill(slopes, 0.0)
    if kind == WEIBULL_PDF:
        _weibull_density(n_lags, first, second, weights, slopes)
    elif kind == WEIBULL_CDF:
        _weibull_survival(n_lags, first, second, weights, slopes)
    elif kind == BINOMIAL:
        _binomial(n_lags, first, weights, slopes)
    else:
        _powers(kind, n_lags, first, second, weights, slopes)
    total = sum_of(weights[:n_lags])
    for begin in range(0, 2 * n_lags, n_lags):
        mass = sum_of(slopes[begin : begin + n_lags]) / total
        for lag in range(n_lags):
            slopes[begin + lag] = (slopes[begin + lag] - weights[lag] * mass) / total
    for lag in range(n_lags):
        weights[lag] /= total


@compiled
def _powers(
    kind: int, n_lags: int, alpha: float, theta: float, weights: Floats, slopes: Floats
) -> None:
    log_alpha = math.log(alpha + _TINY)
    for lag in range(n_lags):
        delay = lag - theta
        power = delay * delay if kind == DELAYED else float(lag)
        weights[lag] = math.exp(power * log_alpha)
        slopes[lag] = power * weights[lag] / (alpha + _TINY)
        if kind == DELAYED:
            slopes[n_lags + lag] = -2.0 * delay * log_alpha * weights[lag]


@compiled
def _binomial(n_lags: int, alpha: float, weights: Floats, slopes: Floats) -> None:
    for lag in range(n_lags):
        log_base = math.log(1.0 - lag / (n_lags + 1.0))
        weights[lag] = math.exp((1.0 / alpha - 1.0) * log_base)
        slopes[lag] = -log_base / (alpha * alpha) * weights[lag]


@compiled
def _weibull_density(n_lags: int, lam: float, k: float, weights: Floats, slopes: Floats) -> None:
    if n_lags == 1:
        weights[0] = 1.0
        return
    peak, dip = 0, 0
    logs = np.empty(n_lags)
    for lag in range(n_lags):
        ratio = math.log((lag + 1.0) / lam)
        power = math.exp(k * ratio)
        logs[lag] = (k - 1.0) * ratio - power
        slopes[lag] = -((k - 1.0) - k * power) / lam
        slopes[n_lags + lag] = ratio - power * ratio
        if logs[lag] > logs[peak]:
            peak = lag
        if logs[lag] < logs[dip]:
            dip = lag
    low = math.exp(logs[dip] - logs[peak])
    # Dividing by the peak cancels in the normalization, so it counts as a constant.
    low_by_lam, low_by_k = low * slopes[dip], low * slopes[n_lags + dip]
    for lag in range(n_lags):
        density = math.exp(logs[lag] - logs[peak])
        weights[lag] = density - low
        slopes[lag] = density * slopes[lag] - low_by_lam
        slopes[n_lags + lag] = density * slopes[n_lags + lag] - low_by_k


@compiled
def _weibull_survival(n_lags: int, lam: float, k: float, weights: Floats, slopes: Floats) -> None:
    hazard, by_lam, by_k = 0.0, 0.0, 0.0
    for lag in range(n_lags):
        if lag > 0:
            ratio = math.log(lag / lam)
            power = math.exp(k * ratio)
            hazard += power
            by_lam -= k / lam * power
            by_k += ratio * power
        weights[lag] = math.exp(-hazard)
        slopes[lag] = -by_lam * weights[lag]
        slopes[n_lags + lag] = -by_k * weights[lag]


@compiled
def carry_into(series: Floats, weights: Floats, n_lags: int, start: int, out: Floats) -> None:
    """``out[t] = sum_l weights[l] * series[start + t - l]``."""
    n = out.shape[0]
    fill(out, 0.0)
    # Four lags at a time: a quarter of the traffic to ``out``.
    for lag in range(0, n_lags - n_lags % 4, 4):
        w0, w1, w2, w3 = weights[lag], weights[lag + 1], weights[lag + 2], weights[lag + 3]
        past = series[start - lag - 3 : start - lag + n]
        for t in range(n):
            out[t] += w0 * past[t + 3] + w1 * past[t + 2] + w2 * past[t + 1] + w3 * past[t]
    for lag in range(n_lags - n_lags % 4, n_lags):
        weight = weights[lag]
        past = series[start - lag : start - lag + n]
        for t in range(n):
            out[t] += weight * past[t]


@compiled
def weight_adjoint(series: Floats, adjoint: Floats, n_lags: int, start: int, out: Floats) -> None:
    """Add the adjoint of every weight of ``carry_into`` to ``out``."""
    n = adjoint.shape[0]
    for lag in range(0, n_lags - n_lags % 4, 4):
        g0, g1, g2, g3 = 0.0, 0.0, 0.0, 0.0
        past = series[start - lag - 3 : start - lag + n]
        for t in range(n):
            g0 += adjoint[t] * past[t + 3]
            g1 += adjoint[t] * past[t + 2]
            g2 += adjoint[t] * past[t + 1]
            g3 += adjoint[t] * past[t]
        out[lag] += g0
        out[lag + 1] += g1
        out[lag + 2] += g2
        out[lag + 3] += g3
    for lag in range(n_lags - n_lags % 4, n_lags):
        past = series[start - lag : start - lag + n]
        total = 0.0
        for t in range(n):
            total += adjoint[t] * past[t]
        out[lag] += total


@compiled
def series_adjoint(adjoint: Floats, weights: Floats, n_lags: int, start: int, out: Floats) -> None:
    """Adjoint of the series of ``carry_into``, written over ``out``."""
    n = adjoint.shape[0]
    fill(out, 0.0)
    for lag in range(n_lags):
        weight = weights[lag]
        past = out[start - lag : start - lag + n]
        for t in range(n):
            past[t] += weight * adjoint[t]
