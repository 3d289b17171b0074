"""One refit per dataset at a time: a lock file that the kernel frees when its holder dies.

Invariant: what a file lock is for is its folder, and ids are anybody's: a dataset called ``mlflow``
is locked by another file than MLflow's store, and ``Acme`` by another than ``acme``.
"""

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path

from filelock import FileLock

from tasks.store.holders import held, is_held
from tasks.store.home import Home
from tasks.store.leases import dataset_lease, leased
from tasks.store.storage import writing_to
from tasks.store.warehouse.places import stem_of

REFIT_WAIT_SECONDS = 3600.0
"""A weekly refit takes minutes; one that has not ended after an hour needs a person."""
BRIEF_WAIT_SECONDS = 5.0
"""For what can wait: a person at the terminal, or what is pruned the next time all the same."""


@contextmanager
def dataset_lock(home: Home, dataset_id: str, *, wait_seconds: float) -> Iterator[None]:
    """Hold the lock of a dataset.

    Raises
    ------
    ResourceUnavailableError
        If another refit of the dataset holds it for longer than ``wait_seconds``.
    StorageError
        If the home may not be written to.
    SpecError
        If no dataset can have this id.
    """
    path = _lock_of(home, dataset_id)
    with writing_to(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    what = f"Dataset {dataset_id!r}"
    with (
        held(path, what=what, wait_seconds=wait_seconds),
        leased(home, dataset_lease(dataset_id), what=what, wait_seconds=wait_seconds),
    ):
        yield


def is_dataset_locked(home: Home, dataset_id: str) -> bool:
    """Say whether a refit of the dataset is running."""
    return is_held(_lock_of(home, dataset_id))


def _lock_of(home: Home, dataset_id: str) -> Path:
    return home.locks / "datasets" / f"{stem_of(dataset_id)}.lock"


def first_opens(home: Home, *, wait_seconds: float) -> AbstractContextManager[object]:
    """Return the lock under which MLflow's store is opened for the first time.

    Who may only read the home makes no store and cannot take the lock, and goes without.
    """
    path = home.locks / "mlflow.lock"
    if path.exists() and not os.access(path, os.W_OK):
        return nullcontext()
    return FileLock(path, timeout=wait_seconds)
