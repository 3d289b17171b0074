"""MLflow of a backtest: one run of the whole, below which one run of every fit stands."""

from typing import TYPE_CHECKING

from schemas.answers.backtest import BacktestReport
from tasks.store.home import Home
from tasks.store.tracking.summaries import SummaryLog, begin_summary

if TYPE_CHECKING:
    from mlflow import MlflowClient

BACKTEST_TAG = "mmm.backtest"
REPORT_FILE = "backtest.json"
_FIGURES = (
    "crps", "mape", "coverage_50", "coverage_90", "skill", "elpd_loo", "elpd_waic", "bad_k",
    "regret", "n_followed", "n_losing", "seconds", "n_failed",
)  # fmt: skip


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
    settings = {
        "horizon": report.horizon, "step": report.step, "n_candidates": len(report.candidates)
    }  # fmt: skip
    record = SummaryLog(
        experiment=report.dataset_id,
        name=f"backtest {report.dataset_id}",
        tags={BACKTEST_TAG: report.dataset_id},
        params=settings,
        metrics={
            f"{name}/{one.candidate}": getattr(one, name)
            for one in report.candidates
            for name in _FIGURES
        },
    )
    run_id = begin_summary(client, home, record)
    client.log_dict(run_id, report.model_dump(mode="json"), REPORT_FILE)
    client.set_terminated(run_id)
    return run_id
