"""MLflow of a portfolio: one run of the whole, which those of its brands name as their parent."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from schemas.answers.portfolio import PortfolioReport
from tasks.store.home import Home
from tasks.store.tracking.retries import PARENT_TAG
from tasks.store.tracking.summaries import SummaryLog, begin_summary

if TYPE_CHECKING:
    from mlflow import MlflowClient

PORTFOLIO_TAG = "mmm.portfolio"
_EXPERIMENT = "portfolio "
"""No dataset is called so: its name has no space."""


def log_portfolio(
    client: "MlflowClient", home: Home, report: PortfolioReport, files: Mapping[str, Path]
) -> str:
    """Write a portfolio and return the id of its MLflow run.

    Parameters
    ----------
    client
        From ``experiments.open_store``.
    home
        The home.
    report
        What is logged: its counts as metrics, and the parent of its brands' runs.
    files
        Its summary, by name.
    """
    counts = {f"n_{name.value.replace(' ', '_')}": n for name, n in report.counted.items()}
    record = SummaryLog(
        experiment=f"{_EXPERIMENT}{report.portfolio_id}",
        name=report.portfolio_run_id,
        tags={PORTFOLIO_TAG: report.portfolio_run_id},
        params={"as_of": report.as_of, "workers": report.workers, "runner": report.runner.value},
        metrics={**counts, "n_brands": len(report.brands), "seconds": report.seconds},
    )
    run_id = begin_summary(client, home, record)
    for path in files.values():
        client.log_artifact(run_id, str(path))
    for brand in report.brands:
        if brand.mlflow_run_id and not brand.is_earlier:
            client.set_tag(brand.mlflow_run_id, PARENT_TAG, run_id)
            client.set_tag(brand.mlflow_run_id, PORTFOLIO_TAG, report.portfolio_run_id)
    client.set_terminated(run_id)
    return run_id
