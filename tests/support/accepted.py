"""Rows that a home accepted on a day: what a refit does to its data, without gates and a fit."""

from datetime import date
from pathlib import Path

from schemas.refs import SnapshotRef, StepKey
from schemas.spec.run_spec import RunSpec
from tasks.canonicalize.task import canonicalize_batch, take_snapshot
from tasks.ingest.task import ingest_file


def accept_file(spec: RunSpec, file: Path, as_of: date) -> SnapshotRef:
    """Bring a file into the warehouse of the current home, as a refit of that day would have."""
    key = StepKey(run_id=f"{spec.dataset_id}-{as_of}")
    batch = ingest_file.fn(str(file), spec)
    candidate = canonicalize_batch.fn(key, batch, spec, as_of)
    return take_snapshot.fn(key, candidate, spec, as_of)
