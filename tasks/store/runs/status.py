"""The state machine of a run, kept in ``ops.runs`` and ``run_status.json``.

Legal moves: one step along CREATED, VALIDATED, FEATURES_BUILT, TRAINING, TRAINED, OUTPUTS_READY;
the same state again (a retried task); ERROR from any state but the last; CREATED again after ERROR
(a resumed run). Each write to a warehouse copies it, so ``ops.runs`` gets a run as it begins and
as it ends; how far it is in between, ``run_status.json`` says (``runs.as_it_stands``). That a run
has ended, only ``ops.runs`` can say: the file is written inside its transaction.
"""

import logging
from contextlib import nullcontext
from datetime import UTC, datetime
from typing import Any

import duckdb

from schemas.documents.results import ENDED, RunRecord, RunStatus, StatusFile
from schemas.errors import CorruptArtifactError, MmmError, UnknownRunError
from schemas.names import Artifact
from tasks.store.files.artifacts import write_document
from tasks.store.home import Home
from tasks.store.redaction import redact
from tasks.store.warehouse.across import find_dataset
from tasks.store.warehouse.connection import reading, writing
from tasks.store.warehouse.gates import record_findings
from tasks.store.warehouse.places import dataset_of_folder
from tasks.store.warehouse.runs import as_it_stands, find_run, write_run

log = logging.getLogger(__name__)

_ORDER = tuple(status for status in RunStatus if status is not RunStatus.ERROR)


class IllegalTransitionError(MmmError, RuntimeError):
    """A run was moved to a state that does not follow from the one it is in."""


def is_legal(before: RunStatus, after: RunStatus) -> bool:
    """Say whether a run may go from ``before`` to ``after``."""
    if after is before:
        return True
    if after is RunStatus.ERROR:
        return before is not RunStatus.OUTPUTS_READY
    if before is RunStatus.ERROR:
        return False
    return _ORDER.index(after) == _ORDER.index(before) + 1


def start_run(
    home: Home, run_id: str, dataset_id: str, *, flow_run_id: str | None = None
) -> RunRecord:
    """Record a new run as CREATED, or take an unfinished one up again.

    Parameters
    ----------
    home, run_id, dataset_id
        The run.
    flow_run_id
        Flow run in Prefect that makes it.

    Raises
    ------
    IllegalTransitionError
        If the run id has ended with outputs, or belongs to another dataset.
    """
    now = datetime.now(UTC)
    _require_own(home, run_id, dataset_id)
    with writing(home, dataset_id) as con:
        known = find_run(con, run_id)
        if known is not None and known.status is RunStatus.OUTPUTS_READY:
            raise IllegalTransitionError(
                f"Run {run_id} of dataset {known.dataset_id} is {known.status}; start a new run id."
            )
        begun = RunRecord(
            run_id=run_id,
            dataset_id=dataset_id,
            status=RunStatus.CREATED,
            created_at=known.created_at if known else now,
            updated_at=now,
        )
        write_run(con, begun)
        return _report(home, begun, flow_run_id=flow_run_id)


def advance_run(
    home: Home,
    run_id: str,
    status: RunStatus,
    *,
    con: duckdb.DuckDBPyConnection | None = None,
    **facts: Any,
) -> RunRecord:
    """Move a run to ``status`` and record what is known by then.

    Parameters
    ----------
    home
        Home of the run.
    run_id
        The run.
    status
        Next state, or the present one to add facts.
    con
        An open transaction to write in; without it, one is opened where the run has ended.
    **facts
        Fields of ``RunRecord``, such as verdict or snapshot_id; those not named keep their value.

    Raises
    ------
    UnknownRunError
        If the run was never started.
    IllegalTransitionError
        If ``status`` does not follow.
    """
    unknown = set(facts) - set(RunRecord.model_fields)
    if unknown:
        raise TypeError(f"a run has no field {', '.join(sorted(unknown))}")
    opening = reading if status not in ENDED else writing
    opened = nullcontext(con) if con is not None else opening(home, _owner(home, run_id))
    with opened as transaction:
        record = find_run(transaction, run_id)
        if record is None:
            raise UnknownRunError(f"Run {run_id!r} was never started.")
        record = as_it_stands(home, record)
        if not is_legal(record.status, status):
            raise IllegalTransitionError(
                f"Run {run_id} is {record.status}; it cannot become {status}."
            )
        changed = {
            **record.model_dump(),
            **facts,
            "status": status,
            "updated_at": datetime.now(UTC),
        }
        moved = RunRecord.model_validate(changed)
        if status in ENDED:
            write_run(transaction, moved)
        return _report(home, moved, before=record)


def fail_run(home: Home, run_id: str, reason: str) -> RunRecord:
    """Move a run to ERROR with the reason; a run that has published stays as it is."""
    with writing(home, _owner(home, run_id)) as con:
        record = find_run(con, run_id)
        if record is not None and record.status is RunStatus.OUTPUTS_READY:
            log.warning("run %s failed after its outputs were ready: %s", run_id, reason)
            return record
        try:
            record_findings(con, home, run_id)
        except CorruptArtifactError as error:
            log.warning("run %s ends without the findings of its data: %s", run_id, error)
        return advance_run(home, run_id, RunStatus.ERROR, con=con, reason=redact(reason))


def _owner(home: Home, run_id: str) -> str:
    dataset_id = find_dataset(home, run_id)
    if dataset_id is None:
        raise UnknownRunError(f"Run {run_id!r} was never started.")
    return dataset_id


def _require_own(home: Home, run_id: str, dataset_id: str) -> None:
    """Raise if the folder of a run says that it is another dataset's."""
    owner = dataset_of_folder(home.run_dir(run_id))
    if owner not in (None, dataset_id):
        raise IllegalTransitionError(f"Run {run_id} is of dataset {owner}; start a new run id.")


def find_status_file(home: Home, run_id: str) -> StatusFile | None:
    """Return what a run says of itself where its files are; None where it says nothing."""
    try:
        text = (home.run_dir(run_id) / Artifact.RUN_STATUS).read_text(encoding="utf-8")
        return StatusFile.model_validate_json(text)
    except (OSError, ValueError):  # it was never written, or is not whole
        return None


def _report(
    home: Home,
    record: RunRecord,
    *,
    before: RunRecord | None = None,
    flow_run_id: str | None = None,
) -> RunRecord:
    """Write how far a run is where its files are; what only that file knows stays known."""
    known = find_status_file(home, record.run_id)
    reached = None
    if before is not None and record.status is RunStatus.ERROR:
        failed_twice = before.status is RunStatus.ERROR
        reached = (known and known.reached) if failed_twice else before.status
    status = StatusFile(
        **record.model_dump(),
        reached=reached,
        flow_run_id=flow_run_id or (known and known.flow_run_id),
    )
    write_document(home, home.run_dir(record.run_id) / Artifact.RUN_STATUS, status)
    log.info("run %s is %s", record.run_id, record.status)
    return record
