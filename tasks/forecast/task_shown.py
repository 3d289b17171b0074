"""The forecast ledger for who shows it: scores, alarms, frozen forecasts. Nothing is scored."""

from collections.abc import Hashable
from typing import TYPE_CHECKING

from schemas.answers.forecasts import FrozenForecast, ShownLedger
from schemas.documents.forecast_scores import Basis
from schemas.names import PERIOD_COLUMN, Artifact, ForecastScope
from tasks.forecast.task_due import read_settled
from tasks.store.home import Home, current_home
from tasks.store.kept import Kept, state_of
from tasks.store.warehouse.forecasts import read_ledger
from tasks.store.warehouse.places import warehouse_of
from tasks.store.warehouse.runs import list_runs
from tasks.store.warehouse.scores import alarms_of, read_scores

if TYPE_CHECKING:
    import pandas as pd

_MOST_LEDGERS = 200
_ledgers: Kept[ShownLedger] = Kept(_MOST_LEDGERS, lambda _: 1)


def read_shown_ledger(dataset_id: str) -> ShownLedger:
    """Return what the forecast ledger of a dataset says now.

    Raises
    ------
    UnknownRunError
        If the dataset has no run, while others have.
    """
    home = current_home()
    runs = [run.run_id for run in list_runs(home, dataset_id)]
    state = _state_of(home, dataset_id, runs)
    return _ledgers.get((home.root, dataset_id), state, lambda: _read(home, dataset_id))


def _state_of(home: Home, dataset_id: str, runs: list[str]) -> Hashable | None:
    """Return what changes with a ledger: the warehouse, and which fits can still be scored."""
    warehouse = state_of(warehouse_of(home, dataset_id))
    has_fit = tuple((home.run_dir(run_id) / Artifact.POSTERIOR).is_file() for run_id in runs)
    return None if warehouse is None else (warehouse, has_fit)


def _read(home: Home, dataset_id: str) -> ShownLedger:
    from tasks.forecast.summary import summarize_scores

    ledger, scores = read_ledger(home, dataset_id), read_scores(home, dataset_id)
    together = ledger[ledger["scope"] == ForecastScope.ALL.value]
    published = scores[
        (scores["scope"] == ForecastScope.ALL.value) & (scores["basis"] == Basis.PUBLISHED.value)
    ]
    frozen = [
        _describe(str(run_id), rows, published[published["forecast_run_id"] == run_id])
        for run_id, rows in together.groupby("run_id", sort=False)
    ]
    return ShownLedger(
        dataset_id=dataset_id,
        summaries=summarize_scores(scores),
        alarms=alarms_of(home, dataset_id, is_open=False),
        forecasts=frozen[::-1],
        is_due=bool(frozen) and read_settled(dataset_id) is None,
    )


def _describe(run_id: str, rows: "pd.DataFrame", scored: "pd.DataFrame") -> FrozenForecast:
    return FrozenForecast(
        run_id=run_id,
        first_period=rows[PERIOD_COLUMN].min().date(),
        last_period=rows[PERIOD_COLUMN].max().date(),
        n_periods=rows[PERIOD_COLUMN].nunique(),
        n_scored=len(scored),
        coverage_90=float(scored["in_90"].mean()) if len(scored) else None,
    )
