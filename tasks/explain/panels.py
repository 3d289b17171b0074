"""Two panels laid side by side: what was known then, the same rows as known now, and new rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from schemas.documents.changes import STEPS, Factor
from schemas.names import ENTITY_COLUMN, PERIOD_COLUMN
from tasks.explain.orders import State

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
    more: Mapping[State, pd.DataFrame] = field(default_factory=dict)
    """Further states that the data allow: the later run's columns with new rows alone let in
    (``spec_or_code`` and ``new_periods``), the earlier run's columns with ``restated``,
    ``new_periods`` or both."""

    @property
    def restated_words(self) -> str:
        """How much of history is restated and where; empty where nothing is."""
        reported = []
        if self.n_restated:
            reported.append(f"{self.n_restated} value(s) in {_span(self.restated_periods)}")
        if self.n_gone:
            reported.append(f"{self.n_gone} row(s) gone")
        return "; ".join(reported)

    @property
    def new_words(self) -> str:
        """How many rows are new and of which periods; empty where none is."""
        return f"{self.n_new_rows} row(s), {_span(self.new_periods)}" if self.n_new_rows else ""

    def state(self, let_in: State) -> pd.DataFrame | None:
        """Return the panel in which some factors are let in, None where the data do not allow it.

        ``spec_or_code`` stands for the columns of the later run.
        """
        known = {
            frozenset({Factor.SPEC_OR_CODE}): self.as_known_then,
            frozenset({Factor.SPEC_OR_CODE, Factor.RESTATED}): self.as_known_now,
        }
        return {**known, **self.more}.get(let_in)

    @property
    def is_restated(self) -> bool:
        """Whether the later run knows another history."""
        return self.n_restated > 0 or self.n_gone > 0


def _span(periods: Sequence[pd.Timestamp]) -> str:
    first, last = f"{periods[0]:%Y-%m-%d}", f"{periods[-1]:%Y-%m-%d}"
    return first if first == last else f"{first} to {last}"


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
        more=_more_states(_Tables(then, old, new, both, added), known_then, kpi_then, kpi_now),
    )


class _Tables(NamedTuple):
    """Both panels by entity and period; ``old`` calls the KPI as the later run does."""

    then: pd.DataFrame
    old: pd.DataFrame
    new: pd.DataFrame
    both: pd.Index
    added: pd.Index


def _more_states(
    tables: _Tables, known_then: pd.DataFrame, kpi_then: str, kpi_now: str
) -> dict[State, pd.DataFrame]:
    spec, restated, new = STEPS
    fresh = tables.new.loc[tables.added]
    states = {frozenset({spec, new}): pd.concat([known_then, fresh])}
    columns = list(tables.old.columns)
    shared = [column for column in columns if column in tables.new.columns]
    now = tables.old.loc[tables.both].copy()
    now[shared] = tables.new.loc[tables.both, shared]
    states[frozenset({restated})] = now
    if len(shared) == len(columns):  # else new rows would lack a column of the earlier run
        states[frozenset({new})] = pd.concat([tables.old, fresh[columns]])
        states[frozenset({restated, new})] = tables.new[columns]
    named = tables.then.columns
    return {
        state: frame.sort_index().reset_index()
        if spec in state
        else frame.sort_index().reset_index().rename(columns={kpi_now: kpi_then})[list(named)]
        for state, frame in states.items()
    }


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
