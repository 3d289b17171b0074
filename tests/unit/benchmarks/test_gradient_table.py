"""Timing and table of ``benchmarks/gradient.py``, on a density that costs nothing."""

import ctypes

import numpy as np
import pytest

from benchmarks.gradient import COLUMNS, add_ratios, render_table
from benchmarks.recovery import gradient_cell
from benchmarks.recovery.generator import Shape, generate_world
from benchmarks.recovery.worlds import leave_out_last

DOUBLES = ctypes.POINTER(ctypes.c_double)
SIGNATURE = ctypes.CFUNCTYPE(
    ctypes.c_int64, ctypes.c_uint64, DOUBLES, DOUBLES, DOUBLES, ctypes.c_void_p
)


def parabola(dim, x_, gradient_, value_, _data):
    x = np.ctypeslib.as_array(x_, (dim,))
    np.ctypeslib.as_array(gradient_, (dim,))[:] = -x
    value_[0] = -0.5 * (x * x).sum()
    return 0


def never(*_):
    return 4


class CFunction:
    """A function as nutpie has it: by its address."""

    def __init__(self, function):
        self._held = SIGNATURE(function)
        self.address = ctypes.cast(self._held, ctypes.c_void_p).value


class Compiled:
    """What a compiled nutpie model is asked for."""

    user_data = np.zeros(1)

    def __init__(self, function):
        self.compiled_logp_func = CFunction(function)

    def initial_point_func(self, seed):
        return np.random.default_rng(seed).normal(size=5)


def test_an_evaluation_takes_time_but_not_much(monkeypatch):
    monkeypatch.setattr(gradient_cell, "_REPEAT_SECONDS", 0.01)
    assert 0 < gradient_cell.time_gradient(Compiled(parabola)) < 1e-3


def test_a_density_that_cannot_be_evaluated_is_not_timed():
    with pytest.raises(ValueError, match="not finite"):
        gradient_cell.time_gradient(Compiled(never))


def test_the_table_compares_with_the_kernel_of_the_same_world():
    figures = {"size": "104x1x4", "n_parameters": 25, "ready": 0.5, "next_week": 0.5}
    rows = [
        {"dataset": world, "density": density, "gradient": gradient, **figures}
        for world, density, gradient in [
            ("small", "kernel", 8.0),
            ("small", "graph", 28.0),
            ("medium", "graph", 200.0),
        ]
    ]
    add_ratios(rows)
    assert [r["ratio"] for r in rows] == ["1.0", "3.5", "-"]
    lines = render_table(rows).splitlines()
    assert len({len(line) for line in lines}) == 1
    assert all(name in lines[0] for name in COLUMNS)


def test_a_world_some_weeks_earlier_has_the_same_past():
    world = generate_world(3, Shape(n_weeks=60, n_entities=2, n_channels=2))
    earlier = leave_out_last(world, 2)
    assert earlier.size == "58x2x2"
    for name in ("kpi", "media"):
        past = world.panel[name].isel(date=slice(None, -2))
        np.testing.assert_array_equal(earlier.panel[name], past)
    assert earlier.spec.model == world.spec.model
