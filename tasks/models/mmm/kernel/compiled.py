"""The kernel with one panel's data, as a model that nutpie samples."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from nutpie.compile_pymc import CompiledPyMCModel
from threadpoolctl import threadpool_limits

from tasks.models.mmm.constants import FitConstants
from tasks.models.mmm.kernel.layout import Buffers, Preconditioner, pack
from tasks.models.mmm.kernel.machine_code import entry_points
from tasks.models.mmm.kernel.start import (
    density_of,
    find_mode,
    laplace_preconditioner,
    prior_center,
    prior_widths,
)

POINT = "point"
"""The one variable that nutpie records: the model's unconstrained point."""
_POSITION = "position"
_START_WIDTH = 1.5
"""Starts spread wider than the posterior, so that R-hat can notice what does not mix."""


def compile_kernel(constants: FitConstants) -> CompiledPyMCModel:
    """Return the posterior of a panel, ready for ``nutpie.sample``.

    Chains move in the preconditioner of a Laplace approximation at the mode and start around it.
    """
    density = density_of(pack(constants))
    # Matrices are small: BLAS threads would cost more than they save, and their number would
    # decide the last digits of the preconditioner.
    with threadpool_limits(1, user_api="blas"):
        mode = find_mode(density, prior_center(constants))
        preconditioner = laplace_preconditioner(density, mode, prior_widths(constants))
    return _as_model(pack(constants, preconditioner), preconditioner)


def _as_model(buffers: Buffers, preconditioner: Preconditioner) -> CompiledPyMCModel:
    n = preconditioner.origin.size
    functions = entry_points()

    def start(seed: int | None) -> NDArray[np.float64]:
        return np.random.default_rng(seed).uniform(-_START_WIDTH, _START_WIDTH, n)

    buffered: dict[str, Any] = {"ints": buffers.ints, "floats": buffers.floats}
    return CompiledPyMCModel(
        dims={POINT: (_POSITION,)},
        reparameterized_names=[],
        compiled_logp_func=functions.log_density,
        compiled_expand_func=functions.hand_over,
        initial_point_func=start,
        shared_data=buffered,
        shared_var_keys={},
        user_data=buffers.pointer,
        n_expanded=n,
        shape_info=([POINT], [slice(0, n)], [(n,)]),
        logp_func=None,
        expand_func=None,
        _n_dim=n,
        _shapes={POINT: (n,)},
        _coords={_POSITION: pd.RangeIndex(n)},
    )
