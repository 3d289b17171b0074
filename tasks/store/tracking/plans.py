"""MLflow of budget plans: one run per plan in the dataset's experiment, and the champion's run."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from schemas.documents.results import RunStatus
from schemas.names import Alias
from tasks.store.home import Home
from tasks.store.runs.champions import UNKNOWN_RUN, find_champion, find_record
from tasks.store.tracking import experiments
from tasks.store.tracking.local_registry import local_run_of

if TYPE_CHECKING:
    from mlflow import MlflowClient

log = logging.getLogger(__name__)

KIND_TAG = "kind"
SCENARIO_TAG = "scenario_id"


@dataclass(frozen=True)
class PlanLog:
    """Everything MLflow gets about one plan."""

    dataset_id: str
    scenario_id: str
    name: str
    note: str
    params: Mapping[str, Any]
    metrics: Mapping[str, float | None]
    tags: Mapping[str, str]
    document: Path


def log_plan(client: "MlflowClient", home: Home, record: PlanLog) -> str:
    """Write one plan and return its MLflow run id; a second call gives what the first one wrote.

    A refit that publishes at the same moment may take the open run for one that was killed; its
    state is set again when it ends.
    """
    import mlflow

    experiment_id = experiments.open_experiment(client, home, record.dataset_id)
    earlier = client.search_runs(
        [experiment_id],
        f"tags.`{SCENARIO_TAG}` = '{record.scenario_id}' and attributes.status = 'FINISHED'",
    )
    if earlier:
        return str(earlier[0].info.run_id)
    with mlflow.start_run(
        experiment_id=experiment_id, run_name=record.name, description=record.note,
        tags={**record.tags, KIND_TAG: "plan", SCENARIO_TAG: record.scenario_id},
    ) as active:  # fmt: skip
        experiments.log_params(client, active.info.run_id, record.params)
        experiments.log_metrics(client, active.info.run_id, record.metrics)
        mlflow.log_artifact(str(record.document))
    log.info("logged plan %s to MLflow run %s", record.scenario_id, active.info.run_id)
    return str(active.info.run_id)


def champion_run_id(home: Home, dataset_id: str) -> str | None:
    """Return the run that made the dataset's champion, or None if there is no champion."""
    held = local_run_of(home, dataset_id, Alias.CHAMPION)
    record = find_record(home, held) if held else None
    if record is not None and record.status is RunStatus.OUTPUTS_READY:
        return record.run_id
    champion = find_champion(home, dataset_id)
    return None if champion is None or champion.run_id == UNKNOWN_RUN else champion.run_id
