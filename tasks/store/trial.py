"""A throw-away copy of the home's warehouse, for checks that leave no trace."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tasks.store.home import Home, current_home
from tasks.store.warehouse.connection import reading


@contextmanager
def trial_home() -> Iterator[Home]:
    """Make a temporary home, with a copy of the warehouse, the current one.

    The copy is taken while the warehouse is open for reading, so no writer is in the middle of it.
    """
    before = os.environ.get("MMM_HOME")
    with tempfile.TemporaryDirectory(prefix="mmm-trial-") as folder:
        trial = Home(Path(folder).resolve())
        _copy_warehouse(current_home(), trial)
        os.environ["MMM_HOME"] = str(trial.root)
        try:
            yield trial
        finally:
            if before is None:
                del os.environ["MMM_HOME"]
            else:
                os.environ["MMM_HOME"] = before


def _copy_warehouse(original: Home, trial: Home) -> None:
    trial.warehouse.parent.mkdir(parents=True)
    if original.warehouse.exists():
        with reading(original):
            for part in original.warehouse.parent.glob(f"{original.warehouse.name}*"):
                shutil.copy2(part, trial.warehouse.parent / part.name)
