"""Files of two finished runs that are to be compared."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from schemas.documents.results import RunRecord, explain_refusal
from schemas.errors import CorruptArtifactError, IncomparableRunsError
from schemas.names import Artifact
from schemas.refs import PlanSource, SnapshotRef
from schemas.spec.run_spec import Grain
from schemas.spec.sampler import SamplerSpec
from tasks.store.home import Home
from tasks.store.runs.documents import open_documents
from tasks.store.runs.plan_sources import file_ref, open_source
from tasks.store.warehouse.runs import read_run


@dataclass(frozen=True)
class ComparedRun:
    """One run: its record, what its fit was made from and what it gave."""

    record: RunRecord
    source: PlanSource
    snapshot: SnapshotRef
    column_info: dict[str, Any]
    model_metadata: dict[str, Any]

    @property
    def sampler(self) -> SamplerSpec:
        """Settings of the fit that was taken; an escalation has others than the spec."""
        reported = {
            k: v for k, v in self.model_metadata.get("sampler", {}).items() if k != "backend_used"
        }
        return SamplerSpec.model_validate(reported) if reported else self.source.spec.sampler

    @property
    def fingerprint(self) -> str | None:
        """Code and libraries of the fit; None where the run does not say."""
        return self.model_metadata.get("fingerprint")


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
    names = (Artifact.COLUMN_INFO, Artifact.MODEL_METADATA)
    try:
        source = open_source(home, record)
        documents = open_documents(home, run_id, names)
        info, metadata = (documents[name] for name in names)
        snapshot = SnapshotRef(
            dataset_id=record.dataset_id,
            snapshot_id=source.snapshot_id,
            wide=file_ref(home, folder / Artifact.CANONICAL_DATA),
            column_info=file_ref(home, folder / Artifact.COLUMN_INFO),
            grain=Grain(info["grain"]),
            as_of=date.fromisoformat(info["as_of"]),
        )
    except (CorruptArtifactError, OSError, KeyError) as error:
        raise IncomparableRunsError(
            f"Files of run {run_id} are gone or not whole ({error}); restore {folder} or name "
            "another run."
        ) from error
    return ComparedRun(record, source, snapshot, info, metadata)
