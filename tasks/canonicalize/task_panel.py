"""Turn a landed batch into canonical rows and the model's panel; freeze the panel as a snapshot."""

import logging
from datetime import date
from pathlib import Path
from typing import Any

from schemas.documents.data import ColumnInfo
from schemas.documents.restatements import RestatementDecision
from schemas.errors import DataContractError
from schemas.names import PERIOD_COLUMN, Artifact
from schemas.refs import BatchRef, CandidateRef, SnapshotRef, StepKey
from schemas.spec.run_spec import RunSpec
from tasks.canonicalize.arrivals import describe_arrivals
from tasks.canonicalize.coming import describe_coming
from tasks.canonicalize.content_id import snapshot_id_of
from tasks.canonicalize.describe import describe_columns, describe_panel
from tasks.canonicalize.panel_rules import shape_panel
from tasks.canonicalize.task_batch import read_batch
from tasks.canonicalize.task_known import read_known, stored_roles, wanted_columns
from tasks.store.clock import latest_today
from tasks.store.files.artifacts import (
    open_ref,
    read_document,
    read_parquet,
    write_document,
    write_parquet,
)
from tasks.store.home import current_home
from tasks.store.runs.resume import resumable, run_key
from tasks.store.warehouse import batches, canonical, connection, restatements
from tasks.store.warehouse.gates import record_findings
from tasks.store.warehouse.run_inputs import RunInput, write_run_input

log = logging.getLogger(__name__)


@resumable
def canonicalize_batch(
    key: StepKey, batch: BatchRef | None, spec: RunSpec, as_of: date
) -> CandidateRef:
    """Compute what the panel would be if this batch were accepted; the warehouse is only read.

    Parameters
    ----------
    key
        The run, whose folder gets the artifacts.
    batch
        A batch that raw validation did not fail; None takes what the warehouse knows.
    spec
        The run spec.
    as_of
        Knowledge date: older knowledge counts, and periods that start later are left out.

    Raises
    ------
    DataContractError
        If nothing is known of the dataset, or the batch would change the past behind later batches.
    """
    home = current_home()
    folder = home.run_dir(key.run_id)
    read = read_batch(home, batch, spec, folder, as_of) if batch else None
    roles, long = (read.roles, read.long) if read else (None, None)
    with connection.reading(home, spec.dataset_id) as con:
        roles = roles or stored_roles(con, spec, as_of)
        wanted = wanted_columns(roles)
        known = canonical.read_panel(
            con, dataset_id=spec.dataset_id, as_of=as_of, wanted=wanted, staged=False
        )
        panel, newest = known, canonical.newest_batch(con, spec.dataset_id, as_of)
        accepted = False
        if batch and long:
            accepted = _stage(con, open_ref(home, long), batch, as_of)
            panel = canonical.read_panel(
                con, dataset_id=spec.dataset_id, as_of=as_of, wanted=wanted, staged=True
            )
            newest = (batch.batch_id, batch.source_name)
        history = restatements.describe_history(
            con,
            dataset_id=spec.dataset_id,
            batch_id=batch.batch_id if batch else None,
            accepted=accepted,
            as_of=as_of,
        )
    shaped = shape_panel(panel, roles, spec, as_of)
    info = {
        "file": newest[1] if newest else None,
        "batch_id": newest[0] if newest else None,
        "as_of": as_of.isoformat(),
        "history": history.model_dump(mode="json"),
        **describe_panel(shaped, roles, spec),
    }
    before = known if batch and len(known) else None
    info["columns"] = describe_columns(shaped.known, before, roles)
    info |= describe_arrivals(shaped.known, before, roles, spec.gates.data)
    if read:
        info["planned"] = describe_coming(read.coming, shaped, roles, spec.effective_level, as_of)
    log.info("panel of %s: %d rows, %s", spec.dataset_id, len(shaped.wide), shaped.grain.value)
    return CandidateRef(
        dataset_id=spec.dataset_id,
        batch=batch,
        long=long,
        wide=write_parquet(home, folder / Artifact.CANONICAL_DATA, shaped.wide),
        column_info=write_document(
            home, folder / Artifact.COLUMN_INFO, ColumnInfo.model_validate(info)
        ),
        grain=shaped.grain,
        known_from=as_of,
        panel=write_parquet(home, folder / Artifact.CANONICAL_PANEL, shaped.known),
    )


def preview_snapshot(spec: RunSpec, as_of: date) -> str | None:
    """Return the id that a snapshot of what is known on a day would have; None without data."""
    with connection.reading(current_home(), spec.dataset_id) as con:
        known = read_known(con, spec, as_of)
    if known is None:
        return None
    shaped = shape_panel(known.panel, known.roles, spec, as_of)
    return snapshot_id_of(shaped.wide, shaped.grain) if len(shaped.wide) else None


def accepted_since(batch: BatchRef) -> date | None:
    """Return the day from which a batch is known; None where it was never accepted."""
    with connection.reading(current_home(), batch.dataset_id) as con:
        return batches.known_since(con, batch.dataset_id, batch.batch_id)


def _stage(con: Any, long: Path, batch: BatchRef, as_of: date) -> bool:
    """Stage a batch, refuse it if it would rewrite the past; return if it was accepted before."""
    accepted = batches.was_accepted(con, batch.dataset_id, batch.batch_id)
    canonical.stage_batch(
        con, long, dataset_id=batch.dataset_id, batch_id=batch.batch_id, accepted=accepted
    )
    newest = canonical.newest_knowledge(con, batch.dataset_id)
    if newest and as_of < newest and any(canonical.count_changes(con)):
        remedy = (
            "which has not come by the clock of this machine. Set the clock right if it is behind; "
            "if a clock was ahead then, `mmm repair` sets that day to today."
            if newest > latest_today()
            else f"so give --as-of {newest} or later."
        )
        raise DataContractError(
            f"{batch.source_name}: it would change dataset {batch.dataset_id!r} as of {as_of}, but "
            f"the warehouse holds knowledge of {newest}, {remedy}"
        )
    return accepted


@resumable
def take_snapshot(key: StepKey, candidate: CandidateRef, spec: RunSpec, as_of: date) -> SnapshotRef:
    """Accept a candidate: write its batch, its snapshot and findings in one transaction.

    Doing it again changes nothing.

    Raises
    ------
    DataContractError
        If a later batch was accepted since the candidate was computed.
    """
    home = current_home()
    wide = read_parquet(home, candidate.wide)
    info = read_document(home, candidate.column_info, ColumnInfo)
    snapshot_id = snapshot_id_of(wide, candidate.grain)
    starts, n_restated = wide[PERIOD_COLUMN].dt.date, 0
    with connection.writing(home, spec.dataset_id) as con:
        if candidate.batch and candidate.long:
            long = open_ref(home, candidate.long)
            n_restated = _accept(con, candidate, candidate.batch, long, as_of)
        row = canonical.SnapshotRow(
            snapshot_id=snapshot_id,
            dataset_id=spec.dataset_id,
            as_of=as_of,
            grain=candidate.grain.value,
            n_entities=info.n_entities,
            n_periods=info.periods.n,
            first_period=starts.min(),
            last_period=starts.max(),
            batch_id=info.batch_id,
        )
        canonical.insert_snapshot(con, row)
        decided = RunInput(
            run_id=key.run_id,
            dataset_id=spec.dataset_id,
            snapshot_id=snapshot_id,
            as_of=as_of,
            run_key=run_key(spec, snapshot_id, as_of),
        )
        write_run_input(con, decided)
        record_findings(con, home, key.run_id)
    log.info("snapshot %s of %s, %d value(s) restated", snapshot_id, spec.dataset_id, n_restated)
    return SnapshotRef(
        dataset_id=spec.dataset_id,
        snapshot_id=snapshot_id,
        wide=candidate.wide,
        column_info=candidate.column_info,
        grain=candidate.grain,
        as_of=as_of,
        n_restated=n_restated,
    )


def _accept(con: Any, candidate: CandidateRef, batch: BatchRef, long: Path, as_of: date) -> int:
    accepted = _stage(con, long, batch, as_of)
    restated = restatements.measure_restatements(
        con, batch_id=batch.batch_id, accepted=accepted, as_of=as_of
    )
    n_restated = canonical.apply_staged(
        con,
        dataset_id=batch.dataset_id,
        batch_id=batch.batch_id,
        known_from=as_of,
        accepted=accepted,
    )
    batches.insert_batch(con, batch)
    batches.accept_batch(con, batch.dataset_id, batch.batch_id, as_of)
    restatements.write_restatements(con, candidate, restated, RestatementDecision.ACCEPTED)
    return n_restated


def refuse_batch(batch: BatchRef, held: CandidateRef | None = None) -> None:
    """Mark a batch refused; canonical data stay untouched.

    Parameters
    ----------
    batch
        The batch.
    held
        Its candidate, where it is quarantined for what it would restate: that is recorded.
    """
    home = current_home()
    with connection.writing(home, batch.dataset_id) as con:
        batches.insert_batch(con, batch)
        batches.refuse_batch_row(con, batch.dataset_id, batch.batch_id)
        if held is not None:
            restated = read_document(home, held.column_info, ColumnInfo).history.restated
            restatements.write_restatements(con, held, restated, RestatementDecision.HELD)
    log.info("batch %s of %s refused", batch.batch_id, batch.dataset_id)
