"""Heavy libraries of the flows, imported while something else starts."""

import importlib
from collections.abc import Sequence

REFIT = (
    "pymc",
    "nutpie",
    "arviz",
    "pymc_marketing.mmm",
    "great_expectations",
    "mlflow.pyfunc",
    "matplotlib.pyplot",
)
"""Of a refit's stages, in the order of their use."""
PLAN = ("mlflow", "h5netcdf", "xarray", "scipy.optimize")
"""Of a budget plan."""
SCORE = ("h5netcdf", "xarray", "scipy.stats", "arviz")
"""Of the scoring of forecasts."""
EXPLAIN = ("pymc", "nutpie", "arviz", "mlflow", "h5netcdf", "xarray")
"""Of auxiliary fits that explain another one."""


def import_engines(names: Sequence[str]) -> None:
    """Import what a flow's tasks import late, while the API is starting on the other core.

    Each takes seconds: together they would be a third of a small refit.
    """
    for name in names:
        importlib.import_module(name)
