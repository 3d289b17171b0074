"""Begin, advance and end a run."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE

from schemas.names import Artifact
from schemas.results import RunStatus
from schemas.run_spec import RefitRequest
from tasks.store import resume, run_status
from tasks.store.artifacts import sha256_of, write_json
from tasks.store.home import Home, current_home
from tasks.store.locks import dataset_lock
from tasks.store.run_ids import new_run_id
from tasks.store.trial import trial_home
from tasks.store.warehouse_runs import list_unfinished

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
def begin_run(request: RefitRequest, as_of: date) -> str:
    """Take up the run of the same request that was interrupted, or record a new one; return its id.

    The caller holds the dataset's lock, so a run that has not ended is dead. A run that ended in an
    error after it was fitted is taken up too: a fit is too dear to be lost to a full disk.
    """
    home, spec = current_home(), request.spec
    key = _request_key(request, as_of)
    run_id = None
    for record in list_unfinished(home, spec.dataset_id):
        same = run_id is None and resume.read_request(home, record.run_id) == key
        if same and (record.status is not RunStatus.ERROR or _is_fitted(home, record.run_id)):
            run_id = record.run_id
        elif record.status is not RunStatus.ERROR:
            run_status.fail_run(home, record.run_id, "killed before it ended")
    if run_id is not None:
        log.info("run %s was interrupted and is taken up again", run_id)
    else:
        run_id = new_run_id(spec.dataset_id, datetime.now(UTC))
    run_status.start_run(home, run_id, spec.dataset_id)
    resume.write_request(home, run_id, key)
    write_json(home, home.run_dir(run_id) / Artifact.RUN_SPEC, spec.model_dump(mode="json"))
    return run_id


def _request_key(request: RefitRequest, as_of: date) -> str:
    """Key of a request by content: the bytes of its file count, not where they lie."""
    digest = sha256_of(Path(request.data)) if request.data is not None else None
    return resume.step_key(
        "refit",
        {
            "spec": request.spec,
            "data": digest,
            "as_of": as_of.isoformat(),
            "accept_restatement": request.accept_restatement,
            "is_replay": request.is_replay,
        },
    )


def _is_fitted(home: Home, run_id: str) -> bool:
    return resume.has_record(home, run_id, "fit_posterior")


@task(name="advance-run", cache_policy=NO_CACHE, retries=2, retry_delay_seconds=2)
def advance_run(run_id: str, status: RunStatus, snapshot_id: str | None = None) -> None:
    """Move a run to its next state."""
    facts: dict[str, Any] = {"snapshot_id": snapshot_id} if snapshot_id else {}
    run_status.advance_run(current_home(), run_id, status, **facts)


@task(name="fail-run", cache_policy=NO_CACHE, retries=2, retry_delay_seconds=2)
def fail_run(run_id: str, reason: str) -> None:
    """End a run in ERROR with its reason."""
    run_status.fail_run(current_home(), run_id, reason)
