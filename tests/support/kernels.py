"""Call the compiled kernel of kind ``mmm`` as nutpie does: through its C signature."""

import ctypes
from typing import NamedTuple

import numpy as np

from tasks.models.mmm.kernel.layout import Buffers
from tasks.models.mmm.kernel.machine_code import entry_points


class Evaluated(NamedTuple):
    """What one call wrote; zero is success."""

    code: int
    value: float
    gradient: np.ndarray


def evaluate_density(buffers: Buffers, point: np.ndarray) -> Evaluated:
    """Log density and gradient; the kernel is reported the length of ``point`` as its dimension."""
    signature = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_uint64, *[ctypes.c_void_p] * 4)
    function = signature(entry_points().log_density.address)
    start = np.array(point, dtype=float)
    gradient, value = np.full(start.size, np.nan), np.full(1, np.nan)
    arrays = (start, gradient, value, buffers.pointer)
    code = function(start.size, *(array.ctypes.data for array in arrays))
    return Evaluated(code, float(value[0]), gradient)


def hand_over(buffers: Buffers, point: np.ndarray, n_values: int) -> tuple[int, np.ndarray]:
    """Return the code and the model's point, for which ``n_values`` places are promised."""
    signature = ctypes.CFUNCTYPE(ctypes.c_int64, *[ctypes.c_uint64] * 2, *[ctypes.c_void_p] * 3)
    function = signature(entry_points().hand_over.address)
    start, out = np.array(point, dtype=float), np.full(n_values, np.nan)
    arrays = (start, out, buffers.pointer)
    return function(start.size, n_values, *(array.ctypes.data for array in arrays)), out
