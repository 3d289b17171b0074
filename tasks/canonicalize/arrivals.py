"""What is odd about the newest periods of a panel, column by column.

Belongs here: which columns are compared over which periods, and what they are called. Does not:
the comparison (``tasks.mathematics.arrivals``), verdicts (``tasks.validate``).
"""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from schemas.documents.data import ArrivalFault, ArrivalRule
from schemas.names import ENTITY_COLUMN, PERIOD_COLUMN
from schemas.spec.gates import DataGates
from schemas.spec.roles import ColumnRoles
from tasks.mathematics.arrivals import (
    Sighting,
    find_cost_fault,
    find_dead_values,
    find_level_fault,
    find_stuck_values,
)

MIN_WINDOW = 4
"""Periods that are judged at least: a bad one stays in sight until a month of others followed."""
MIN_PAST = 26
"""Periods before them without which nothing is judged."""


def describe_arrivals(
    panel: pd.DataFrame, known: pd.DataFrame | None, roles: ColumnRoles, gates: DataGates
) -> dict[str, Any]:
    """Return what ``column_info.json`` says of the newest periods; parameters as below."""
    n_judged = count_judged(panel, known)
    found = find_arrivals(panel, roles, n_judged, gates.max_drift_ratio)
    return {"judged_periods": n_judged, "arrivals": found}


def count_judged(panel: pd.DataFrame, known: pd.DataFrame | None) -> int:
    """Return how many of the newest periods are judged: all that came, and four at least.

    Parameters
    ----------
    panel
        The panel with missing values as they are.
    known
        The panel as it was before this batch; None without one.
    """
    periods = set(panel[PERIOD_COLUMN])
    n_new = 0
    if known is not None and len(known):
        n_new = len([p for p in periods if p > known[PERIOD_COLUMN].max()])
    n_judged = max(MIN_WINDOW, n_new)
    return n_judged if len(periods) - n_judged >= MIN_PAST else 0


def find_arrivals(
    panel: pd.DataFrame, roles: ColumnRoles, n_judged: int, max_times: float
) -> list[ArrivalFault]:
    """Compare the newest periods of every column with those before them.

    Parameters
    ----------
    panel
        The panel with missing values as they are.
    roles
        Roles of the columns.
    n_judged
        Newest periods to compare; 0 finds nothing.
    max_times
        ``gates.data.max_drift_ratio``.
    """
    if n_judged == 0:
        return []
    grid = _Grid(panel)
    found: list[ArrivalFault] = []
    for channel in roles.channels:
        activity, spend = channel.activity_column, channel.spend_column
        if activity and spend:
            seen = find_cost_fault(
                grid.values(spend), grid.values(activity), n_judged, max_times=max_times
            )
            found += grid.fault(ArrivalRule.COST, [activity, spend], seen)
    explained = {column for fault in found for column in fault.columns}
    for column in roles.numeric_sources():
        values = grid.values(column)
        level = find_level_fault(values, n_judged, max_times=max_times)
        if column not in explained:
            found += grid.fault(ArrivalRule.LEVEL, [column], level)
        found += grid.fault(ArrivalRule.STUCK, [column], find_stuck_values(values, n_judged))
        dead = find_dead_values(values, grid.present, n_judged)
        found += grid.fault(ArrivalRule.DEAD, [column], dead)
    return _of_channels(found, roles)


def _of_channels(found: list[ArrivalFault], roles: ColumnRoles) -> list[ArrivalFault]:
    """Join what spend and activity of one channel show together: a channel that was paused."""
    kept = list(found)
    for channel in roles.channels:
        pair = [c for c in (channel.activity_column, channel.spend_column) if c]
        for rule in (ArrivalRule.STUCK, ArrivalRule.DEAD):
            both = [f for f in kept if f.rule is rule and f.columns[0] in pair]
            if len(both) > 1 and len({f.period_start for f in both}) == 1:
                kept.remove(both[1])
                kept[kept.index(both[0])] = both[0].model_copy(update={"columns": pair})
    return kept


class _Grid:
    """A panel as arrays of periods × entities."""

    def __init__(self, panel: pd.DataFrame) -> None:
        self._panel = panel
        self._rows, starts = pd.factorize(panel[PERIOD_COLUMN], sort=True)
        self._columns, names = pd.factorize(panel[ENTITY_COLUMN], sort=True)
        self._starts, self._names = list(starts), [str(name) for name in names]
        self.present = np.zeros((len(self._starts), len(self._names)), dtype=bool)
        self.present[self._rows, self._columns] = True

    def values(self, column: str) -> NDArray[np.float64]:
        """Return one column, NaN where there is no value."""
        grid = np.full(self.present.shape, np.nan)
        grid[self._rows, self._columns] = self._panel[column].to_numpy(float)
        return grid

    def fault(
        self, rule: ArrivalRule, columns: list[str], seen: Sighting | None
    ) -> list[ArrivalFault]:
        """Return what was seen with its place, as a list of none or one."""
        if seen is None:
            return []
        times = None if seen.times is None else float(f"{seen.times:.4g}")
        return [
            ArrivalFault(
                rule=rule,
                columns=columns,
                period_start=self._starts[seen.row].date(),
                entity=self._names[seen.entity],
                n_entities=seen.n_entities,
                times=times,
                is_local=seen.is_local,
            )
        ]
