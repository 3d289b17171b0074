"""One refit per dataset at a time: a lock file that the kernel frees when its holder dies."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import filelock

from schemas.errors import ResourceUnavailableError
from tasks.store.home import Home
from tasks.store.storage import writing_to

log = logging.getLogger(__name__)

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
    """
    path = home.locks / f"{dataset_id}.lock"
    lock = filelock.FileLock(path)
    try:
        with writing_to(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            lock.acquire(timeout=0)
    except filelock.Timeout:
        log.warning(
            "another refit of %s is running; waiting up to %.0f s", dataset_id, wait_seconds
        )
        try:
            lock.acquire(timeout=wait_seconds)
        except filelock.Timeout as error:
            raise ResourceUnavailableError(
                f"Another refit of dataset {dataset_id!r} has been running for more than "
                f"{wait_seconds:.0f} s; wait for it to end, then run again."
            ) from error
    try:
        yield
    finally:
        lock.release()
