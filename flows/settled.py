"""The forecast ledger where nothing is to be scored: read at once, no Prefect engine, no server."""

from schemas.documents.forecast_scores import LedgerReport, ScoringReport
from tasks.forecast.task_due import read_settled
from tasks.query.runs import select_datasets


def read_settled_ledgers(dataset_id: str | None = None) -> ScoringReport | None:
    """Return what ``flows.score_forecasts`` would, where it would change nothing; None elsewhere.

    Parameters
    ----------
    dataset_id
        One dataset; None means every dataset that has a forecast.

    Raises
    ------
    UnknownRunError
        If a dataset is named that has no run, while others have.
    """
    found: list[LedgerReport] = []
    for name in select_datasets(dataset_id, with_forecasts=True):
        ledger = read_settled(name)
        if ledger is None:
            return None
        found.append(ledger)
    return ScoringReport(datasets=found)
