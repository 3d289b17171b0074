"""Champions of datasets, runs side by side, the forecast ledger."""

from collections.abc import Sequence

from schemas.answers.champions import (
    ChampionState,
    ComparedChannel,
    ForecastLedger,
    RunComparison,
)
from schemas.answers.runs import RunDetail
from tasks.query.runs import describe_run
from tasks.store.home import current_home
from tasks.store.runs.champions import find_champion
from tasks.store.warehouse.forecasts import read_ledger
from tasks.store.warehouse.promotions import list_promotions
from tasks.store.warehouse.runs import list_runs
from tasks.store.warehouse.scores import alarms_of, read_scores


def read_champion(dataset_id: str) -> ChampionState:
    """Return the champion of a dataset and the decisions that led to it.

    Raises
    ------
    UnknownRunError
        If the dataset has no run, while others have.
    """
    home = current_home()
    list_runs(home, dataset_id)
    return ChampionState(
        dataset_id=dataset_id,
        champion=find_champion(home, dataset_id),
        history=list_promotions(home, dataset_id),
    )


def compare_runs(run_ids: Sequence[str]) -> RunComparison:
    """Return runs side by side, with the ROAS of every channel that any of them has.

    Raises
    ------
    UnknownRunError
        Naming the nearest run id.
    """
    runs = [describe_run(run_id) for run_id in run_ids]
    channels = dict.fromkeys(name for run in runs for name in run.roas)
    return RunComparison(
        runs=runs,
        roas={name: {run.run_id: _returns(run, name) for run in runs} for name in channels},
    )


def read_forecast_ledger(dataset_id: str) -> ForecastLedger:
    """Return what the forecast ledger of a dataset holds; nothing is scored.

    Raises
    ------
    UnknownRunError
        If the dataset has no run, while others have.
    """
    home = current_home()
    list_runs(home, dataset_id)
    return ForecastLedger(
        dataset_id=dataset_id,
        alarms=alarms_of(home, dataset_id),
        n_forecasts=len(read_ledger(home, dataset_id)),
        n_scores=len(read_scores(home, dataset_id)),
    )


def _returns(run: RunDetail, channel: str) -> ComparedChannel:
    row = run.roas.get(channel)
    return ComparedChannel(
        roas_mean=row.roas_mean if row else None,
        roas_low=row.roas_low if row else None,
        roas_high=row.roas_high if row else None,
    )
