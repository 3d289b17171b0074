"""What happened in periods that earlier runs had forecast."""

import pandas as pd
import xarray as xr

from schemas.names import (
    DATE_DIM,
    ENTITY_COLUMN,
    ENTITY_DIM,
    FORECAST_ACTUALS_COLUMNS,
    PERIOD_COLUMN,
    ForecastScope,
)


def match_actuals(forecasts: pd.DataFrame, panel: xr.Dataset) -> pd.DataFrame:
    """Put the KPI that is known now beside what had been forecast for it.

    Parameters
    ----------
    forecasts
        ``run_id`` and ``schemas.names.FORECAST_COLUMNS``, from any number of runs. A forecast only
        speaks of periods after the panel that it was made of.
    panel
        Panel of this run; its ``kpi`` is in the unit of the forecasts.

    Returns
    -------
    pd.DataFrame
        ``schemas.names.FORECAST_ACTUALS_COLUMNS``, sorted by run, scope, entity and period; without
        rows where nothing that was forecast has happened yet. The actual of scope ``all`` is the
        sum over the entities of that forecast, and is left out while one of them is not known.
    """
    kpi = panel["kpi"].transpose(ENTITY_DIM, DATE_DIM).to_series().dropna()
    known = kpi.rename("actual").rename_axis([ENTITY_COLUMN, PERIOD_COLUMN]).reset_index()
    return match_known(forecasts, known)


def match_known(forecasts: pd.DataFrame, known: pd.DataFrame) -> pd.DataFrame:
    """Do what ``match_actuals`` does with a table of ``entity_id, period_start, actual``."""
    by_entity = forecasts[forecasts["scope"] == ForecastScope.ENTITY.value]
    together = forecasts[forecasts["scope"] == ForecastScope.ALL.value]
    matched = by_entity.merge(known, on=[ENTITY_COLUMN, PERIOD_COLUMN])
    same = ["run_id", PERIOD_COLUMN]
    sums = matched.groupby(same)["actual"].agg(["sum", "size"])
    needed = by_entity.groupby(same).size().reindex(sums.index)
    whole = sums.loc[sums["size"] == needed, "sum"].rename("actual").reset_index()
    table = pd.concat([matched, together.merge(whole, on=same)], ignore_index=True)
    table = table.rename(columns={"run_id": "forecast_run_id"})[list(FORECAST_ACTUALS_COLUMNS)]
    # A column of text without rows would otherwise have no type in the file.
    words = ["forecast_run_id", "scope", ENTITY_COLUMN]
    typed = table.astype(dict.fromkeys(words, "str"))
    return typed.sort_values([*words, PERIOD_COLUMN], ignore_index=True)
