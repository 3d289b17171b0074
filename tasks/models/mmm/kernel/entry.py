"""Functions with the C signatures that nutpie calls."""

from typing import Any

import numpy as np
from numba import carray, cfunc, types  # type: ignore[attr-defined]
from numba.core import cgutils
from numba.extending import intrinsic

from tasks.models.mmm.kernel import codes as at
from tasks.models.mmm.kernel.density import evaluate
from tasks.models.mmm.kernel.elementary import sum_of
from tasks.models.mmm.kernel.media import part
from tasks.models.mmm.kernel.preconditioner import from_preconditioned, preconditioned_gradient

_DOUBLES: Any = types.CPointer(types.double)  # type: ignore[no-untyped-call]
_DENSITY = types.int64(types.uint64, _DOUBLES, _DOUBLES, _DOUBLES, types.voidptr)
"""Dimension, point, gradient (written), log density (written), data; zero is success."""
_EXPAND = types.int64(types.uint64, types.uint64, _DOUBLES, _DOUBLES, types.voidptr)
"""Dimension, number of values, point, values (written), data."""
_WRONG_SIZE, _BAD_GRADIENT, _BAD_VALUE = -1, 3, 4


def _to_pointer(typing_context: Any, address: Any) -> Any:
    """A memory address as a pointer."""
    del typing_context

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        del context, signature
        return builder.inttoptr(args[0], cgutils.voidptr_t)

    return types.voidptr(address), codegen


_pointer: Any = intrinsic(_to_pointer)


@cfunc(_DENSITY, cache=True)
def log_density(dim: Any, u_: Any, grad_: Any, value_: Any, data_: Any) -> int:
    """Log density and its gradient, in the coordinates of the preconditioner."""
    buffers = carray(data_, (4,), np.uint64)
    ints = carray(_pointer(buffers[0]), (buffers[1],), np.int64)
    floats = carray(_pointer(buffers[2]), (buffers[3],), np.float64)
    if dim != np.uint64(ints[at.H_DIM]):
        return _WRONG_SIZE
    block = np.zeros(ints[at.H_WORK])
    # Seen through a pointer, slices of it are not counted as references.
    work = carray(_pointer(block.ctypes.data), block.shape, np.float64)
    n = ints[at.H_DIM]
    u, grad = carray(u_, (n,)), carray(grad_, (n,))
    x, by_x = part(work, ints[at.W_POINT], 0, n), part(work, ints[at.W_GRADIENT], 0, n)
    from_preconditioned(u, ints, floats, x)
    value = evaluate(x, by_x, ints, floats, work)
    preconditioned_gradient(by_x, ints, floats, grad)
    carray(value_, (1,))[0] = value
    if not np.isfinite(value) or block.size == 0:
        return _BAD_VALUE
    # A sum is finite where every cell is; one that overflows is no good either.
    return 0 if np.isfinite(sum_of(grad)) else _BAD_GRADIENT


@cfunc(_EXPAND, cache=True)
def hand_over(dim: Any, n_values: Any, u_: Any, out_: Any, data_: Any) -> int:
    """The model's point: what is published is derived from it in NumPy."""
    buffers = carray(data_, (4,), np.uint64)
    ints = carray(_pointer(buffers[0]), (buffers[1],), np.int64)
    floats = carray(_pointer(buffers[2]), (buffers[3],), np.float64)
    if dim != n_values or dim != np.uint64(ints[at.H_DIM]):
        return _WRONG_SIZE
    u, out = carray(u_, (dim,)), carray(out_, (dim,))
    from_preconditioned(u, ints, floats, out)
    return 0
