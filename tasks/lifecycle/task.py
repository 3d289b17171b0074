"""Begin, advance and end a run."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.runtime import flow_run

from schemas.documents.refit_outcome import Outcome
from schemas.documents.results import RunRecord, RunStatus
from schemas.errors import SpecError
from schemas.names import Artifact
from schemas.spec.refit_request import RefitRequest
from tasks.store.clock import latest_today
from tasks.store.files.artifacts import sha256_of, sweep_partials, write_json
from tasks.store.home import Home, current_home
from tasks.store.locks import REFIT_WAIT_SECONDS, dataset_lock
from tasks.store.runs import resume
from tasks.store.runs import status as run_status
from tasks.store.runs.champions import find_record
from tasks.store.runs.ids import is_run_of, new_run_id
from tasks.store.tracking.server import require_answer
from tasks.store.warehouse.runs import runs_of

log = logging.getLogger(__name__)


@contextmanager
def exclusive(dataset_id: str, *, wait_seconds: float = REFIT_WAIT_SECONDS) -> Iterator[None]:
    """Hold the dataset's lock for the length of a refit."""
    with dataset_lock(current_home(), dataset_id, wait_seconds=wait_seconds):
        yield


def knowledge_date(as_of: date | None) -> date:
    """Return the day whose knowledge a refit uses.

    Parameters
    ----------
    as_of
        The day that was asked for; None is today.

    Returns
    -------
    date
        That day, or today.

    Raises
    ------
    SpecError
        If it has not come yet: every later week would be refused until then.
    """
    today = latest_today()
    if as_of is not None and as_of > today:
        raise SpecError(
            f"as_of: {as_of} is after today ({today} by this machine's clock); a knowledge date "
            "cannot lie in the future. Give an earlier one, or set the clock."
        )
    return as_of or datetime.now(UTC).date()


def require_services() -> None:
    """Check that what a refit needs at its end is there, before it begins.

    Raises
    ------
    ResourceUnavailableError
        If MLFLOW_TRACKING_URI names a server that does not answer.
    """
    require_answer(current_home())


@task(name="begin-run", cache_policy=NO_CACHE, retries=2, retry_delay_seconds=2)
def begin_run(request: RefitRequest, as_of: date) -> str:
    """Take up the run of the same request that was interrupted, or record a new one; return its id.

    The caller holds the dataset's lock, so a run that has not ended is dead. A run that ended in an
    error after it was fitted is taken up too: a fit is too dear to be lost to a full disk. So is
    one that was published and died before it could say so (``recall_outcome``).
    """
    home, spec = current_home(), request.spec
    key = _request_key(request, as_of)
    known = {record.run_id: record for record in runs_of(home, spec.dataset_id)}
    run_id = next((r for r in resume.find_requests(home, key) if _is_open(home, r, known)), None)
    _end_others(home, spec.dataset_id, known, keep=run_id)
    if run_id is None:
        run_id = request.run_id or new_run_id(spec.dataset_id, datetime.now(UTC))
    else:
        log.info("run %s was interrupted and is taken up again", run_id)
        if _has_status(known, run_id, RunStatus.OUTPUTS_READY):
            return run_id
    # Before the run is known: killed in between, the next try finds the id by its request.
    resume.write_request(home, run_id, key)
    run_status.start_run(home, run_id, spec.dataset_id, flow_run_id=flow_run.id)
    write_json(home, home.run_dir(run_id) / Artifact.RUN_SPEC, spec.model_dump(mode="json"))
    return run_id


def recall_outcome(run_id: str) -> Outcome | None:
    """Return what a run that was taken up had published already; None where it is to be done."""
    home = current_home()
    record = find_record(home, run_id)
    if record is None or record.status is not RunStatus.OUTPUTS_READY:
        return None
    log.info("run %s had been published when it was interrupted; nothing is done again", run_id)
    return resume.read_outcome(home, run_id, Outcome)


def _is_open(home: Home, run_id: str, known: Mapping[str, RunRecord]) -> bool:
    """Say whether a run can be taken up: dead, or published and not reported."""
    record = known.get(run_id)
    if record is None:
        return True
    if record.status is RunStatus.OUTPUTS_READY:
        return resume.read_outcome(home, run_id, Outcome) is not None
    return record.status is not RunStatus.ERROR or _is_fitted(home, run_id)


def _end_others(
    home: Home, dataset_id: str, known: Mapping[str, RunRecord], *, keep: str | None
) -> None:
    """End a dataset's other dead runs, and remove what killed writers left half written."""
    sweep_partials(home.landing / dataset_id)
    begun = {path.name for path in home.steps.glob("*") if is_run_of(path.name, dataset_id)}
    for run_id in begun | {r for r, record in known.items() if record.dataset_id == dataset_id}:
        if _has_status(known, run_id, RunStatus.OUTPUTS_READY):
            if run_id != keep and run_id in begun:
                resume.forget_steps(home, run_id)
            continue
        sweep_partials(home.run_dir(run_id))
        sweep_partials(home.steps / run_id)
        if run_id == keep:
            continue
        if run_id not in known:
            _drop_unrecorded(home, run_id)
        elif not _has_status(known, run_id, RunStatus.ERROR):
            run_status.fail_run(home, run_id, "killed before it ended")


def _drop_unrecorded(home: Home, run_id: str) -> None:
    """Remove a run that died before it was recorded: its id, and its state at most."""
    resume.forget_steps(home, run_id)
    (home.run_dir(run_id) / Artifact.RUN_STATUS).unlink(missing_ok=True)
    with suppress(OSError):  # it is not empty, so it is no such run
        home.run_dir(run_id).rmdir()


def _has_status(known: Mapping[str, RunRecord], run_id: str, status: RunStatus) -> bool:
    return run_id in known and known[run_id].status is status


def _request_key(request: RefitRequest, as_of: date) -> str:
    """Key of a request by content: the bytes of its file count, not where they lie."""
    digest = sha256_of(Path(request.data)) if request.data is not None else None
    return resume.input_digest(
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


@task(name="end-run", cache_policy=NO_CACHE, retries=2, retry_delay_seconds=2)
def end_run(run_id: str) -> None:
    """Forget what only an interrupted run would need: this one has been published and reported."""
    resume.forget_steps(current_home(), run_id)
