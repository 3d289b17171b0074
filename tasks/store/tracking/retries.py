"""MLflow of the escalation: every fit that was tried is a run nested under its refit.

The refit's run is written once it is known; its retries are written after it, from
``escalation.json``. They carry no ``mmm.run_id``: that tag means one run per refit.
"""

import json
import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from schemas.names import Artifact
from tasks.store.home import Home
from tasks.store.tracking import experiments

if TYPE_CHECKING:
    from mlflow import MlflowClient

log = logging.getLogger(__name__)

PARENT_TAG = "mlflow.parentRunId"
RETRY_TAG = "mmm.rung"


def log_retries(client: "MlflowClient", home: Home, run_id: str, mlflow_run_id: str) -> list[str]:
    """Write the retries of a refit and return their MLflow run ids; none where one fit was enough.

    A second call writes what the first one left undone.

    Parameters
    ----------
    client
        From ``tracking.open_store``.
    home
        Home of the run.
    run_id
        The refit; its folder has ``escalation.json`` if there was an escalation.
    mlflow_run_id
        MLflow run of the refit.
    """
    path = home.run_dir(run_id) / Artifact.ESCALATION
    if not path.is_file():
        return []
    document = json.loads(path.read_text(encoding="utf-8"))
    experiment_id = client.get_run(mlflow_run_id).info.experiment_id
    done: dict[str, str] = {}
    for run in client.search_runs(
        [experiment_id], f"tags.`{PARENT_TAG}` = '{mlflow_run_id}' and tags.`{RETRY_TAG}` != ''"
    ):
        if run.info.status == "FINISHED":
            done[run.data.tags[RETRY_TAG]] = run.info.run_id
        else:
            client.delete_run(run.info.run_id)
    return [
        done.get(str(row["number"]))
        or _log_retry(client, experiment_id, mlflow_run_id, row, chosen=document["chosen"])
        for row in document["rungs"]
    ]


def _log_retry(
    client: "MlflowClient", experiment_id: str, parent: str, row: Mapping[str, Any], *, chosen: int
) -> str:
    number = row["number"]
    tags = {
        PARENT_TAG: parent,
        RETRY_TAG: str(number),
        "kind": "rung",
        "rung_kind": row["kind"],
        "verdict": row["verdict"] or "none",
        "chosen": str(number == chosen).lower(),
        "reason": row["error"] or row["reason"],
    }
    name = f"retry {number} {row['kind']} {row['verdict'] or 'error'}"
    run_id = str(client.create_run(experiment_id, tags=tags, run_name=name).info.run_id)
    experiments.log_params(client, run_id, {**row["settings"], "sampler": row["sampler"]})
    experiments.log_metrics(client, run_id, {**row["metrics"], "seconds": row["seconds"]})
    client.set_terminated(run_id)
    return run_id
