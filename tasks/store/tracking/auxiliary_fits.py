"""MLflow of auxiliary fits that explain another one: runs nested under the run they belong to.

Like the retries of an escalation they carry no ``mmm.run_id``: that tag means one run per refit.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from schemas.documents.changes import Explanation
from tasks.store.tracking import experiments
from tasks.store.tracking.retries import PARENT_TAG

if TYPE_CHECKING:
    from mlflow import MlflowClient

log = logging.getLogger(__name__)

FIT_TAG = "mmm.further_fit"


@dataclass(frozen=True)
class AuxiliaryFit:
    """What MLflow gets of one auxiliary fit."""

    name: str
    """Unique below its parent: a second call with it writes nothing."""
    title: str
    params: Mapping[str, Any]
    metrics: Mapping[str, float | None]
    tags: Mapping[str, str] = field(default_factory=dict)


def log_auxiliary_fits_of(
    client: "MlflowClient", parent: str, explanation: Explanation
) -> list[str]:
    """Write the fits that explain a change and return their MLflow run ids.

    Parameters
    ----------
    client
        From ``tracking.open_store``.
    parent
        MLflow run of the later refit.
    explanation
        Its fits that were not begun are left out.
    """
    pair = {"run_a": explanation.run_a, "run_b": explanation.run_b}
    return log_auxiliary_fits(
        client,
        parent,
        [
            AuxiliaryFit(
                name=f"{explanation.run_a}/{fit.name}",
                title=f"explain {fit.name}",
                params={**pair, "random_seed": fit.seed, "fitted": fit.says},
                metrics={"seconds": fit.seconds, "r_hat_max": fit.r_hat_max},
                tags={"kind": "counterfactual", "factor": fit.name, "error": fit.error or "none"},
            )
            for fit in explanation.fits
            if fit.seconds is not None
        ],
    )


def log_auxiliary_fits(
    client: "MlflowClient", parent: str, fits: Sequence[AuxiliaryFit]
) -> list[str]:
    """Write fits under a run; one that is there already is not written again."""
    experiment_id = client.get_run(parent).info.experiment_id
    known = {
        run.data.tags[FIT_TAG]: run.info
        for run in client.search_runs(
            [experiment_id], f"tags.`{PARENT_TAG}` = '{parent}' and tags.`{FIT_TAG}` != ''"
        )
    }
    ids = []
    for fit in fits:
        before = known.get(fit.name)
        if before is not None and before.status == "FINISHED":
            ids.append(str(before.run_id))
            continue
        if before is not None:
            client.delete_run(before.run_id)
        ids.append(_log_fit(client, experiment_id, parent, fit))
    return ids


def _log_fit(client: "MlflowClient", experiment_id: str, parent: str, fit: AuxiliaryFit) -> str:
    tags = {**fit.tags, PARENT_TAG: parent, FIT_TAG: fit.name}
    run_id = str(client.create_run(experiment_id, tags=tags, run_name=fit.title).info.run_id)
    experiments.log_params(client, run_id, fit.params)
    experiments.log_metrics(client, run_id, fit.metrics)
    client.set_terminated(run_id)
    return run_id
