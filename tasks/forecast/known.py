"""What is known now, as a forecast speaks of it: its entities, or their sum."""

from collections.abc import Collection, Sequence

import pandas as pd

from schemas.names import ENTITY_COLUMN, PERIOD_COLUMN, TOTAL_ENTITY


def select_known(
    rows: pd.DataFrame,
    entities: Sequence[str],
    *,
    origin: pd.Timestamp,
    averaged: Collection[str] = (),
) -> pd.DataFrame:
    """Return the rows of the entities that a forecast speaks of.

    Parameters
    ----------
    rows
        ``entity_id, period_start`` and numbers, by the entities of the file.
    entities
        Entities of the forecast. One that is called ``total``, and is none of the file's, is the
        sum of the file's.
    origin
        First period that was forecast.
    averaged
        Columns that are averaged over entities rather than summed.

    Returns
    -------
    pd.DataFrame
        As ``rows``. A sum is over the entities of the last period before ``origin``: one that came
        later is no part of it, and a period in which one of them has no row has no sum.
    """
    present = set(rows[ENTITY_COLUMN])
    if set(entities) != {TOTAL_ENTITY} or TOTAL_ENTITY in present:
        return rows[rows[ENTITY_COLUMN].isin(entities)].reset_index(drop=True)
    before = rows.loc[rows[PERIOD_COLUMN] < origin, PERIOD_COLUMN].max()
    members = rows.loc[rows[PERIOD_COLUMN] == before, ENTITY_COLUMN]
    kept = rows[rows[ENTITY_COLUMN].isin(members)]
    numbers = [c for c in rows.columns if c not in (ENTITY_COLUMN, PERIOD_COLUMN)]
    how = {c: "mean" if c in averaged else "sum" for c in numbers}
    grouped = kept.groupby(PERIOD_COLUMN, sort=True)
    total = grouped.agg(how)[grouped.size() == len(members)].reset_index()
    total.insert(0, ENTITY_COLUMN, TOTAL_ENTITY)
    return total
