"""MLflow of a recovery check: one run with its figures and its whole answer."""

from typing import TYPE_CHECKING

from schemas.answers.recovery import RecoveryReport
from tasks.store.home import Home
from tasks.store.tracking.summaries import SummaryLog, begin_summary

if TYPE_CHECKING:
    from mlflow import MlflowClient

RECOVERY_TAG = "mmm.recovery"
RECOVERY_FILE = "recovery.json"
_FIGURES = ("bias", "coverage", "coverage_unlike", "width", "found", "false_effect", "collinearity")


def log_recovery(client: "MlflowClient", home: Home, report: RecoveryReport) -> str:
    """Write a recovery check and return the id of its MLflow run.

    Parameters
    ----------
    client
        From ``experiments.open_store``.
    home
        The home.
    report
        Its figures become metrics; all of it is ``RECOVERY_FILE``.
    """
    metrics: dict[str, float | None] = {
        f"{figure}/{name}": getattr(row, figure)
        for name, row in report.channels.items()
        for figure in _FIGURES
    }
    if report.advice is not None:
        metrics["regret"] = report.advice.regret
    record = SummaryLog(
        experiment=report.dataset_id,
        name=f"recover {report.dataset_id}",
        tags={RECOVERY_TAG: report.dataset_id},
        params={
            "n_worlds": report.n_worlds, "drawn_from": report.drawn_from, "run_id": report.run_id
        },
        metrics=metrics,
    )  # fmt: skip
    run_id = begin_summary(client, home, record)
    client.log_dict(run_id, report.model_dump(mode="json"), RECOVERY_FILE)
    client.set_terminated(run_id)
    return run_id
