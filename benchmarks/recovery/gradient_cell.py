"""Time one density in a fresh process: ``python -m benchmarks.recovery.gradient_cell``.

All three densities are nutpie models, so they are called alike: through the C function that nutpie
calls, at its own start. A call from Python adds about half a microsecond to each.
"""

import ctypes
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.recovery.generator import SHAPES, generate_world
from benchmarks.recovery.process import answer
from benchmarks.recovery.sets import load_set
from benchmarks.recovery.worlds import World, leave_out_last

KERNEL, GRAPH, PUBLISHED = "kernel", "graph", "published"
DENSITIES = (KERNEL, GRAPH, PUBLISHED)
"""Our kernel and our PyMC graph of one posterior, and the published specification."""
OWN = {"own-1": (7001, SHAPES[0]), "own-4": (7008, SHAPES[7])}
"""Own worlds with one and with four entities."""

_REPEATS = 9
_REPEAT_SECONDS = 0.1


@dataclass(frozen=True)
class GradientCell:
    """What to compile, on how much of its data."""

    dataset: str
    """One of ``OWN``, or the name of a recovery set in ``folder``."""
    folder: str
    density: str
    weeks_left_out: int = 0


def measure(cell: GradientCell) -> dict[str, Any]:
    """Compile and time one density.

    Returns
    -------
    dict
        ``ready`` seconds from the built model to what nutpie samples, ``gradient`` microseconds per
        log density and gradient, ``n_parameters``, ``size``.
    """
    world = _load(cell)
    build, compile_ = _steps(cell.density)
    model = build(world)
    started = time.perf_counter()
    compiled = compile_(model)
    ready = time.perf_counter() - started
    return {
        "size": world.size,
        "n_parameters": int(compiled.n_dim),
        "ready": ready,
        "gradient": time_gradient(compiled) * 1e6,
    }


def _load(cell: GradientCell) -> World:
    if cell.dataset in OWN:
        world = generate_world(*OWN[cell.dataset])
    else:
        world = load_set(cell.dataset, Path(cell.folder))
    return leave_out_last(world, cell.weeks_left_out)


def _steps(density: str) -> tuple[Any, Any]:
    """How to build a model and how to compile it; imports are done when this returns."""
    if density == PUBLISHED:
        import nutpie

        from benchmarks.recovery.published_spec import build_published

        return lambda world: build_published(world)[0].model, nutpie.compile_pymc_model
    from tasks.models.mmm.constants import fit_constants

    if density == KERNEL:
        from tasks.models.mmm.kernel.compiled import compile_kernel

        return lambda world: fit_constants(world.panel, world.inputs), compile_kernel
    import nutpie

    from tasks.models.mmm.graph import build_graph

    return lambda world: build_graph(world.panel, world.inputs), nutpie.compile_pymc_model


def time_gradient(compiled: Any) -> float:
    """Seconds of one evaluation: the best of several repeats, by process time.

    Parameters
    ----------
    compiled
        A ``nutpie`` model with C functions.

    Raises
    ------
    ValueError
        If the density cannot be evaluated where chains start.
    """
    point = np.ascontiguousarray(compiled.initial_point_func(1), dtype=float)
    gradient, value = np.empty(point.size), np.empty(1)
    arrays = (point, gradient, value, compiled.user_data)
    addresses = [array.ctypes.data for array in arrays]
    signature = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_uint64, *[ctypes.c_void_p] * 4)
    function = signature(compiled.compiled_logp_func.address)
    if function(point.size, *addresses):
        raise ValueError("the density is not finite where nutpie starts; try another seed")

    def seconds(n_calls: int) -> float:
        started = time.process_time()
        for _ in range(n_calls):
            function(point.size, *addresses)
        return time.process_time() - started

    n_calls = 1
    while seconds(n_calls) < _REPEAT_SECONDS:
        n_calls *= 2
    return min(seconds(n_calls) for _ in range(_REPEATS)) / n_calls


if __name__ == "__main__":
    answer(lambda cell: measure(GradientCell(**cell)))
