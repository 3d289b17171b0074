"""The forecast that anybody could have made: the KPI of a year before."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from schemas.names import ENTITY_COLUMN, PERIOD_COLUMN, ForecastScope
from schemas.spec.run_spec import Grain
from tasks.mathematics.calendar import DAYS_PER_WEEK, PERIODS_PER_YEAR


def forecast_naively(
    rows: pd.DataFrame, known: pd.DataFrame, *, origin: pd.Timestamp, grain: Grain
) -> NDArray[np.float64]:
    """Return the KPI of the same period a year before, as a forecaster would have known it.

    Parameters
    ----------
    rows
        Forecast of one run: ``scope, entity_id, period_start, periods_ahead``.
    known
        ``entity_id, period_start, actual``, restatements included.
    origin
        First period that the run forecast.
    grain
        Length of a period.

    Returns
    -------
    NDArray
        One number per row: the KPI of as many whole years before as lead behind the first coming
        period; where that is not known, the last known KPI before it; NaN without either. Of scope
        ``all``: the sum over the entities of that forecast, where all are known.
    """
    entities = rows.loc[rows["scope"] == ForecastScope.ENTITY.value, ENTITY_COLUMN].unique()
    past = known[known[PERIOD_COLUMN] < origin]
    table = past.pivot_table(index=PERIOD_COLUMN, columns=ENTITY_COLUMN, values="actual")
    table = table.reindex(columns=entities)
    together = table.sum(axis=1, skipna=False).dropna()
    answers = []
    scopes, names = rows["scope"].tolist(), rows[ENTITY_COLUMN].tolist()
    starts, ahead = pd.DatetimeIndex(rows[PERIOD_COLUMN]), rows["periods_ahead"].tolist()
    for scope, name, start, n_ahead in zip(scopes, names, starts, ahead, strict=True):
        is_all = scope == ForecastScope.ALL.value
        series = together if is_all else table[name].dropna()
        years = -(-int(n_ahead) // PERIODS_PER_YEAR[grain])
        before = start - _step(years * PERIODS_PER_YEAR[grain], grain)
        last = series.iloc[-1] if len(series) else np.nan
        answers.append(float(series.get(before, last)))
    return np.array(answers)


def _step(n_periods: int, grain: Grain) -> pd.Timedelta | pd.DateOffset:
    if grain is Grain.WEEK:
        return pd.Timedelta(days=DAYS_PER_WEEK * n_periods)
    return pd.DateOffset(months=n_periods)
