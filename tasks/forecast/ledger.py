"""The ledger: every frozen forecast beside its KPI, scored, and what changed since last time."""

from datetime import datetime
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from schemas.documents.forecast_scores import SCORE_COLUMNS, SCORE_KEY, Basis
from schemas.names import ENTITY_COLUMN, PERIOD_COLUMN, QUANTILES, ForecastScope
from schemas.spec.run_spec import Grain
from tasks.forecast.actuals import match_known
from tasks.forecast.deployed import Prediction
from tasks.forecast.known import select_known
from tasks.forecast.naive import forecast_naively
from tasks.forecast.scores import LEVELS, crps_of_draws, crps_of_quantiles, score_rows
from tasks.mathematics.calendar import detect_grain


def match_run(forecast: pd.DataFrame, known: pd.DataFrame) -> pd.DataFrame:
    """Put KPI and naive forecast beside the forecast of one run.

    Parameters
    ----------
    forecast
        ``run_id`` and ``schemas.names.FORECAST_COLUMNS`` of one run.
    known
        ``entity_id, period_start, actual`` by the entities of the file.

    Returns
    -------
    pd.DataFrame
        ``schemas.names.FORECAST_ACTUALS_COLUMNS`` and ``naive``, one row per period whose KPI is
        known.
    """
    origin = forecast[PERIOD_COLUMN].min()
    is_entity = forecast["scope"] == ForecastScope.ENTITY.value
    entities = sorted(forecast.loc[is_entity, ENTITY_COLUMN].unique())
    mine = select_known(known, entities, origin=origin)
    rows = match_known(forecast, mine)
    grain = detect_grain(list(mine[PERIOD_COLUMN].dt.date)) or Grain.WEEK
    return rows.assign(naive=forecast_naively(rows, mine, origin=origin, grain=grain))


def score_published(rows: pd.DataFrame) -> pd.DataFrame:
    """Score the quantiles that were published; rows of ``match_run``.

    Returns
    -------
    pd.DataFrame
        ``schemas.documents.forecast_scores.SCORE_COLUMNS``.
    """
    quantiles = rows[list(QUANTILES)].to_numpy(float).T
    crps = crps_of_quantiles(quantiles, rows["actual"].to_numpy(float))
    return _as_scores(score_rows(rows, quantiles, crps), Basis.PUBLISHED)


def score_deployed(rows: pd.DataFrame, prediction: Prediction) -> pd.DataFrame:
    """Score the model given the inputs that happened; rows of ``match_run``.

    Rows whose inputs, or those of a period before, are not known are left out.
    """
    entity = pd.Index(prediction.entities[:-1]).get_indexer(pd.Index(rows[ENTITY_COLUMN]))
    # An entity may be called like the sum of all.
    is_all = rows["scope"].to_numpy() == ForecastScope.ALL.value
    entity = np.where(is_all, len(prediction.entities) - 1, entity)
    date = prediction.starts.get_indexer(pd.Index(rows[PERIOD_COLUMN]))
    usable = (entity >= 0) & (date >= 0)
    usable[usable] = prediction.is_informed[entity[usable], date[usable]]
    kept = rows[usable].reset_index(drop=True)
    draws = prediction.draws[:, entity[usable], date[usable]]
    quantiles = np.quantile(draws, LEVELS, axis=0)
    crps = crps_of_draws(draws, kept["actual"].to_numpy(float))
    return _as_scores(score_rows(kept, quantiles, crps), Basis.DEPLOYED)


class Entry(NamedTuple):
    """Scores of one run as they are to be kept."""

    rows: pd.DataFrame
    """``SCORE_COLUMNS, first_actual, scored_at, compared``."""
    n_new: int
    n_changed: int


def keep_history(
    known: pd.DataFrame, fresh: pd.DataFrame, *, now: datetime, compared: str
) -> Entry:
    """Carry over from earlier scores of a run what does not change by scoring again.

    Parameters
    ----------
    known
        Earlier scores of the run as ``Entry.rows`` has them.
    fresh
        Scores of today, ``SCORE_COLUMNS``, of the bases that could be evaluated.
    now, compared
        Of this scoring.

    Returns
    -------
    Entry
        Equal scores keep their ``scored_at``; every score keeps its ``first_actual``.
    """
    earlier = known.assign(scored_at=pd.to_datetime(known["scored_at"], utc=True))
    earlier = earlier.set_index(list(SCORE_KEY))
    today = fresh.set_index(list(SCORE_KEY))
    shared = today.index.intersection(earlier.index)
    measures = list(today.columns)
    left, right = (t.loc[shared, measures].astype(float) for t in (today, earlier))
    is_same: NDArray[np.bool_] = np.isclose(
        left.to_numpy(), right.to_numpy(), rtol=1e-12, atol=0.0, equal_nan=True
    ).all(axis=1)
    rows = today.assign(
        first_actual=today["actual"], scored_at=pd.Timestamp(now), compared=compared
    )
    rows.loc[shared, "first_actual"] = earlier.loc[shared, "first_actual"]
    same = shared[is_same]
    rows.loc[same, "scored_at"] = earlier.loc[same, "scored_at"]
    return Entry(rows.reset_index(), len(today) - len(shared), len(shared) - len(same))


def describe_gaps(
    run_id: str, rows: pd.DataFrame, deployed: pd.DataFrame | None, forecast: pd.DataFrame
) -> list[str]:
    """Say what of a run's forecast could not be compared, and why."""
    notes = []
    newest = rows[PERIOD_COLUMN].max()
    due = forecast[forecast[PERIOD_COLUMN] <= newest]
    missing = due.merge(rows[list(_PLACE)], how="left", on=list(_PLACE), indicator=True)
    missing = missing[missing["_merge"] == "left_only"]
    for entity, gaps in missing.groupby(ENTITY_COLUMN, sort=True):
        notes.append(f"{run_id}: no KPI of {entity} in {len(gaps)} period(s); not scored there.")
    if deployed is not None and len(deployed) < len(rows):
        notes.append(
            f"{run_id}: media of {len(rows) - len(deployed)} scored value(s), or of periods before "
            "them, are not known; the model as deployed is not scored there."
        )
    return notes


_PLACE = ("scope", ENTITY_COLUMN, PERIOD_COLUMN)


def _as_scores(table: pd.DataFrame, basis: Basis) -> pd.DataFrame:
    return table.assign(basis=basis.value)[list(SCORE_COLUMNS)].reset_index(drop=True)
