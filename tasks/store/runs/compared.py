"""Files of two finished runs that are to be compared."""

from dataclasses import dataclass

from pydantic import BaseModel

from schemas.documents.data import ColumnInfo
from schemas.documents.fit import ModelMetadata
from schemas.documents.results import RunRecord, explain_refusal
from schemas.errors import CorruptArtifactError, IncomparableRunsError
from schemas.names import Artifact
from schemas.refs import PlanSource, SnapshotRef
from schemas.spec.sampler import SamplerSpec
from tasks.store.home import Home
from tasks.store.runs.documents import open_document
from tasks.store.runs.plan_sources import file_ref, open_source
from tasks.store.warehouse.runs import read_run


@dataclass(frozen=True)
class ComparedRun:
    """One run: its record, what its fit was made from and what it gave."""

    record: RunRecord
    source: PlanSource
    snapshot: SnapshotRef
    column_info: ColumnInfo
    model_metadata: ModelMetadata

    @property
    def sampler(self) -> SamplerSpec:
        """Settings of the fit that was taken; an escalation has others than the spec."""
        used = self.model_metadata.sampler.model_dump(exclude={"backend_used"})
        return SamplerSpec.model_validate(used)

    @property
    def fingerprint(self) -> str:
        """Code and libraries of the fit."""
        return self.model_metadata.fingerprint


def read_accepted(home: Home, run_id: str) -> RunRecord:
    """Return a run whose outputs were accepted.

    Raises
    ------
    UnknownRunError
        If there is no such run.
    IncomparableRunsError
        If it did not end, or a gate rejected it.
    """
    record = read_run(home, run_id)
    if why := explain_refusal(record):
        raise IncomparableRunsError(
            f"Run {run_id} {why}. There are no returns to explain; `mmm runs` lists the runs that "
            "have some."
        )
    return record


def open_compared(home: Home, record: RunRecord) -> ComparedRun:
    """Open what a comparison needs of a run.

    Raises
    ------
    IncomparableRunsError
        If a file is gone or not whole.
    """
    run_id = record.run_id
    folder = home.run_dir(run_id)
    try:
        source = open_source(home, record)
        info = _require(home, run_id, Artifact.COLUMN_INFO, ColumnInfo)
        metadata = _require(home, run_id, Artifact.MODEL_METADATA, ModelMetadata)
        snapshot = SnapshotRef(
            dataset_id=record.dataset_id,
            snapshot_id=source.snapshot_id,
            wide=file_ref(home, folder / Artifact.CANONICAL_DATA),
            column_info=file_ref(home, folder / Artifact.COLUMN_INFO),
            grain=info.grain,
            as_of=info.as_of,
        )
    except (CorruptArtifactError, OSError) as error:
        raise IncomparableRunsError(
            f"Files of run {run_id} are gone or not whole ({error}); restore {folder} or name "
            "another run."
        ) from error
    return ComparedRun(record, source, snapshot, info, metadata)


def _require[Doc: BaseModel](home: Home, run_id: str, name: str, model: type[Doc]) -> Doc:
    found = open_document(home, run_id, name, model)
    if found is None:
        raise CorruptArtifactError(f"{name} is missing")
    return found
