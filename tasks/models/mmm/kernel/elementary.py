"""Exponential and logarithm of whole arrays, in vector instructions.

Numba calls the scalar functions of the C library, cell by cell; here range reduction and polynomial
are plain arithmetic, which LLVM vectorizes: 2.1 and 2.3 ns per cell instead of 7.7 and 7.9 (AVX2).
"""

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

compiled: Any = njit(error_model="numpy", fastmath={"contract", "reassoc", "nsz"}, nogil=True)
"""Decorator: sums may be reordered; NaN and infinity keep their meaning."""
_in_order: Any = njit(error_model="numpy", fastmath={"contract"}, nogil=True)
"""Decorator for what loses digits when additions are reordered."""

_LOG2_E = 1.4426950408889634
_LN2_HIGH = 6.93145751953125e-1
_LN2_LOW = 1.42860682030941723212e-6
_ROUND = 6755399441055744.0
"""1.5 * 2^52: adding it leaves the nearest integer in the low bits."""
_ROUND_BITS = 0x4338000000000000
_SQRT_HALF_BITS = 0x3FE6A09E667F3BCD
_LIMIT = 700.0
_TINY = 1e-300


@compiled
def fill(out: Floats, value: float) -> None:
    """Set every cell; a slice assignment would take Numba seconds to compile."""
    for i in range(out.shape[0]):
        out[i] = value


@compiled
def copy_into(x: Floats, out: Floats) -> None:
    """Write ``x`` over ``out``."""
    for i in range(x.shape[0]):
        out[i] = x[i]


@compiled
def sum_of(x: Floats) -> float:
    """Sum of all cells."""
    total = 0.0
    for i in range(x.shape[0]):
        total += x[i]
    return total


@_in_order
def exp_into(x: Floats, out: Floats, scratch: Floats) -> None:
    """``out = exp(x)``, ``x`` cut to [-700, 700].

    Three arrays of one length that do not overlap: where they do, nothing is vectorized.
    """
    bits = scratch.view(np.int64)
    for i in range(x.shape[0]):
        x_i = min(max(x[i], -_LIMIT), _LIMIT)
        rounded = x_i * _LOG2_E + _ROUND
        scratch[i] = rounded
        k = rounded - _ROUND
        r = (x_i - k * _LN2_HIGH) - k * _LN2_LOW
        p = 1.6059043836821613e-10
        p = p * r + 2.0876756987868099e-9
        p = p * r + 2.5052108385441719e-8
        p = p * r + 2.7557319223985893e-7
        p = p * r + 2.7557319223985891e-6
        p = p * r + 2.4801587301587302e-5
        p = p * r + 1.9841269841269841e-4
        p = p * r + 1.3888888888888889e-3
        p = p * r + 8.3333333333333332e-3
        p = p * r + 4.1666666666666664e-2
        p = p * r + 1.6666666666666666e-1
        p = p * r + 0.5
        p = p * r + 1.0
        out[i] = p * r + 1.0
    for i in range(x.shape[0]):
        bits[i] = (bits[i] + 1023) << 52
    for i in range(x.shape[0]):
        out[i] *= scratch[i]


@_in_order
def log_into(x: Floats, out: Floats, scratch: Floats) -> None:
    """``out = log(x + 1e-300)`` for ``x >= 0``; three arrays of one length that do not overlap."""
    exponent = scratch.view(np.int64)
    mantissa = out.view(np.int64)
    for i in range(x.shape[0]):
        out[i] = x[i] + _TINY
    for i in range(x.shape[0]):
        b = mantissa[i]
        e = (b - _SQRT_HALF_BITS) >> 52
        mantissa[i] = b - (e << 52)
        exponent[i] = e + _ROUND_BITS
    for i in range(x.shape[0]):
        e_f = scratch[i] - _ROUND
        f = out[i] - 1.0
        s = f / (2.0 + f)
        z = s * s
        p = 1.0 / 23.0
        p = p * z + 1.0 / 21.0
        p = p * z + 1.0 / 19.0
        p = p * z + 1.0 / 17.0
        p = p * z + 1.0 / 15.0
        p = p * z + 1.0 / 13.0
        p = p * z + 1.0 / 11.0
        p = p * z + 1.0 / 9.0
        p = p * z + 1.0 / 7.0
        p = p * z + 1.0 / 5.0
        p = p * z + 1.0 / 3.0
        out[i] = e_f * _LN2_HIGH + (2.0 * s + (2.0 * s * z * p + e_f * _LN2_LOW))
