"""Artifacts in MLflow that are pruned: found, measured, removed, all through MLflow's client.

A run stays in MLflow with its parameters, metrics and tags, tagged ``files_pruned``. Its registered
version is deleted: the registry lists what can be loaded. MLflow never gives its number again.
"""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from tasks.store.files import removal
from tasks.store.home import Home
from tasks.store.tracking import experiments
from tasks.store.tracking.plans import SCENARIO_TAG
from tasks.store.tracking.retries import PARENT_TAG

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

log = logging.getLogger(__name__)

PRUNED_TAG = "files_pruned"
"""Tag of an MLflow run whose artifacts were removed: the day."""
_FOLDER = "artifacts"


@dataclass(frozen=True)
class LoggedFiles:
    """Where MLflow keeps the artifacts of one refit or plan."""

    runs: dict[str, str]
    """Location by MLflow run id, nested runs and deleted ones too."""
    live: frozenset[str]
    """Those of the runs that are not deleted."""
    models: dict[str, str]
    """Location by logged model id."""
    versions: tuple[str, ...]
    """Versions of the dataset's registered model."""

    def locations(self) -> Iterator[tuple[str, str]]:
        """Yield the id and the location of every run and model."""
        yield from self.models.items()
        yield from self.runs.items()


def open_existing_store(home: Home) -> "MlflowClient | None":
    """Return the client of the home's store; None where there is no store yet."""
    is_file = home.tracking_uri.startswith("sqlite:///")
    if is_file and not Path(home.tracking_uri.removeprefix("sqlite:///")).exists():
        return None
    return experiments.open_store(home)


def find_run_files(client: "MlflowClient", dataset_id: str, run_id: str) -> LoggedFiles:
    """Return what MLflow keeps of a refit: every try of it, its retries, its model."""
    experiment = client.get_experiment_by_name(dataset_id)
    if experiment is None:
        return LoggedFiles({}, frozenset(), {}, ())
    places = [str(experiment.experiment_id)]
    runs = _tagged(client, places, experiments.RUN_TAG, run_id)
    for parent in list(runs):
        runs += _tagged(client, places, PARENT_TAG, parent.info.run_id)
    of_runs = [f"name = '{dataset_id}' and run_id = '{run.info.run_id}'" for run in runs]
    versions = [v.version for query in of_runs for v in client.search_model_versions(query)]
    return _files(client, runs, tuple(map(str, versions)))


def find_plan_files(client: "MlflowClient", scenario_id: str) -> LoggedFiles:
    """Return what MLflow keeps of a plan."""
    places = [str(experiment.experiment_id) for experiment in client.search_experiments()]
    return _files(client, _tagged(client, places, SCENARIO_TAG, scenario_id), ())


def measure_logged(home: Home, files: LoggedFiles) -> int:
    """Return the bytes of local artifacts; what a server keeps is not measured.

    Raises
    ------
    RefusedRemovalError
        If a local location is outside of the home, or a link leads to it.
    """
    return sum(
        removal.measure(home, _folder(path, owner), room=home.mlruns)
        for owner, location in files.locations()
        if (path := _local_path(location)) is not None
    )


def remove_logged(
    client: "MlflowClient", home: Home, dataset_id: str, files: LoggedFiles, day: str
) -> None:
    """Delete version, model and artifacts, and tag the runs; what is gone already is fine."""
    for version in files.versions:
        client.delete_model_version(dataset_id, version)
    for model_id, location in files.models.items():
        _remove(home, model_id, location)
        client.delete_logged_model(model_id)
    for run_id, location in files.runs.items():
        _remove(home, run_id, location)
        if run_id in files.live:
            client.set_tag(run_id, PRUNED_TAG, day)


def _tagged(client: "MlflowClient", places: list[str], tag: str, value: str) -> "list[Run]":
    from mlflow.entities import ViewType

    wanted = f"tags.`{tag}` = '{value.replace(chr(39), '')}'"
    return list(client.search_runs(places, wanted, run_view_type=ViewType.ALL))


def _files(client: "MlflowClient", runs: "list[Run]", versions: tuple[str, ...]) -> LoggedFiles:
    outputs = [out for run in runs if run.outputs for out in run.outputs.model_outputs]
    return LoggedFiles(
        runs={run.info.run_id: str(run.info.artifact_uri) for run in runs},
        live=frozenset(r.info.run_id for r in runs if r.info.lifecycle_stage == "active"),
        models=dict(_models(client, [out.model_id for out in outputs])),
        versions=versions,
    )


def _models(client: "MlflowClient", model_ids: list[str]) -> Iterator[tuple[str, str]]:
    from mlflow.exceptions import MlflowException

    for model_id in model_ids:
        try:
            yield model_id, str(client.get_logged_model(model_id).artifact_location)
        except MlflowException as error:
            if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                raise
            log.debug("logged model %s is deleted already", model_id)


def _remove(home: Home, owner: str, location: str) -> None:
    path = _local_path(location)
    if path is not None:
        removal.remove(home, _folder(path, owner), room=home.mlruns)
        return
    from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

    repository = get_artifact_repository(location)
    if repository.list_artifacts():
        repository.delete_artifacts()


def _local_path(location: str) -> Path | None:
    """Return the path of a location on this machine; None where a server or a cloud has it."""
    parts = urlsplit(location)
    return Path(unquote(parts.path)) if parts.scheme in ("", "file") else None


def _folder(path: Path, owner: str) -> Path:
    """Return the folder of a run or a model, which holds nothing but its artifacts."""
    is_own = path.name == _FOLDER and path.parent.name == owner
    return path.parent if is_own else path
