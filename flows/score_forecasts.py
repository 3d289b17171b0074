"""Score frozen forecasts on any day: what has become known in, scores and alarms out; no refit."""

from prefect import flow

from flows import hooks
from schemas.documents.forecast_scores import LedgerReport, ScoringReport
from tasks.forecast.task import report_ledger, score_runs, watch_residuals
from tasks.lifecycle import task_notices as notices
from tasks.query.runs import select_datasets
from tasks.store.redaction import filter_states

filter_states()


@flow(name="score-forecasts", on_failure=[hooks.notify_failure], on_crashed=[hooks.notify_failure])
def score_forecasts(dataset_id: str | None = None) -> ScoringReport:
    """Score the forecasts of accepted refits whose periods have happened, and watch residuals.

    Parameters
    ----------
    dataset_id
        One dataset; None scores every dataset that has a forecast.

    Returns
    -------
    ScoringReport
        An alarm is an answer, too: the flow run ends Completed, and the webhook is called.

    Raises
    ------
    UnknownRunError
        If a dataset is named that has no run, while others have.
    """
    names = select_datasets(dataset_id, with_forecasts=True)
    return ScoringReport(datasets=[_score(name) for name in names])


def _score(dataset_id: str) -> LedgerReport:
    scored = score_runs(dataset_id)
    raised = watch_residuals(dataset_id)
    if raised:
        notices.notify_alarm(dataset_id, [alarm.detail for alarm in raised], job="score-forecasts")
    return report_ledger(scored, raised)
