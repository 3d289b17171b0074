"""From the panel as known to the panel a model sees: periods cut, values filled, entities summed.

Belongs here: pure pandas over one wide frame. Does not: SQL, files, verdicts.
"""

from datetime import date
from typing import NamedTuple

import pandas as pd

from schemas.names import ENTITY_COLUMN, PERIOD_COLUMN, TOTAL_ENTITY
from schemas.spec.roles import UNIT_VALUE_COLUMN, ColumnRoles
from schemas.spec.run_spec import Grain, Level, RunSpec
from tasks.mathematics.calendar import detect_grain, last_day
from tasks.mathematics.weighting import weighted_mean


class ModelPanel(NamedTuple):
    """A panel as it is known on a day, and as a model sees it."""

    known: pd.DataFrame
    """Missing values as they are: what is validated."""
    wide: pd.DataFrame
    """Filled, and summed where the spec says so: what has a snapshot id."""
    grain: Grain
    detected: Grain | None
    n_future: int
    running: tuple[date, ...]
    """Periods left out because they have begun and not ended."""


def shape_panel(panel: pd.DataFrame, roles: ColumnRoles, spec: RunSpec, as_of: date) -> ModelPanel:
    """Cut a panel at a day, find its grain, fill and sum it."""
    begun, n_future = split_future(panel, as_of)
    detected = detect_grain(list(begun[PERIOD_COLUMN].dt.date))
    grain = spec.grain or detected or Grain.WEEK
    known, running = split_running(begun, as_of, grain)
    filled = fill_missing(known, roles)
    wide = sum_to_brand(filled, roles) if spec.effective_level is Level.BRAND else filled
    return ModelPanel(known, wide, grain, detected, n_future, running)


def require_distinct_columns(roles: ColumnRoles) -> list[str]:
    """Return one sentence per canonical column name that two roles would share."""
    listed = [ENTITY_COLUMN, PERIOD_COLUMN, roles.kpi_name]
    listed.append(UNIT_VALUE_COLUMN)
    listed += [c for r in roles.channels for c in (r.activity_column, r.spend_column) if c]
    listed += [c.column for c in roles.controls]
    repeated = sorted({c for c in listed if listed.count(c) > 1})
    return [f"two roles are named {c!r}; rename a channel, a control or kpi.name" for c in repeated]


def split_future(panel: pd.DataFrame, as_of: date) -> tuple[pd.DataFrame, int]:
    """Leave out periods that start after a day; return how many distinct ones there were."""
    future = panel[PERIOD_COLUMN] > pd.Timestamp(as_of)
    kept = panel.loc[~future].reset_index(drop=True)
    return kept, int(panel.loc[future, PERIOD_COLUMN].nunique())


def split_running(
    panel: pd.DataFrame, as_of: date, grain: Grain
) -> tuple[pd.DataFrame, tuple[date, ...]]:
    """Leave out periods whose last day is after ``as_of``; return their starts.

    What a period holds before it has ended is a part of it, and would be read as a slump.
    """
    starts = panel[PERIOD_COLUMN].dt.date
    running = sorted({s for s in starts.unique() if last_day(s, grain) > as_of})
    return panel.loc[~starts.isin(running)].reset_index(drop=True), tuple(running)


def fill_missing(panel: pd.DataFrame, roles: ColumnRoles) -> pd.DataFrame:
    """Fill media with 0, controls and unit values with the period before, else the one after.

    The KPI stays as it is: a missing KPI is never made up.
    """
    filled = panel.copy()
    media = [c for r in roles.channels for c in (r.activity_column, r.spend_column) if c]
    # Zero, not missing: a channel without a number in a period was off.
    filled[media] = filled[media].fillna(0.0)
    carried = [c.column for c in roles.controls] + ([UNIT_VALUE_COLUMN] if roles.unit_value else [])
    if carried:
        by_entity = filled.groupby(ENTITY_COLUMN)[carried]
        forward = by_entity.ffill()
        filled[carried] = forward.fillna(filled.groupby(ENTITY_COLUMN)[carried].bfill())
    return filled


def sum_to_brand(panel: pd.DataFrame, roles: ColumnRoles) -> pd.DataFrame:
    """Sum KPI, activity and spend over entities per period; average controls.

    The value of a unit is that of the units together: weighted by the KPI, so that KPI times value
    is the sum of the entities' money. A period in which any entity's KPI is missing has no KPI.
    """
    averaged = {c.column for c in roles.controls} | {UNIT_VALUE_COLUMN}
    how = {
        column: "mean" if column in averaged else "sum"
        for column in panel.columns
        if column not in (ENTITY_COLUMN, PERIOD_COLUMN)
    }
    brand = panel.groupby(PERIOD_COLUMN, as_index=False, sort=True).agg(how)
    if roles.unit_value:
        weights = panel[roles.kpi_name].abs().fillna(0.0)
        brand[UNIT_VALUE_COLUMN] = weighted_mean(panel, UNIT_VALUE_COLUMN, weights).to_numpy()
    incomplete = panel.loc[panel[roles.kpi_name].isna(), PERIOD_COLUMN].unique()
    brand[roles.kpi_name] = brand[roles.kpi_name].mask(brand[PERIOD_COLUMN].isin(incomplete))
    brand.insert(0, ENTITY_COLUMN, TOTAL_ENTITY)
    return brand
