"""Champions of datasets, the forecast ledger."""

from schemas.answers.champions import ChampionState, ForecastLedger
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
