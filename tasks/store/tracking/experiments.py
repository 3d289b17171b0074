"""MLflow: one store; per dataset one experiment and one registered model; one run per refit.

Belongs here: the address of the store, what is written into it.
Does not: what to write (``tasks.publish.records``), who becomes champion (``.promotion``), aliases.
Invariant: a name that MLflow would refuse never reaches it.
"""

import logging
import os
import time
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import Timeout

from schemas.errors import ResourceUnavailableError
from schemas.names import Artifact
from tasks.store.home import Home
from tasks.store.locks import first_opens
from tasks.store.redaction import redact
from tasks.store.storage import writing_to
from tasks.store.tracking.lost import is_local, require_store_kept
from tasks.store.tracking.model_versions import ModelFiles, register_version
from tasks.store.tracking.moves import follow_moved_home
from tasks.store.tracking.names import clean_metrics, clean_name, quoted
from tasks.store.tracking.server import require_answer

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from mlflow import MlflowClient

log = logging.getLogger(__name__)

RUN_TAG = "mmm.run_id"
NOTE_TAG = "mlflow.note.content"
"""Where MLflow keeps the description of a run."""
LOCK_SECONDS = 120.0
MAX_PARAM = 6000
_AS_PNG = {"pil_kwargs": {"compress_level": 1}}
"""A tenth larger than at Pillow's own level, for an eighth of what drawing costs."""


@dataclass(frozen=True)
class RefitLog:
    """Everything MLflow gets about one refit."""

    dataset_id: str
    run_id: str
    name: str
    note: str
    params: Mapping[str, Any]
    metrics: Mapping[str, float | None]
    tags: Mapping[str, str]
    folder: Path
    figures: Mapping[str, "Figure"] = field(default_factory=dict)
    seconds: float = 0.0
    """What the refit took: MLflow shows it as the duration of the run."""
    dataset: "LoggedDataset | None" = None


@dataclass(frozen=True)
class LoggedDataset:
    """The data of a refit: its digest, its table, and the column that is explained."""

    digest: str
    table: Path
    target: str


@dataclass(frozen=True)
class Logged:
    """Where a refit is in MLflow."""

    mlflow_run_id: str
    model_version: int | None


def open_store(home: Home, *, may_begin: bool = False) -> "MlflowClient":
    """Point MLflow at the home's store, making it if it is absent.

    Parameters
    ----------
    home
        The home.
    may_begin
        Whether a new store may be begun where an earlier one was lost.

    Raises
    ------
    CorruptArtifactError
        If the store was lost.
    ResourceUnavailableError
        If another process keeps the store locked, or its server does not answer.
    """
    import mlflow

    require_answer(home)
    if not may_begin:
        require_store_kept(home)
    with writing_to(home.mlruns):
        home.mlruns.mkdir(parents=True, exist_ok=True)
        home.locks.mkdir(parents=True, exist_ok=True)
    address, named = home.tracking_uri, os.environ.get("MLFLOW_TRACKING_URI")
    mlflow.set_tracking_uri(address)
    mlflow.set_registry_uri(address)
    if named is None:
        # MLflow exports what it is given; left there, it would outlive this home.
        os.environ.pop("MLFLOW_TRACKING_URI", None)
    client = mlflow.MlflowClient()
    try:
        # Two first opens race in the migration, and one of them dies.
        with first_opens(home, wait_seconds=LOCK_SECONDS):
            if is_local(home):
                follow_moved_home(home)
            client.search_experiments(max_results=1)
    except Timeout as error:
        raise ResourceUnavailableError(
            f"The MLflow store {home.mlruns} is being opened by another process for more than "
            f"{LOCK_SECONDS:.0f} s; wait for it to end, then run again."
        ) from error
    return client


def find_logged(client: "MlflowClient", dataset_id: str, run_id: str) -> Logged | None:
    """Return what an earlier try of the same run has logged completely, or None."""
    experiment = client.get_experiment_by_name(dataset_id)
    if experiment is None:
        return None
    found = client.search_runs(
        [experiment.experiment_id],
        f"tags.`{RUN_TAG}` = '{quoted(run_id)}' and attributes.status = 'FINISHED'",
    )
    if not found:
        return None
    mlflow_run_id = found[0].info.run_id
    versions = client.search_model_versions(
        f"name = '{quoted(dataset_id)}' and run_id = '{mlflow_run_id}'"
    )
    return Logged(mlflow_run_id, max((int(v.version) for v in versions), default=None))


def log_refit(
    client: "MlflowClient", home: Home, record: RefitLog, model: ModelFiles | None
) -> Logged:
    """Write one refit, and a version of the registered model if ``model`` is given.

    A second call for the same run id gives what the first one wrote.
    """
    import mlflow

    earlier = find_logged(client, record.dataset_id, record.run_id)
    if earlier is not None:
        return earlier
    experiment_id = open_experiment(client, home, record.dataset_id)
    _drop_leftovers(client, experiment_id, record)
    _sweep_killed(client, experiment_id)
    begun = client.create_run(
        experiment_id,
        start_time=round(1000 * (time.time() - record.seconds)),
        tags=_tags_of(record) | {NOTE_TAG: redact(record.note)},
        run_name=record.name,
    )
    with mlflow.start_run(run_id=begun.info.run_id) as active:
        log_params(client, active.info.run_id, record.params)
        if record.dataset is not None:
            _log_dataset(record.dataset_id, record.dataset)
        # Beside the folders, so that it is seen first.
        if (record.folder / Artifact.REPORT).is_file():
            mlflow.log_artifact(str(record.folder / Artifact.REPORT))
        for name, figure in record.figures.items():
            client.log_figure(
                active.info.run_id, figure, f"figures/{name}.png", save_kwargs=_AS_PNG
            )
        mlflow.log_artifacts(str(record.folder), artifact_path="run")
        tags = _tags_of(record)
        version = register_version(record.dataset_id, model, tags) if model else None
        # After the model, and with its id: MLflow would copy them to it by a query for each.
        model_id = version.model_id if version else None
        log_metrics(client, active.info.run_id, record.metrics, model_id)
    log.info("logged run %s to MLflow run %s", record.run_id, active.info.run_id)
    return Logged(active.info.run_id, version.number if version else None)


def _log_dataset(dataset_id: str, dataset: LoggedDataset) -> None:
    """Say which data the run had: name, digest, schema; the rows stay where they are."""
    import mlflow
    import pandas as pd

    rows = pd.read_parquet(dataset.table)
    with warnings.catch_warnings():
        # It has two sources of local files, and takes the one it would take anyway.
        warnings.filterwarnings("ignore", message=".*can be interpreted in multiple ways")
        logged = mlflow.data.from_pandas(  # type: ignore[attr-defined]
            rows, source=str(dataset.table), targets=dataset.target, name=dataset_id,
            digest=dataset.digest,
        )  # fmt: skip
    mlflow.log_input(logged, context="training")


def _tags_of(record: RefitLog) -> dict[str, str]:
    return {key: redact(value) for key, value in record.tags.items()} | {RUN_TAG: record.run_id}


def open_experiment(client: "MlflowClient", home: Home, dataset_id: str) -> str:
    """Return the id of the dataset's experiment, making it if it is absent."""
    known = client.get_experiment_by_name(dataset_id)
    if known is not None:
        if known.lifecycle_stage == "deleted":
            client.restore_experiment(known.experiment_id)
        return str(known.experiment_id)
    location = str(home.mlruns / "artifacts" / dataset_id) if is_local(home) else None
    return str(client.create_experiment(dataset_id, artifact_location=location))


def _drop_leftovers(client: "MlflowClient", experiment_id: str, record: RefitLog) -> None:
    """Delete what an interrupted try of the same run left: its runs, their models and versions."""
    left = client.search_runs(
        [experiment_id],
        f"tags.`{RUN_TAG}` = '{quoted(record.run_id)}' and attributes.status != 'FINISHED'",
    )
    for run in left:
        of_run = f"name = '{quoted(record.dataset_id)}' and run_id = '{run.info.run_id}'"
        for found in client.search_model_versions(of_run):
            client.delete_model_version(record.dataset_id, str(found.version))
        made = f"source_run_id = '{run.info.run_id}'"
        for model in client.search_logged_models([experiment_id], filter_string=made):
            client.delete_logged_model(model.model_id)
        client.delete_run(run.info.run_id)


def _sweep_killed(client: "MlflowClient", experiment_id: str) -> None:
    """End refits that a killed process left RUNNING; the dataset's lock says they are dead."""
    for run in client.search_runs([experiment_id], "attributes.status = 'RUNNING'"):
        if RUN_TAG in run.data.tags:  # a plan holds no lock, and may be alive
            client.set_terminated(run.info.run_id, status="KILLED")


def log_params(client: "MlflowClient", mlflow_run_id: str, params: Mapping[str, Any]) -> None:
    """Log parameters under names that MLflow accepts, any number of them."""
    from mlflow.entities import Param

    entries = [Param(clean_name(k), _shortened(redact(str(v)))) for k, v in params.items()]
    for start in range(0, len(entries), 100):  # MLflow takes at most 100 in one call.
        client.log_batch(mlflow_run_id, params=entries[start : start + 100])


def log_metrics(
    client: "MlflowClient",
    mlflow_run_id: str,
    metrics: Mapping[str, float | None],
    model_id: str | None = None,
) -> None:
    """Log metrics that are finite under names that MLflow accepts, in as few calls as it takes.

    One call a metric costs a transaction each; a refit has a hundred of them. ``model_id`` names
    the logged model that they are about, too.
    """
    from mlflow.entities import Metric

    now = round(1000 * time.time())
    entries = [
        Metric(name, value, now, 0, model_id=model_id)
        for name, value in clean_metrics(metrics).items()
    ]
    for start in range(0, len(entries), 1000):  # MLflow takes at most 1000 in one call.
        client.log_batch(mlflow_run_id, metrics=entries[start : start + 1000])


def _shortened(value: str) -> str:
    return value if len(value) <= MAX_PARAM else value[: MAX_PARAM - 1] + "…"
