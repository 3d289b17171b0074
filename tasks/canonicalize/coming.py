"""Rows of a file that speak of coming periods, as the plan that a forecast uses.

Belongs here: which of them count, and their sum for a brand. Does not: which rows these are
(``tasks.store.inputs.landing_rows.coming_sql``), their place in a panel
(``tasks.mathematics.planned``).
"""

from datetime import date

import pandas as pd

from schemas.documents.data import PlannedRows
from schemas.names import ENTITY_COLUMN, PERIOD_COLUMN, TOTAL_ENTITY
from schemas.spec.planned import PlannedPeriod
from schemas.spec.roles import ColumnRoles
from schemas.spec.run_spec import Level
from tasks.canonicalize.panel_rules import ModelPanel
from tasks.mathematics.calendar import last_day


def describe_coming(
    coming: pd.DataFrame, shaped: ModelPanel, roles: ColumnRoles, level: Level, as_of: date
) -> PlannedRows | None:
    """Say what rows of coming periods plan; None where there are none.

    Parameters
    ----------
    coming
        ``entity_id, period_start`` and the canonical columns; what is missing is not stated.
    shaped
        The panel that they follow.
    roles, level
        What the columns are, and whether entities are summed.
    as_of
        Knowledge date.
    """
    known = shaped.known
    if coming.empty or known.empty:
        return None
    starts = coming[PERIOD_COLUMN].dt.date
    last_known = known.loc[known[PERIOD_COLUMN] == known[PERIOD_COLUMN].max(), ENTITY_COLUMN]
    is_open = coming[ENTITY_COLUMN].isin(last_known)
    stated = _stated_columns(roles)
    kept = coming.loc[is_open, [ENTITY_COLUMN, PERIOD_COLUMN, *stated]]
    if level is Level.BRAND:
        kept = _sum_planned(kept, roles, n_entities=len(last_known))
    return PlannedRows(
        n_rows=len(coming),
        first=starts.min(),
        last=starts.max(),
        n_ended=len({s for s in starts if last_day(s, shaped.grain) <= as_of}),
        left_out=sorted(coming.loc[~is_open, ENTITY_COLUMN].unique()),
        periods=_as_periods(kept, stated),
    )


def _stated_columns(roles: ColumnRoles) -> list[str]:
    media = [c for r in roles.channels for c in (r.activity_column, r.spend_column) if c]
    return list(dict.fromkeys([*media, *(control.column for control in roles.controls)]))


def _sum_planned(rows: pd.DataFrame, roles: ColumnRoles, *, n_entities: int) -> pd.DataFrame:
    """Sum over entities, controls averaged; what one of them does not state is not known."""
    columns = _stated_columns(roles)
    by_period = rows.groupby(PERIOD_COLUMN, sort=True)[columns]
    total = by_period.sum(min_count=n_entities)
    averaged = [control.column for control in roles.controls]
    total[averaged] = total[averaged] / n_entities
    total = total.reset_index()
    total.insert(0, ENTITY_COLUMN, TOTAL_ENTITY)
    return total


def _as_periods(rows: pd.DataFrame, columns: list[str]) -> list[PlannedPeriod]:
    periods = []
    for row in rows.to_dict("records"):
        values = {column: row[column] for column in columns if pd.notna(row[column])}
        if values:
            start = pd.Timestamp(row[PERIOD_COLUMN]).date()
            entity = str(row[ENTITY_COLUMN])
            periods.append(PlannedPeriod(period_start=start, entity=entity, values=values))
    return periods
