"""Heartbeats of flow runs, left out where nobody would miss one.

A heartbeat is an event for automations of a server that looks for dead flow runs. Prefect's thread
that sends them is waited for at the end of every flow call, for a second. An ephemeral API has no
automations and ends with its process; the process of a brand is watched by its portfolio.
"""

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def without_heartbeats() -> Iterator[None]:
    """Run flows in this context without heartbeats."""
    from prefect.settings import PREFECT_FLOWS_HEARTBEAT_FREQUENCY, temporary_settings

    with temporary_settings({PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}):
        yield
