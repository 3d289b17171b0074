"""Evaluate a PyMC graph at random points, without sampling and with the least compilation."""

from typing import Any

import numpy as np
import pymc as pm
import pytensor
import xarray as xr
from pytensor.compile.mode import Mode

FAST = "FAST_COMPILE"
AS_WRITTEN = Mode(linker="py", optimizer=None)
"""The graph node by node: no rewriting, so nothing is fused or stabilized either."""


def evaluate(expression: Any) -> np.ndarray:
    """Evaluate one expression that depends on constants alone."""
    return np.asarray(expression.eval(mode=FAST))


def random_points(model: pm.Model, *, n_points: int, seed: int, jitter: float = 0.3) -> list[dict]:
    """Unconstrained points around the model's start."""
    rng = np.random.default_rng(seed)
    start = model.initial_point(random_seed=seed)
    return [
        {k: np.asarray(v + jitter * rng.normal(size=np.shape(v))) for k, v in start.items()}
        for _ in range(n_points)
    ]


def flat_points(model: pm.Model, *, n_points: int, seed: int, jitter: float = 0.3) -> np.ndarray:
    """The same points as arrays ``(point, position)``, in the order of the free variables."""
    names = [value.name for value in model.value_vars]
    points = random_points(model, n_points=n_points, seed=seed, jitter=jitter)
    return np.array([np.concatenate([point[name].ravel() for name in names]) for point in points])


def evaluate_graph(
    model: pm.Model, *, n_points: int = 4, seed: int = 0, observed: str = "y"
) -> tuple[xr.Dataset, np.ndarray]:
    """Return a model's named variables as draws of one chain, and the mean of ``observed`` at them.

    The mean has shape ``(draw, ...)`` in the units of the observed variable.
    """
    named = [*model.free_RVs, *model.deterministics]
    rv = model[observed]
    # StudentT has nu first; both observed distributions keep mu second from the end.
    mu = rv.owner.op.dist_params(rv.owner)[-2]
    values = [model.rvs_to_values[free] for free in model.free_RVs]
    outputs = model.replace_rvs_by_values([*named, mu])
    function = pytensor.function(values, outputs, mode=FAST, on_unused_input="ignore")
    points = random_points(model, n_points=n_points, seed=seed)
    rows = [function(*(point[v.name] for v in values)) for point in points]
    stacked = [np.stack(column) for column in zip(*rows, strict=True)]
    dims = {v.name: model.named_vars_to_dims.get(v.name, ()) for v in named}
    draws = xr.Dataset(
        {
            v.name: (("chain", "draw", *dims[v.name]), array[None])
            for v, array in zip(named, stacked[:-1], strict=True)
        },
        coords={k: list(v) for k, v in model.coords.items() if any(k in d for d in dims.values())},
    )
    return draws, stacked[-1]
