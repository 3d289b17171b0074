"""Begin, advance and end a run."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE

from schemas.names import Artifact
from schemas.results import RunStatus
from schemas.run_spec import RunSpec
from tasks.lifecycle.run_ids import new_run_id
from tasks.store import run_status
from tasks.store.artifacts import write_json
from tasks.store.home import Home, current_home
from tasks.store.locks import dataset_lock
from tasks.store.trial import trial_home

log = logging.getLogger(__name__)

LOCK_WAIT_SECONDS = 3600.0
"""A weekly refit takes minutes; one that has not ended after an hour needs a person."""


@contextmanager
def exclusive(dataset_id: str, *, wait_seconds: float = LOCK_WAIT_SECONDS) -> Iterator[None]:
    """Hold the dataset's lock for the length of a refit."""
    with dataset_lock(current_home(), dataset_id, wait_seconds=wait_seconds):
        yield


@contextmanager
def on_trial() -> Iterator[Home]:
    """Work in a throw-away home with a copy of the warehouse."""
    with trial_home() as home:
        yield home


@task(name="begin-run", cache_policy=NO_CACHE, retries=2, retry_delay_seconds=2)
def begin_run(spec: RunSpec) -> str:
    """Record a new run as CREATED with its spec, and return its id."""
    home = current_home()
    run_id = new_run_id(spec.dataset_id, datetime.now(UTC))
    run_status.start_run(home, run_id, spec.dataset_id)
    write_json(home, home.run_dir(run_id) / Artifact.RUN_SPEC, spec.model_dump(mode="json"))
    return run_id


@task(name="advance-run", cache_policy=NO_CACHE, retries=2, retry_delay_seconds=2)
def advance_run(run_id: str, status: RunStatus, snapshot_id: str | None = None) -> None:
    """Move a run to its next state."""
    facts: dict[str, Any] = {"snapshot_id": snapshot_id} if snapshot_id else {}
    run_status.advance_run(current_home(), run_id, status, **facts)


@task(name="fail-run", cache_policy=NO_CACHE, retries=2, retry_delay_seconds=2)
def fail_run(run_id: str, reason: str) -> None:
    """End a run in ERROR with its reason."""
    run_status.fail_run(current_home(), run_id, reason)
