"""MLflow of what no refit is: one run with the figures of a backtest, a recovery, a portfolio."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tasks.store.home import Home
from tasks.store.tracking.experiments import log_metrics, log_params, open_experiment

if TYPE_CHECKING:
    from mlflow import MlflowClient


@dataclass(frozen=True)
class SummaryLog:
    """What MLflow gets of it beside its files."""

    experiment: str
    """Name of the experiment: the dataset's id, or one that no dataset can have."""
    name: str
    tags: Mapping[str, str]
    params: Mapping[str, Any]
    metrics: Mapping[str, float | None]
    """Those that are finite are logged."""


def begin_summary(client: "MlflowClient", home: Home, record: SummaryLog) -> str:
    """Begin a run with its figures and return its id; whoever adds its files ends it.

    Parameters
    ----------
    client
        From ``experiments.open_store``.
    home
        The home.
    record
        What is logged.
    """
    experiment_id = open_experiment(client, home, record.experiment)
    run = client.create_run(experiment_id, tags=dict(record.tags), run_name=record.name)
    run_id = str(run.info.run_id)
    log_params(client, run_id, record.params)
    log_metrics(client, run_id, record.metrics)
    return run_id
