"""Carryover: how one period's input is spread over that period and the next ones.

Lag weights are written once for NumPy and for PyTensor: the numeric module comes in as ``xp``. They
equal pymc-marketing's (``tests/unit/mathematics/test_against_pymc_marketing.py``).

``ADSTOCKS`` has everything about an adstock but its machine code, which is the branch of the same
name in ``tasks.models.mmm.kernel.carry``. A new one is an entry here, that branch and a name in
``schemas.spec.channels``; ``tests/unit/mathematics/test_transforms.py`` holds all forms equal.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from schemas.spec.channels import AdstockKind, Carryover
from tasks.mathematics.transforms import Transform, TransformPrior

Parameters = Mapping[str, Any]

RETENTION_PRIOR = TransformPrior("beta", 1.0, 2.0)
"""Most weekly carryover is short (mean a third), but it may last for months."""
_WEIBULL_PRIOR = TransformPrior("gamma", 4.0, 2.0)
"""Mean 2, standard deviation 1."""

_LONG_RETENTION_PRIOR = TransformPrior("beta", 8.0, 1.5)
"""Mean 0.84 a week: half of an effect comes after a month, a quarter after two."""
_LONG_DELAY_PRIORS = {
    "alpha": TransformPrior("beta", 4.0, 1.5),
    "theta": TransformPrior("half_normal", 3.0, 0.0),
}
"""A peak up to six weeks later, and weeks wide."""

_TINY = 1e-300


def adstock_weights(
    kind: AdstockKind, parameters: Mapping[str, Any], *, l_max: int, xp: ModuleType = np
) -> Any:
    """Weights of lags ``0..l_max-1``, summing to one.

    Parameters
    ----------
    kind
        One of ``ADSTOCKS``.
    parameters
        ``ADSTOCKS[kind].parameters`` by name, each of shape ``(...)``: ``alpha`` in [0, 1), above 0
        for the binomial one, ``theta`` the delay of the peak in periods, ``lam`` and ``k``
        Weibull scale and shape.
    l_max
        Number of lags including lag 0.
    xp
        ``numpy`` or ``pytensor.tensor``.

    Returns
    -------
    array
        Shape ``(..., l_max)``.

    Raises
    ------
    ValueError
        For kind ``none``, which has no weights.

    References
    ----------
    Jin et al. (2017), section 2.1 (geometric, delayed); pymc-marketing ``weibull_adstock`` and
    ``binomial_adstock``.
    """
    adstock = ADSTOCKS[kind]
    if adstock.weights is None:
        raise ValueError("adstock 'none' has no weights; use the input as it is")
    p = {name: parameters[name][..., None] for name in adstock.parameters}
    weights = adstock.weights(np.arange(l_max, dtype=float), p, xp)
    return weights / weights.sum(axis=-1, keepdims=True)


@dataclass(frozen=True, kw_only=True)
class Adstock(Transform):
    """One form of carryover."""

    weights: Callable[[NDArray[np.float64], Parameters, ModuleType], Any] | None
    """Weights of lags before they are divided by their sum: ``(lags, parameters, xp)``."""
    no_carryover: Mapping[str, float]
    """Parameters that keep all weight on lag zero."""
    long: Mapping[str, TransformPrior] = field(default_factory=dict)
    """Priors in place of ``priors`` where effects are held likely to last; none: not known."""

    def priors_of(self, carryover: Carryover) -> Mapping[str, TransformPrior]:
        """Priors of the learned parameters, as long as effects are held likely to last."""
        return self.long if carryover is Carryover.LONG else self.priors


def _binomial_weights(lags: NDArray[np.float64], p: Parameters, xp: ModuleType) -> Any:
    # (1 - lag / (l_max + 1)) ** (1 / alpha - 1); the base is data, so its logarithm is too.
    return xp.exp((1 / p["alpha"] - 1) * np.log1p(-lags / (len(lags) + 1)))


def _weibull_density_weights(lags: NDArray[np.float64], p: Parameters, xp: ModuleType) -> Any:
    times, lam, k = lags + 1, p["lam"], p["k"]
    if len(times) == 1:
        return xp.ones_like(lam)
    log_ratio = xp.log(times) - xp.log(lam)
    log_density = (k - 1) * log_ratio - xp.exp(k * log_ratio)
    # Against the largest lag: a short, peaked kernel would be zero at every lag.
    density = xp.exp(log_density - xp.max(log_density, axis=-1, keepdims=True))
    low = xp.min(density, axis=-1, keepdims=True)
    return density - low


def _weibull_survival_weights(lags: NDArray[np.float64], p: Parameters, xp: ModuleType) -> Any:
    lam, k = p["lam"], p["k"]
    # The product of survival values up to a lag is the exponential of minus the summed hazards.
    # Written with a logarithm and a floor: the gradient of 0 ** k does not exist below k = 1.
    hazard = xp.exp(k * (np.log(np.maximum(lags, _TINY)) - xp.log(lam)))
    return xp.exp(-xp.cumsum(hazard, axis=-1))


ADSTOCKS: dict[AdstockKind, Adstock] = {
    # Jin et al. (2017), section 2.1
    AdstockKind.GEOMETRIC: Adstock(
        priors={"alpha": RETENTION_PRIOR},
        weights=lambda lags, p, _: p["alpha"] ** lags,
        no_carryover={"alpha": 0.0},
        long={"alpha": _LONG_RETENTION_PRIOR},
        stock="GeometricAdstock",
    ),
    AdstockKind.DELAYED: Adstock(
        priors={"alpha": RETENTION_PRIOR, "theta": TransformPrior("half_normal", 1.0, 0.0)},
        weights=lambda lags, p, _: p["alpha"] ** ((lags - p["theta"]) ** 2),
        no_carryover={"alpha": 0.0, "theta": 0.0},
        long=_LONG_DELAY_PRIORS,
        stock="DelayedAdstock",
    ),
    # pymc-marketing weibull_adstock
    AdstockKind.WEIBULL_PDF: Adstock(
        priors={"lam": _WEIBULL_PRIOR, "k": _WEIBULL_PRIOR},
        weights=_weibull_density_weights,
        no_carryover={"lam": 1.0, "k": 50.0},
        stock="WeibullPDFAdstock",
    ),
    AdstockKind.WEIBULL_CDF: Adstock(
        priors={"lam": _WEIBULL_PRIOR, "k": _WEIBULL_PRIOR},
        weights=_weibull_survival_weights,
        no_carryover={"lam": 1e-3, "k": 1.0},
        stock="WeibullCDFAdstock",
    ),
    # pymc-marketing binomial_adstock
    AdstockKind.BINOMIAL: Adstock(
        priors={"alpha": RETENTION_PRIOR},
        weights=_binomial_weights,
        no_carryover={"alpha": 1e-9},
        stock="BinomialAdstock",
    ),
    AdstockKind.NONE: Adstock(priors={}, weights=None, no_carryover={}, stock="NoAdstock"),
}
"""Every adstock; parameters are named as in pymc-marketing."""


def n_early(l_max: int) -> int:
    """Return the number of first periods that say what was before them: half the carryover."""
    return max(l_max // 2, 1)


def early_level(values: NDArray[np.float64], l_max: int) -> NDArray[np.float64]:
    """Input that is assumed before the first period: the mean of the first ones.

    Companies advertised before they kept these records; from nothing, the carryover of the first
    periods would be short of what they felt, and whatever carries long would seem to do less.

    Parameters
    ----------
    values
        Shape ``(..., n_periods)``, oldest first, any unit.
    l_max
        Number of lags including lag 0.

    Returns
    -------
    NDArray
        Shape ``(...)``, same unit.
    """
    return np.asarray(values[..., : n_early(l_max)].mean(axis=-1))


def stack_lags(
    values: NDArray[np.float64], l_max: int, before: NDArray[np.float64] | float = 0.0
) -> NDArray[np.float64]:
    """Stack a series with its own past.

    Parameters
    ----------
    values
        Shape ``(..., n_periods)``, oldest first.
    l_max
        Number of lags including lag 0.
    before
        What every period before the first one had, ``(...)``, in the unit of ``values``.

    Returns
    -------
    NDArray
        Shape ``(..., l_max, n_periods)``; entry ``[..., k, t]`` is ``values[..., t - k]``, and
        ``before`` where that is before the first period.
    """
    stacked = np.empty((*values.shape[:-1], l_max, values.shape[-1]))
    stacked[...] = np.asarray(before)[..., None, None]
    for lag in range(min(l_max, values.shape[-1])):
        stacked[..., lag, lag:] = values[..., : values.shape[-1] - lag]
    return stacked


def recursive_adstock(
    values: NDArray[np.float64], *, decay: float, max_lag: int
) -> NDArray[np.float64]:
    """Fixed geometric adstock ``y[t] = x[t] + decay * y[t-1]``, cut after ``max_lag`` periods.

    Parameters
    ----------
    values
        Shape ``(..., n_periods)``, oldest first, any unit.
    decay
        Share kept from one period to the next, in [0, 1).
    max_lag
        Last lag that still counts, ``>= 0``; 0 is no carryover.

    Returns
    -------
    NDArray
        Same shape and unit. Not normalized: a unit of input adds up to ``1 / (1 - decay)``.

    Raises
    ------
    ValueError
        If ``decay`` or ``max_lag`` is out of range.
    """
    if not 0 <= decay < 1:
        raise ValueError(f"decay must be in [0, 1), got {decay}; pass the share kept per period.")
    if max_lag < 0:
        raise ValueError(f"max_lag must be >= 0, got {max_lag}; 0 means no carryover.")
    weights = decay ** np.arange(max_lag + 1, dtype=float)
    return np.einsum("...lt,l->...t", stack_lags(values, max_lag + 1), weights)


def carry_back(values: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Transpose of carryover: how much each period's input weighs in all that follows it.

    Parameters
    ----------
    values
        Shape ``(..., n_periods)``: weight of each period's carried input.
    weights
        Shape ``(n_lags,)``, or ``(..., n_lags)`` with leading axes that broadcast against those of
        ``values``.

    Returns
    -------
    NDArray
        Shape of ``values``; entry ``[..., t]`` is the sum over lags of ``weights[..., k] *
        values[..., t + k]``.
    """
    n_periods = values.shape[-1]
    back = np.zeros(np.broadcast_shapes(values.shape, (*weights.shape[:-1], 1)))
    for lag in range(min(weights.shape[-1], n_periods)):
        back[..., : n_periods - lag] += weights[..., lag, None] * values[..., lag:]
    return back
