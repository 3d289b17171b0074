"""Means over entities, weighted by what the entities are."""

import pandas as pd

from schemas.names import PERIOD_COLUMN


def weighted_mean(rows: pd.DataFrame, column: str, weights: pd.Series) -> pd.Series:
    """Return the mean of a column over entities per period, by period in order.

    Parameters
    ----------
    rows
        ``period_start`` and the column, one row per entity and period.
    column
        What is averaged; a missing value has no part in it.
    weights
        Not negative, on the index of ``rows``. A period without any weight gets the plain mean.

    Returns
    -------
    pd.Series
        In the unit of the column, by period.
    """
    present = weights.where(rows[column].notna(), 0.0)
    period = rows[PERIOD_COLUMN]
    total = (rows[column].fillna(0.0) * present).groupby(period).sum()
    weight = present.groupby(period).sum()
    plain = rows[column].groupby(period).mean()
    return (total / weight.where(weight > 0)).fillna(plain).sort_index()
