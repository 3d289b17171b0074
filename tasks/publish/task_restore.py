"""MLflow's store made again from the run folders and the warehouse, after its database was lost."""

import math
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from schemas.answers.repair import TrackingRestored
from schemas.documents.data import ColumnInfo
from schemas.documents.diagnostics import Diagnostics
from schemas.documents.effects import FitMetrics
from schemas.documents.features import FeatureMetadata
from schemas.documents.results import RunRecord
from schemas.names import PERIOD_COLUMN, Alias, Artifact
from schemas.spec.run_spec import RunSpec
from tasks.publish import records
from tasks.publish.outputs import predicted_columns
from tasks.store.files.artifacts import parse_document
from tasks.store.home import Home, current_home
from tasks.store.runs.champions import give_champion
from tasks.store.runs.status import advance_run
from tasks.store.tracking import aliases, experiments
from tasks.store.tracking.lost import is_local, is_lost
from tasks.store.tracking.model_versions import ModelFiles
from tasks.store.tracking.retries import log_retries
from tasks.store.warehouse.promotions import list_promotions
from tasks.store.warehouse.runs import list_runs

if TYPE_CHECKING:
    from mlflow import MlflowClient

_MODEL_FILES = {
    "posterior": Artifact.POSTERIOR,
    "feature_metadata": Artifact.FEATURE_METADATA,
    "feature_scaler": Artifact.FEATURE_SCALER,
    "model_metadata": Artifact.MODEL_METADATA,
}
_NEEDED = (
    Artifact.RUN_SPEC, Artifact.COLUMN_INFO, Artifact.DIAGNOSTICS, Artifact.FIT_METRICS,
    Artifact.FITTED, *_MODEL_FILES.values(),
)  # fmt: skip


def restore_tracking() -> TrackingRestored:
    """Make MLflow's store again where it was lost: runs, versions under their numbers, champions.

    Figures and comments of the lost runs do not come back; what was published of them lies in their
    folders and is logged from there. Interrupted, the next call goes on where this one ended.

    Returns
    -------
    TrackingRestored
        Which runs and champions are back, and which could not be brought back.
    """
    home = current_home()
    was_lost = is_lost(home)
    published = [run for run in reversed(list_runs(home)) if run.mlflow_run_id]
    if not (published and is_local(home)):
        return TrackingRestored()
    client = experiments.open_store(home, may_begin=True)
    unlogged = [
        run
        for run in published
        if experiments.find_logged(client, run.dataset_id, run.run_id) is None
    ]
    whole = [run for run in unlogged if _is_whole(home.run_dir(run.run_id))]
    for run in whole:
        _restore_run(client, home, run)
    datasets = sorted({run.dataset_id for run in whole})
    aliases = [_restore_aliases(client, home, dataset_id) for dataset_id in datasets]
    return TrackingRestored(
        runs_logged_again=[run.run_id for run in whole],
        runs_not_logged=[run.run_id for run in unlogged if run not in whole] if was_lost else [],
        champions=[name for name in aliases if name],
    )


def _is_whole(folder: Path) -> bool:
    return all((folder / name).is_file() for name in _NEEDED)


def _restore_run(client: "MlflowClient", home: Home, run: RunRecord) -> None:
    model = _model_of(home, run) if run.model_version is not None else None
    if run.model_version is not None:
        _skip_numbers(client, run.dataset_id, until=run.model_version)
    logged = experiments.log_refit(client, home, _record_of(home, run), model)
    log_retries(client, home, run.run_id, logged.mlflow_run_id)
    advance_run(home, run.run_id, run.status, mlflow_run_id=logged.mlflow_run_id)


def _record_of(home: Home, run: RunRecord) -> experiments.RefitLog:
    """What MLflow gets of a run from its folder."""
    folder = home.run_dir(run.run_id)
    spec = parse_document(folder / Artifact.RUN_SPEC, RunSpec)
    data = parse_document(folder / Artifact.COLUMN_INFO, ColumnInfo)
    judged = parse_document(folder / Artifact.DIAGNOSTICS, Diagnostics)
    fit = parse_document(folder / Artifact.FIT_METRICS, FitMetrics)
    last = pd.read_parquet(folder / Artifact.FITTED, columns=[PERIOD_COLUMN])[PERIOD_COLUMN].max()
    known = judged.model_dump(mode="json") | fit.model_dump(mode="json")
    last_period = str(pd.Timestamp(last).date())
    return experiments.RefitLog(
        dataset_id=run.dataset_id,
        run_id=run.run_id,
        name=f"{run.dataset_id} {last_period} {run.verdict}",
        note="Logged again from the run's folder: the store that it was in was lost.",
        params={
            **records.flatten_spec(spec),
            "snapshot_id": run.snapshot_id,
            "as_of": str(data.as_of),
        },
        metrics=records.group_metrics(
            {name: float(n) for name, n in known.items() if _is_number(n)}
        ),
        tags={
            "verdict": str(run.verdict),
            "dataset_id": run.dataset_id,
            "snapshot_id": str(run.snapshot_id),
            "last_period": last_period,
        },
        folder=folder,
    )


def _model_of(home: Home, run: RunRecord) -> ModelFiles:
    folder = home.run_dir(run.run_id)
    metadata = parse_document(folder / Artifact.FEATURE_METADATA, FeatureMetadata)
    return ModelFiles(
        code=Path(__file__).with_name("kpi_model.py"),
        artifacts={name: folder / file for name, file in _MODEL_FILES.items()},
        input_columns=list(metadata.input_columns),
        output_columns=predicted_columns(pd.read_parquet(folder / Artifact.CONTRIBUTIONS)),
    )


def _skip_numbers(client: "MlflowClient", dataset_id: str, *, until: int) -> None:
    """Use up the numbers of versions that are gone, so that the next one is ``until``."""
    if not client.search_registered_models(f"name = '{dataset_id}'"):
        client.create_registered_model(dataset_id)
    for _ in range(max(aliases.versions_of(client, dataset_id), default=0) + 1, until):
        gone = client.create_model_version(dataset_id, source="models:/gone/1")
        client.delete_model_version(dataset_id, gone.version)


def _restore_aliases(client: "MlflowClient", home: Home, dataset_id: str) -> str | None:
    """Give the aliases as the last decision and the newest version have them."""
    known = aliases.versions_of(client, dataset_id)
    decided = [row.version for row in list_promotions(home, dataset_id)]
    held = [version for version in decided if version is not None and version in known]
    if not held:
        return None
    champion = held[-1]
    give_champion(client, dataset_id, champion)
    newest = max(known)
    if newest > champion:
        aliases.move_alias(client, dataset_id, newest, Alias.CHALLENGER)
    return f"{dataset_id}@{champion}"


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
