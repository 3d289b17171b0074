"""Saturation: diminishing returns, as shapes without an amplitude.

A shape is zero at zero and does not fall; the amplitude (``saturation_beta``) is kept apart because
it is what priors on contribution share or ROAS decide. Written once for NumPy and PyTensor
(``xp``).
"""

from collections.abc import Mapping
from types import ModuleType
from typing import Any

import numpy as np

from schemas.spec.channels import SaturationKind

SATURATION_PARAMETERS: dict[SaturationKind, tuple[str, ...]] = {
    SaturationKind.HILL: ("slope", "kappa"),
    SaturationKind.LOGISTIC: ("lam",),
    SaturationKind.MICHAELIS_MENTEN: ("lam",),
    SaturationKind.TANH: ("kappa",),
    SaturationKind.ROOT: ("alpha",),
    SaturationKind.NONE: (),
}
"""Learned shape parameters of each curve, on the input divided by its scale."""

_TINY = 1e-300
_LEAST_INPUT = 1e-9
"""Slopes at zero are those at this input: some curves rise there without bound."""


def saturation_shape(
    kind: SaturationKind, x: Any, parameters: Mapping[str, Any], *, xp: ModuleType = np
) -> Any:
    """Saturation curve without its amplitude.

    Parameters
    ----------
    kind
        Hill ``x^slope / (kappa^slope + x^slope)``, logistic ``tanh(lam x / 2)``,
        Michaelis-Menten ``x / (lam + x)``, tanh ``tanh(x / kappa)``, root ``x^alpha``, none ``x``.
    x
        Non-negative scaled input, any shape.
    parameters
        ``SATURATION_PARAMETERS[kind]`` by name, positive, broadcastable against ``x``.
    xp
        ``numpy`` or ``pytensor.tensor``.

    Returns
    -------
    array
        Same shape as the broadcast; zero where ``x`` is zero.

    References
    ----------
    Jin et al. (2017), section 2.2 (Hill); pymc-marketing ``root_saturation``.
    """
    if kind is SaturationKind.HILL:
        # One log and one exp per cell; x**slope would cost a pow each way.
        log_odds = parameters["slope"] * (xp.log(x + _TINY) - xp.log(parameters["kappa"]))
        return 1.0 / (1.0 + xp.exp(-xp.clip(log_odds, -700.0, 700.0)))
    if kind is SaturationKind.LOGISTIC:
        return xp.tanh(0.5 * parameters["lam"] * x)
    if kind is SaturationKind.MICHAELIS_MENTEN:
        return x / (parameters["lam"] + x)
    if kind is SaturationKind.TANH:
        return xp.tanh(x / parameters["kappa"])
    if kind is SaturationKind.ROOT:
        # The floor keeps the gradient finite at zero; a small exponent would lift the floor itself.
        return xp.where(x > 0, xp.exp(parameters["alpha"] * xp.log(x + _TINY)), 0.0)
    return x


def saturation_slope(kind: SaturationKind, x: Any, parameters: Mapping[str, Any]) -> Any:
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
    shape = saturation_shape(kind, x, parameters)
    if kind is SaturationKind.HILL:
        return parameters["slope"] * shape * (1 - shape) / x
    if kind is SaturationKind.LOGISTIC:
        return 0.5 * parameters["lam"] * (1 - shape**2)
    if kind is SaturationKind.MICHAELIS_MENTEN:
        return parameters["lam"] / (parameters["lam"] + x) ** 2
    if kind is SaturationKind.TANH:
        return (1 - shape**2) / parameters["kappa"]
    if kind is SaturationKind.ROOT:
        return parameters["alpha"] * shape / x
    return np.ones_like(x)
