"""MLflow of a backtest: one run of the whole, below which one run of every fit stands."""

from typing import TYPE_CHECKING

from schemas.answers.backtest import BacktestReport
from tasks.store.home import Home
from tasks.store.tracking.experiments import log_params, open_experiment
from tasks.store.tracking.names import clean_metrics

if TYPE_CHECKING:
    from mlflow import MlflowClient

BACKTEST_TAG = "mmm.backtest"
REPORT_FILE = "backtest.json"


def log_backtest(client: "MlflowClient", home: Home, report: BacktestReport) -> str:
    """Write a backtest and return the id of its MLflow run.

    Parameters
    ----------
    client
        From ``experiments.open_store``.
    home
        The home.
    report
        What is logged: its figures as metrics, all of it as ``REPORT_FILE``.
    """
    experiment_id = open_experiment(client, home, report.dataset_id)
    run = client.create_run(
        experiment_id,
        tags={BACKTEST_TAG: report.dataset_id},
        run_name=f"backtest {report.dataset_id}",
    )
    run_id = str(run.info.run_id)
    figures = ("crps", "mape", "coverage_50", "coverage_90", "skill", "seconds", "n_failed")
    log_params(
        client,
        run_id,
        {"horizon": report.horizon, "step": report.step, "n_candidates": len(report.candidates)},
    )
    metrics = {
        f"{name}/{one.candidate}": getattr(one, name)
        for one in report.candidates
        for name in figures
    }
    for key, value in clean_metrics(metrics).items():
        client.log_metric(run_id, key, value)
    client.log_dict(run_id, report.model_dump(mode="json"), REPORT_FILE)
    client.set_terminated(run_id)
    return run_id
