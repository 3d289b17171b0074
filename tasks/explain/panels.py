"""Two panels laid side by side: what was known then, the same rows as known now, and new rows."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from schemas.names import ENTITY_COLUMN, PERIOD_COLUMN

_KEY = [ENTITY_COLUMN, PERIOD_COLUMN]


@dataclass(frozen=True)
class SideBySide:
    """The panel of an earlier run in the columns of a later one, in two states of knowledge."""

    as_known_then: pd.DataFrame
    """Rows of the earlier run with its own values. A column that only the later run has is taken
    from there: that it is there at all is a change of the spec."""
    as_known_now: pd.DataFrame
    """Those of the same rows that the later run has, with its values."""
    n_new_rows: int
    new_periods: list[pd.Timestamp]
    """Periods of the new rows, oldest first."""
    n_restated: int
    """Numbers that differ in rows and columns of both."""
    restated_periods: list[pd.Timestamp]
    n_gone: int
    """Rows that only the earlier run has."""
    is_comparable: bool
    """False where the two have no row in common, such as markets then and their sum now."""

    @property
    def is_restated(self) -> bool:
        """Whether the later run knows another history."""
        return self.n_restated > 0 or self.n_gone > 0


def lay_side_by_side(
    then: pd.DataFrame, now: pd.DataFrame, *, kpi_then: str, kpi_now: str
) -> SideBySide:
    """Compare ``canonical_data.parquet`` of two runs.

    Parameters
    ----------
    then, now
        Panels of the earlier and of the later run.
    kpi_then, kpi_now
        Their KPI columns: a KPI may be called by another name and be the same.
    """
    old = then.rename(columns={kpi_then: kpi_now}).set_index(_KEY).sort_index()
    new = now.set_index(_KEY).sort_index()
    both = new.index.intersection(old.index)
    if both.empty:
        return _apart(old, new)
    shared = [column for column in new.columns if column in old.columns]
    known_now = new.loc[both]
    if len(shared) == len(new.columns):
        known_then = old[shared]
    else:
        known_then = known_now.copy()
        known_then[shared] = old.loc[both, shared]
    differs = _differs(old.loc[both, shared], known_now[shared])
    added = new.index.difference(old.index)
    return SideBySide(
        as_known_then=known_then.reset_index(),
        as_known_now=known_now.reset_index(),
        n_new_rows=len(added),
        new_periods=_periods(added),
        n_restated=int(differs.sum()),
        restated_periods=_periods(both[np.flatnonzero(differs.any(axis=1))]),
        n_gone=len(old) - len(both),
        is_comparable=True,
    )


def _apart(old: pd.DataFrame, new: pd.DataFrame) -> SideBySide:
    periods = old.index.get_level_values(PERIOD_COLUMN)
    same = new.index.get_level_values(PERIOD_COLUMN).isin(periods)
    rows = new[same].reset_index()
    return SideBySide(
        as_known_then=rows,
        as_known_now=rows,
        n_new_rows=int((~same).sum()),
        new_periods=_periods(new.index[~same]),
        n_restated=0,
        restated_periods=[],
        n_gone=0,
        is_comparable=False,
    )


def _differs(then: pd.DataFrame, now: pd.DataFrame) -> NDArray[np.bool_]:
    old, new = then.to_numpy(float), now.to_numpy(float)
    return (old != new) & ~(np.isnan(old) & np.isnan(new))


def _periods(index: pd.Index) -> list[pd.Timestamp]:
    return sorted(set(index.get_level_values(PERIOD_COLUMN)))
