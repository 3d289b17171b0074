"""The fitted model that a plan speaks for: which run it is, and where that run's files are."""

import json
from pathlib import Path

from schemas.documents.results import RunRecord, explain_refusal
from schemas.errors import CorruptArtifactError, UnknownRunError
from schemas.names import Artifact
from schemas.outcomes import is_accepted
from schemas.refs import FeaturesRef, FileRef, PlanSource
from schemas.spec.plan_request import PlannedModel
from schemas.spec.run_spec import RunSpec
from tasks.store.files.artifacts import sha256_of
from tasks.store.home import Home
from tasks.store.runs.digests import recorded_digest, require_unchanged
from tasks.store.tracking.plans import champion_run_id
from tasks.store.warehouse.prunings import require_files
from tasks.store.warehouse.runs import list_runs, read_run


def find_planned_run(home: Home, model: PlannedModel) -> RunRecord:
    """Return the run that a plan is asked for: the one it names, else the champion's.

    Raises
    ------
    UnknownRunError
        If dataset or run are unknown, the dataset has no champion, or the run did not end with an
        accepted fit.
    PrunedFilesError
        If the retention policy has removed the files of the run that is named.
    """
    if model.run_id is not None:
        named = _require_accepted(read_run(home, model.run_id), model.dataset_id)
        require_files(home, named.run_id)
        return named
    records = list_runs(home, model.dataset_id)
    if not records:
        raise UnknownRunError(
            f"No run of dataset {model.dataset_id!r}; `mmm refit --spec FILE` starts one."
        )
    champion = champion_run_id(home, model.dataset_id)
    if champion is None:
        raise UnknownRunError(_no_champion(records[0]))
    return _require_accepted(read_run(home, champion), model.dataset_id)


def open_source(home: Home, record: RunRecord) -> PlanSource:
    """Return references to what a plan reads of a run.

    Raises
    ------
    CorruptArtifactError
        If a file of the run is missing; one that was changed is found when it is opened.
    PrunedFilesError
        If the retention policy has removed them.
    """
    require_files(home, record.run_id)
    folder = home.run_dir(record.run_id)
    return PlanSource(
        run_id=record.run_id,
        snapshot_id=record.snapshot_id or "",
        model_version=record.model_version,
        spec=read_run_spec_of(home, record.run_id),
        posterior=file_ref(home, folder / Artifact.POSTERIOR),
        features=FeaturesRef(
            snapshot_id=record.snapshot_id or "",
            features=file_ref(home, folder / Artifact.FEATURES),
            metadata=file_ref(home, folder / Artifact.FEATURE_METADATA),
            scaler=file_ref(home, folder / Artifact.FEATURE_SCALER),
        ),
        roi_metrics=file_ref(home, folder / Artifact.ROI_METRICS),
    )


def read_run_spec_of(home: Home, run_id: str) -> RunSpec:
    """Return the spec that a run was made with.

    Raises
    ------
    CorruptArtifactError
        If the file is missing or cannot be read by this version.
    """
    path = home.run_dir(run_id) / Artifact.RUN_SPEC
    require_unchanged(path.parent, [path.name])
    try:
        return RunSpec.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise CorruptArtifactError(
            f"{home.relative(path)} cannot be read; restore it or run the refit again."
        ) from error


def _require_accepted(record: RunRecord, dataset_id: str) -> RunRecord:
    run_id = record.run_id
    if record.dataset_id != dataset_id:
        raise UnknownRunError(
            f"Run {run_id} is one of dataset {record.dataset_id!r}, not of {dataset_id!r}."
        )
    if why := explain_refusal(record):
        raise UnknownRunError(
            f"Run {run_id} {why}. Nobody should spend by it; `mmm show {run_id}` says more. Name "
            "another run, or leave --run out to plan from the champion."
        )
    return record


def _no_champion(newest: RunRecord) -> str:
    verdict = f", verdict {newest.verdict}" if newest.verdict else ""
    reason = f" ({newest.reason.splitlines()[0]})" if newest.reason else ""
    remedy = (
        f"To plan from it all the same, add --run {newest.run_id}."
        if is_accepted(newest.verdict)
        else f"`mmm show {newest.run_id}` says what to mend before the next refit."
    )
    return (
        f"Dataset {newest.dataset_id!r} has no champion yet. Its newest run is {newest.run_id}: "
        f"{newest.status}{verdict}{reason}. {remedy}"
    )


def file_ref(home: Home, path: Path) -> FileRef:
    """Return a reference to a file of a run as it was published.

    Raises
    ------
    CorruptArtifactError
        If the file is missing; one that was changed is found when it is opened.
    """
    if not path.is_file():
        raise CorruptArtifactError(
            f"{home.relative(path)} is missing; restore it or run the refit again."
        )
    return FileRef(path=home.relative(path), sha256=recorded_digest(path) or sha256_of(path))
