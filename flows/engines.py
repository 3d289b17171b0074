"""Heavy libraries of the flows, imported while something else starts."""

import importlib
import inspect
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from flows.absent import without_jax
from tasks.validate.task_alone import prepare_check

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
_CHECKS = "great_expectations"


def import_engines(names: Sequence[str]) -> None:
    """Import what a flow's tasks import late, while the API is starting on the other core.

    Each takes seconds: together they would be a third of a small refit.
    """
    with stacks_without_source(), without_jax():
        for name in names:
            if name == _CHECKS:
                prepare_check()
            importlib.import_module(name)


@contextmanager
def stacks_without_source() -> Iterator[None]:
    """Let who asks for the stack get it without the lines of source.

    ``lazy_loader`` does, in ArviZ, for each optional library that is absent: looking for the source
    goes through every module there is, and takes half a second once there are thousands. Its
    message, where somebody uses such a library, then names the file and the line without its text.
    """
    whole = inspect.stack
    inspect.stack = _bare_stack
    try:
        yield
    finally:
        inspect.stack = whole


def _bare_stack(context: int = 1) -> list[inspect.FrameInfo]:  # noqa: ARG001 - as ``inspect.stack``
    callers = list(traceback.walk_stack(inspect.currentframe()))[1:]
    return [
        inspect.FrameInfo(frame, frame.f_code.co_filename, line, frame.f_code.co_name, None, None)
        for frame, line in callers
    ]
