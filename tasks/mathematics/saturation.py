"""Saturation: diminishing returns, as shapes without an amplitude.

A shape is zero at zero and does not fall; the amplitude (``saturation_beta``) is kept apart because
it is what priors on contribution share or ROAS decide. Written once for NumPy and PyTensor
(``xp``).

``SATURATIONS`` has everything about a saturation but its machine code, which is the branch of the
same name in ``tasks.models.mmm.kernel.saturations``. A new one is an entry here, that branch and a
name in ``schemas.spec.channels``; ``tests/unit/mathematics/test_transforms.py`` holds all forms
equal.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from schemas.spec.channels import SaturationKind, Slope
from tasks.mathematics.transforms import Transform, TransformPrior

Parameters = Mapping[str, Any]

HALF_SATURATION_PRIOR = TransformPrior("log_normal", float(np.log(0.6)), 0.7, peak_power=1.0)
"""On the input over its maximum: within, or not far beyond, what was observed."""

_TINY = 1e-300
_LEAST_INPUT = 1e-9
"""Slopes at zero are those at this input: some curves rise there without bound."""
_FAR = 1e12
"""Half-saturation over the input: what it bends a line by is below rounding of the KPI."""
_LOW_RATE = 1e-5
"""A lower one loses digits, because pymc-marketing's curve subtracts from one."""
_LEAST_AMPLITUDE = 1e-100


def _keep_amplitude(beta: xr.DataArray, learned: dict[str, xr.DataArray]) -> dict[str, Any]:
    del learned
    return {"beta": beta}


@dataclass(frozen=True, kw_only=True)
class Saturation(Transform):
    """One form of diminishing returns."""

    shape: Callable[[Any, Parameters, ModuleType], Any]
    """Value at an input: ``(x, parameters, xp)``."""
    slope: Callable[[Any, Any, Parameters], Any]
    """Derivative by the input, in NumPy: ``(x, shape, parameters)``, where ``x`` is above 0."""
    line: Mapping[str, float]
    """Parameters that make it a line, to within rounding."""
    line_factor: float
    """What the amplitude of that line is multiplied by."""
    to_stock: Callable[[xr.DataArray, dict[str, xr.DataArray]], dict[str, Any]] = _keep_amplitude
    """Amplitude as the stock curve has it, from ours and the learned parameters (by short name;
    one that the stock curve does not have is taken out)."""
    amplitude: str = "beta"
    """What the stock curve calls its amplitude."""
    steep: Mapping[str, TransformPrior] = field(default_factory=dict)
    """Priors that take the place of some where curves are held likely to be S-shaped."""

    def priors_of(self, slope: Slope) -> Mapping[str, TransformPrior]:
        """Priors of the learned parameters, as steep as curves are held likely to be."""
        return {**self.priors, **self.steep} if slope is Slope.STEEP else self.priors


def _hill(x: Any, p: Parameters, xp: ModuleType) -> Any:
    if xp is np:
        return _hill_in_place(x, p["slope"], p["kappa"])
    # One log and one exp per cell; x**slope would cost a pow each way.
    log_odds = p["slope"] * (xp.log(x + _TINY) - xp.log(p["kappa"]))
    return 1.0 / (1.0 + xp.exp(-xp.clip(log_odds, -700.0, 700.0)))


def _hill_in_place(x: Any, slope: Any, kappa: Any) -> NDArray[np.float64]:
    """Do the same arithmetic in one array: with thousands of draws, new memory is half the cost."""
    shape = np.broadcast_shapes(np.shape(x), np.shape(slope), np.shape(kappa))
    odds = np.asarray(x + _TINY)
    odds = np.asarray(np.log(odds, out=odds))
    for change, value in ((np.subtract, np.log(kappa)), (np.multiply, slope)):
        odds = np.asarray(change(odds, value, out=odds if odds.shape == shape else None))
    np.clip(odds, -700.0, 700.0, out=odds)
    np.negative(odds, out=odds)
    np.exp(odds, out=odds)
    odds += 1.0
    return np.asarray(np.divide(1.0, odds, out=odds))


def _root(x: Any, p: Parameters, xp: ModuleType) -> Any:
    # The floor keeps the gradient finite at zero; a small exponent would lift the floor itself.
    return xp.where(x > 0, xp.exp(p["alpha"] * xp.log(x + _TINY)), 0.0)


def _tanh_to_stock(beta: xr.DataArray, learned: dict[str, xr.DataArray]) -> dict[str, Any]:
    # A channel that is off has no amplitude, and the stock curve divides by it.
    beta = xr.where(beta == 0, _LEAST_AMPLITUDE, beta)
    return {"c": learned.pop("kappa") / beta, "b": beta}


SATURATIONS: dict[SaturationKind, Saturation] = {
    # x^slope / (kappa^slope + x^slope); Jin et al. (2017), section 2.2
    SaturationKind.HILL: Saturation(
        priors={
            # Between concave (0.6) and clearly S-shaped (2.4).
            "slope": TransformPrior("log_normal", float(np.log(1.2)), 0.35),
            "kappa": HALF_SATURATION_PRIOR,
        },
        # Clearly S-shaped (1.25 to 5).
        steep={"slope": TransformPrior("log_normal", float(np.log(2.5)), 0.35)},
        shape=_hill,
        slope=lambda x, shape, p: p["slope"] * shape * (1 - shape) / x,
        line={"slope": 1.0, "kappa": _FAR},
        line_factor=_FAR,
        stock="HillSaturation",
    ),
    # Logistic from zero: tanh(lam x / 2)
    SaturationKind.LOGISTIC: Saturation(
        priors={"lam": TransformPrior("log_normal", float(np.log(3.0)), 0.7, peak_power=-1.0)},
        shape=lambda x, p, xp: xp.tanh(0.5 * p["lam"] * x),
        slope=lambda _, shape, p: 0.5 * p["lam"] * (1 - shape**2),
        line={"lam": _LOW_RATE},
        line_factor=2 / _LOW_RATE,
        stock="LogisticSaturation",
    ),
    # Michaelis-Menten, half of the effect at lam: x / (lam + x)
    SaturationKind.MICHAELIS_MENTEN: Saturation(
        priors={"lam": HALF_SATURATION_PRIOR},
        shape=lambda x, p, _: x / (p["lam"] + x),
        slope=lambda x, _, p: p["lam"] / (p["lam"] + x) ** 2,
        line={"lam": _FAR},
        line_factor=_FAR,
        stock="MichaelisMentenSaturation",
        to_stock=lambda beta, _: {"alpha": beta},
        amplitude="alpha",
    ),
    # Nearly a line below kappa: tanh(x / kappa)
    SaturationKind.TANH: Saturation(
        priors={"kappa": HALF_SATURATION_PRIOR},
        shape=lambda x, p, xp: xp.tanh(x / p["kappa"]),
        slope=lambda _, shape, p: (1 - shape**2) / p["kappa"],
        line={"kappa": _FAR},
        line_factor=_FAR,
        stock="TanhSaturation",
        to_stock=_tanh_to_stock,
        amplitude="b",
    ),
    # x^alpha; pymc-marketing root_saturation; around a square root
    SaturationKind.ROOT: Saturation(
        priors={"alpha": TransformPrior("beta", 3.0, 3.0)},
        shape=_root,
        slope=lambda x, shape, p: p["alpha"] * shape / x,
        line={"alpha": 1.0},
        line_factor=1.0,
        stock="RootSaturation",
    ),
    # No saturation
    SaturationKind.NONE: Saturation(
        priors={},
        shape=lambda x, *_: x,
        slope=lambda x, *_: np.ones_like(x),
        line={},
        line_factor=1.0,
        stock="NoSaturation",
    ),
}
"""Every saturation, on the input divided by its scale."""


def saturation_shape(
    kind: SaturationKind, x: Any, parameters: Parameters, *, xp: ModuleType = np
) -> Any:
    """Saturation without its amplitude.

    Parameters
    ----------
    kind
        One of ``SATURATIONS``.
    x
        Non-negative scaled input, any shape.
    parameters
        ``SATURATIONS[kind].parameters`` by name, positive, broadcastable against ``x``.
    xp
        ``numpy`` or ``pytensor.tensor``.

    Returns
    -------
    array
        Same shape as the broadcast; zero where ``x`` is zero.
    """
    return SATURATIONS[kind].shape(x, parameters, xp)


def saturation_slope(kind: SaturationKind, x: Any, parameters: Parameters) -> Any:
    """Derivative of ``saturation_shape`` by its input, in NumPy.

    Parameters
    ----------
    kind, x, parameters
        As ``saturation_shape`` takes them.

    Returns
    -------
    NDArray
        Same shape as the broadcast, not negative.
    """
    x = np.maximum(x, _LEAST_INPUT)
    return SATURATIONS[kind].slope(x, saturation_shape(kind, x, parameters), parameters)
