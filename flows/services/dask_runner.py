"""Prefect's task runner on Dask, where the extra is installed.

Belongs here: the scheduler, or a cluster of this machine's own. Does not: what its workers do.
"""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any
from urllib.parse import urlsplit

from flows.absent import admit_dask
from flows.services.servers import HOST
from schemas.errors import ResourceUnavailableError, SpecError

INSTALL = "make setup EXTRAS=dask"


def require_dask(address: str | None) -> None:
    """Raise where Dask cannot be used, before anything is planned on it.

    Raises
    ------
    SpecError
        If the extra is not installed.
    """
    if find_spec("prefect_dask") is None:
        named = f" at {address}" if address else ""
        raise SpecError(
            f"runner: dask{named} needs the extra `dask`, which is not installed: `{INSTALL}`; or "
            "set runner: process."
        )


def require_scheduler(address: str) -> None:
    """Raise where nothing listens at the address of a Dask scheduler.

    Raises
    ------
    ResourceUnavailableError
        Naming the address; Dask itself would try for half a minute and say less.
    """
    place = urlsplit(address)
    try:
        socket.create_connection((place.hostname or "", place.port or 0), timeout=5).close()
    except (OSError, OverflowError, ValueError) as error:
        raise ResourceUnavailableError(
            f"The Dask scheduler at {address} (dask_address) does not answer: {error}. Start it, "
            "or set runner: process."
        ) from error


@contextmanager
def open_dask(address: str | None, n_workers: int) -> Iterator[Any]:
    """Open a runner on the scheduler at ``address``, or on a cluster of this machine.

    A worker has one thread: it waits for the process that refits its brand, and another brand
    beside it would share its memory.

    Raises
    ------
    ResourceUnavailableError
        If the scheduler does not answer.
    """
    admit_dask()
    from prefect_dask.task_runners import DaskTaskRunner

    if address is not None:
        require_scheduler(address)
        runner = DaskTaskRunner(address=address)
    else:
        cluster = {
            "n_workers": n_workers,
            "threads_per_worker": 1,
            "processes": True,
            "dashboard_address": None,
            "host": HOST,
        }
        runner = DaskTaskRunner(cluster_kwargs=cluster)
    with runner as opened:
        yield opened
