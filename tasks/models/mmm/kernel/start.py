"""Where chains start and in which coordinates they move: the mode and a Laplace approximation."""

import ctypes
from collections.abc import Callable
from typing import cast

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cholesky, eigh
from scipy.optimize import minimize

from tasks.models.mmm.constants import FitConstants
from tasks.models.mmm.kernel.layout import Buffers, Preconditioner
from tasks.models.mmm.kernel.machine_code import entry_points
from tasks.models.mmm.parameters import Parameter, PooledParameter, PriorKind, SizeParameter

Floats = NDArray[np.float64]
Density = Callable[[Floats], tuple[float, Floats]]

DENSE_LIMIT = 1000
"""A dense factor costs the square of this per step; at 2485 parameters one left a chain stuck where
the mode search had stopped early, and the diagonal did not."""
_STEP = 1e-4
_MIN_CURVATURE = 0.5
"""Floor of the curvature in prior widths: a posterior is hardly wider than its prior."""
_MAX_STEPS = 2000


def density_of(buffers: Buffers) -> Density:
    """Log density and gradient as a Python function; -inf where it cannot be evaluated."""
    signature = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_uint64, *[ctypes.c_void_p] * 4)
    function = signature(entry_points().log_density.address)

    def evaluate(x: Floats) -> tuple[float, Floats]:
        point, grad, value = np.ascontiguousarray(x), np.empty(x.size), np.empty(1)
        arrays = (point, grad, value, buffers.pointer)
        failed = function(x.size, *(array.ctypes.data for array in arrays))
        return (-np.inf, np.zeros(x.size)) if failed else (float(value[0]), grad)

    return evaluate


def find_mode(density: Density, start: Floats) -> Floats:
    """Climb from a start to the nearest mode."""
    found = minimize(
        lambda x: tuple(-part for part in density(x)),
        start,
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": _MAX_STEPS, "maxfun": 2 * _MAX_STEPS, "maxcor": 30},
    )
    return np.asarray(found.x)


def laplace_preconditioner(density: Density, mode: Floats, widths: Floats) -> Preconditioner:
    """Preconditioner in which the curvature at the mode is one in every direction.

    Parameters
    ----------
    density
        Log density and gradient.
    mode
        Its origin.
    widths
        About one prior standard deviation of every coordinate.
    """
    n = mode.size
    curvature = np.empty((n, n))
    for i in range(n):
        step = np.zeros(n)
        step[i] = _STEP * widths[i]
        change = density(mode - step)[1] - density(mode + step)[1]
        curvature[i] = change * widths / (2 * _STEP)
    if n > DENSE_LIMIT:
        return Preconditioner(
            mode, widths / np.sqrt(np.maximum(np.diag(curvature), _MIN_CURVATURE))
        )
    values, vectors = eigh(0.5 * (curvature + curvature.T))
    scaled = vectors / np.sqrt(np.maximum(values, _MIN_CURVATURE))
    return Preconditioner(mode, widths[:, None] * cholesky(scaled @ scaled.T, lower=True))


def prior_center(constants: FitConstants) -> Floats:
    """Middle of every prior in sampling coordinates; contrasts at zero."""

    def center(entry: Parameter | SizeParameter) -> Floats:
        if isinstance(entry, Parameter):
            return _center(entry)
        common = np.zeros(())
        if entry.follows.any():
            common = cast(Parameter, constants.table[entry.common]).first
        middle = entry.first + np.where(entry.is_gamma, np.log(entry.second), 0.0)
        return np.asarray(middle + np.where(entry.follows, common, 0.0))

    return _per_position(constants, center, lambda _: 0.0)


def prior_widths(constants: FitConstants) -> Floats:
    """Standard deviation of every prior in sampling coordinates, about."""

    def contrast(entry: PooledParameter) -> Floats:
        spread = constants.table[entry.spread]
        typical = np.exp(cast(Parameter, spread).first) * entry.unit
        return (typical**entry.weight)[:, None]

    return _per_position(constants, _width, contrast)


def _per_position(
    constants: FitConstants,
    single: Callable[[Parameter | SizeParameter], Floats],
    contrast: Callable[[PooledParameter], Floats | float],
) -> Floats:
    parts = []
    for entry in constants.table.entries:
        value = contrast(entry) if isinstance(entry, PooledParameter) else single(entry)
        parts.append(np.broadcast_to(value, entry.shape).ravel())
    return np.concatenate(parts)


def _center(entry: Parameter) -> Floats:
    if entry.prior in (PriorKind.NORMAL, PriorKind.LOG_NORMAL):
        return entry.first
    if entry.prior is PriorKind.HALF_NORMAL:
        return np.log(0.67 * entry.first)
    # Gamma: its mean. Beta: the odds of its mean.
    return np.log(entry.first / entry.second)


def _width(entry: Parameter | SizeParameter) -> Floats:
    if isinstance(entry, SizeParameter):
        return np.where(entry.is_gamma, 1 / np.sqrt(entry.second), entry.second)
    if entry.prior in (PriorKind.NORMAL, PriorKind.LOG_NORMAL):
        return entry.second
    if entry.prior is PriorKind.HALF_NORMAL:
        return np.ones(entry.shape)
    if entry.prior is PriorKind.GAMMA:
        return 1 / np.sqrt(entry.first)
    return np.sqrt(1 / entry.first + 1 / entry.second)
