"""Libraries that an extra installs and that most processes have no use for: as if not installed.

Belongs here: which, for how long, and why. Does not: what is imported (``flows.engines``).
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

_DASK, _JAX = "dask", "jax"


def forgo_dask() -> None:
    """Let this process be without Dask, unless it has imported it already.

    Where it is installed, xarray imports it to ask of every array whether it is one of Dask's: half
    a second of each command that reads a panel or a fit.
    """
    sys.modules.setdefault(_DASK, None)  # type: ignore[arg-type]  # None: its import fails


def admit_dask() -> None:
    """Take ``forgo_dask`` back: a portfolio runs on Dask."""
    if sys.modules.get(_DASK, sys) is None:
        del sys.modules[_DASK]


@contextmanager
def without_jax() -> Iterator[None]:
    """Import other libraries as if JAX were not installed; who uses it imports it later.

    Where it is installed, ArviZ holds it ready for a look at results of NumPyro, and SciPy wakes it
    to ask whether an array is one of its own: a second.
    """
    was_known = _JAX in sys.modules
    sys.modules.setdefault(_JAX, None)  # type: ignore[arg-type]
    try:
        yield
    finally:
        if not was_known:
            del sys.modules[_JAX]
