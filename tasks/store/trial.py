"""A throw-away copy of the home's warehouse, for checks that leave no trace."""

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tasks.store.home import Home, current_home
from tasks.store.warehouse.connection import reading
from tasks.store.warehouse.places import warehouse_of


@contextmanager
def trial_home(dataset_id: str | None) -> Iterator[Home]:
    """Make a temporary home, with a copy of a dataset's warehouse, the current one.

    The copy is taken while the warehouse is open for reading, so no writer is in the middle of it.

    Parameters
    ----------
    dataset_id
        Whose warehouse; None begins with nothing.
    """
    # A home of its own shares nothing with other machines.
    before = {name: os.environ.get(name) for name in ("MMM_HOME", "MMM_LEASES", "MMM_LOCKS")}
    with tempfile.TemporaryDirectory(prefix="mmm-trial-") as folder:
        trial = Home(Path(folder).resolve())
        if dataset_id is not None:
            _copy_warehouse(current_home(), trial, dataset_id)
        try:
            _set({**dict.fromkeys(before), "MMM_HOME": str(trial.root)})
            yield trial
        finally:
            _set(before)


def _set(variables: Mapping[str, str | None]) -> None:
    for name, value in variables.items():
        os.environ.pop(name, None)
        if value is not None:
            os.environ[name] = value


def _copy_warehouse(original: Home, trial: Home, dataset_id: str) -> None:
    with reading(original, dataset_id):
        # A home that may not be moved has the single file; the copy of it moves.
        for path in (warehouse_of(original, dataset_id), original.single_warehouse):
            if path.exists():
                copy = trial.root / path.relative_to(original.root)
                copy.parent.mkdir(parents=True)
                shutil.copy2(path, copy)
                copy.chmod(0o600)
                return
