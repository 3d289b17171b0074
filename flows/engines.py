"""Heavy libraries of the flows, imported while something else starts."""

import importlib
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import LazyLoader
from types import ModuleType

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
_CHECK = ("great_expectations",)
_NOT_FOR_CHECK = ("altair", "scipy.stats")
"""What Great Expectations draws with, and tests distributions with: none of our suites do."""


def import_engines(names: Sequence[str]) -> None:
    """Import what a flow's tasks import late, while the API is starting on the other core.

    Each takes seconds: together they would be a third of a small refit.
    """
    for name in names:
        importlib.import_module(name)


def import_for_check() -> None:
    """Import what the check of a file needs: two thirds of what Great Expectations imports.

    The rest is imported by whoever uses it first. Only for a process with one thread: two that
    use it first could wait for each other.
    """
    with _left_for_later(_NOT_FOR_CHECK):
        import_engines(_CHECK)


@contextmanager
def _left_for_later(names: Sequence[str]) -> Iterator[None]:
    class WhenUsed(MetaPathFinder):
        def find_spec(
            self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
        ) -> ModuleSpec | None:
            spec = PathFinder.find_spec(fullname, path, target) if fullname in names else None
            if spec is not None and spec.loader is not None:
                spec.loader = LazyLoader(spec.loader)
            return spec

    finder = WhenUsed()
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
