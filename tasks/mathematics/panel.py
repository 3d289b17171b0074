"""The panel: what a model sees, as one labelled Dataset.

Variables: ``media`` and ``spend`` ``(entity, channel, date)``, ``controls`` ``(entity, control,
date)``, ``kpi`` and ``unit_value`` ``(entity, date)``, ``is_estimation`` ``(date)``,
``is_observed`` ``(entity, date)``. The last axis is time everywhere, so that lags and sums run over
contiguous memory. ``spend`` is NaN for a channel without a spend column; ``kpi`` is NaN for periods
that are only to be predicted.

An entity that opened later or closed earlier than another has no rows there: ``is_observed`` is
false, media and spend are zero, ``kpi`` is NaN, controls and values are those of its nearest row.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from schemas.documents.features import FeatureSettings
from schemas.errors import DataContractError
from schemas.names import (
    CHANNEL_DIM,
    CONTROL_DIM,
    DATE_DIM,
    ENTITY_COLUMN,
    ENTITY_DIM,
    PERIOD_COLUMN,
)

IS_ESTIMATION = "is_estimation"
"""Column and variable that is true for the periods that are fitted."""
IS_OBSERVED = "is_observed"
"""Variable that is true where an entity has a row: between its opening and its closing."""


def build_panel(rows: pd.DataFrame, metadata: FeatureSettings) -> xr.Dataset:
    """Arrange long rows as a panel.

    Parameters
    ----------
    rows
        ``entity_id, period_start``, the columns that ``metadata`` names, and ``is_estimation``
        (absent: all periods count). One row per entity and period; an entity may begin later or
        end earlier than another, and has no gap between.
    metadata
        Names the columns: of the KPI and its value, of channels and of controls.

    Returns
    -------
    xr.Dataset
        ``kpi``, ``unit_value`` and ``is_observed (entity, date)``, ``media`` and ``spend``
        ``(entity, channel, date)``, ``controls (entity, control, date)``, ``is_estimation (date)``,
        each in the unit of its column.

    Raises
    ------
    DataContractError
        If an entity lacks a period between its first and its last, or has one twice.
    """
    entities = sorted(rows[ENTITY_COLUMN].unique())
    dates = pd.DatetimeIndex(sorted(rows[PERIOD_COLUMN].unique()), name=DATE_DIM)
    ordered = rows.sort_values([ENTITY_COLUMN, PERIOD_COLUMN], kind="stable")
    shape = (len(entities), len(dates))
    observed = _observed(ordered, entities, dates)
    flags = _is_fitted(ordered, dates)
    if not observed.all():
        ordered = _complete(ordered, entities, dates, metadata)

    def block(columns: Sequence[str | None]) -> NDArray[np.float64]:
        parts = [_column(ordered, column, shape) for column in columns]
        return np.stack(parts, axis=1) if parts else np.empty((shape[0], 0, shape[1]))

    channels, controls = metadata.channels, metadata.controls
    unit = metadata.unit_value_column
    return xr.Dataset(
        {
            "media": (
                (ENTITY_DIM, CHANNEL_DIM, DATE_DIM),
                block([c.input_column for c in channels]),
            ),
            "spend": (
                (ENTITY_DIM, CHANNEL_DIM, DATE_DIM),
                block([c.spend_column for c in channels]),
            ),
            "controls": (
                (ENTITY_DIM, CONTROL_DIM, DATE_DIM),
                block([c.column for c in controls]),
            ),
            "kpi": ((ENTITY_DIM, DATE_DIM), _column(ordered, metadata.kpi_column, shape)),
            "unit_value": (
                (ENTITY_DIM, DATE_DIM),
                _column(ordered, unit, shape) if unit else np.full(shape, metadata.unit_value),
            ),
            IS_ESTIMATION: ((DATE_DIM,), flags),
            IS_OBSERVED: ((ENTITY_DIM, DATE_DIM), observed),
        },
        coords={
            ENTITY_DIM: entities,
            DATE_DIM: dates,
            CHANNEL_DIM: metadata.channel_names,
            CONTROL_DIM: [c.name for c in controls],
        },
    )


def _column(rows: pd.DataFrame, column: str | None, shape: tuple[int, int]) -> NDArray[np.float64]:
    if column is None or column not in rows:
        return np.full(shape, np.nan)
    return rows[column].to_numpy(float).reshape(shape)


def _observed(
    rows: pd.DataFrame, entities: Sequence[str], dates: pd.DatetimeIndex
) -> NDArray[np.bool_]:
    """Which entities have a row in which period, ``(entity, date)``."""
    counts = np.zeros((len(entities), len(dates)), dtype=np.intp)
    entity = pd.Index(entities).get_indexer(pd.Index(rows[ENTITY_COLUMN]))
    np.add.at(counts, (entity, dates.get_indexer(pd.DatetimeIndex(rows[PERIOD_COLUMN]))), 1)
    observed = counts > 0
    begun = np.logical_or.accumulate(observed, axis=1)
    open_still = np.logical_or.accumulate(observed[:, ::-1], axis=1)[:, ::-1]
    if (counts > 1).any() or (begun & open_still & ~observed).any():
        raise DataContractError(
            f"The panel has gaps or repeats: {len(rows)} rows of {len(entities)} entities and "
            f"{len(dates)} periods; each entity needs each period once from its first to its last."
        )
    return observed


def _is_fitted(rows: pd.DataFrame, dates: pd.DatetimeIndex) -> NDArray[np.bool_]:
    if IS_ESTIMATION not in rows:
        return np.ones(len(dates), bool)
    return rows.groupby(PERIOD_COLUMN)[IS_ESTIMATION].first().reindex(dates).to_numpy(bool)


def _complete(
    rows: pd.DataFrame,
    entities: Sequence[str],
    dates: pd.DatetimeIndex,
    metadata: FeatureSettings,
) -> pd.DataFrame:
    """Add the rows in which an entity was not open: no media, and controls of its nearest row."""
    keys = pd.MultiIndex.from_product([entities, dates], names=[ENTITY_COLUMN, PERIOD_COLUMN])
    full = rows.set_index([ENTITY_COLUMN, PERIOD_COLUMN]).reindex(keys)
    named = (c for one in metadata.channels for c in (one.input_column, one.spend_column))
    media = [c for c in dict.fromkeys(named) if c is not None and c in full]
    full[media] = full[media].fillna(0.0)
    carried = [*(c.column for c in metadata.controls), metadata.unit_value_column]
    known = [c for c in carried if c is not None and c in full]
    if known:
        by_entity = full.groupby(ENTITY_COLUMN)[known]
        full[known] = by_entity.ffill().fillna(by_entity.bfill())
    return full.reset_index()


def is_ragged(panel: xr.Dataset) -> bool:
    """Say whether an entity of a panel opened later, or closed earlier, than another.

    Parameters
    ----------
    panel
        As ``build_panel`` arranges it; without ``is_observed`` every entity is open everywhere.
    """
    return IS_OBSERVED in panel and not bool(panel.variables[IS_OBSERVED].to_numpy().all())


def observed_of(panel: xr.Dataset) -> NDArray[np.bool_]:
    """Return which entities are open in which periods.

    Parameters
    ----------
    panel
        As ``build_panel`` arranges it; without ``is_observed`` every entity is open everywhere.

    Returns
    -------
    NDArray
        Booleans, ``(entity, date)``.
    """
    if IS_OBSERVED not in panel:
        return np.ones((panel.sizes[ENTITY_DIM], panel.sizes[DATE_DIM]), bool)
    return panel[IS_OBSERVED].transpose(ENTITY_DIM, DATE_DIM).to_numpy()


def observed_values(panel: xr.Dataset, name: str) -> xr.DataArray:
    """Return a variable with NaN where an entity is not open.

    Parameters
    ----------
    panel
        As ``build_panel`` arranges it, or some of its periods.
    name
        Variable with ``(entity, date)`` among its axes.

    Returns
    -------
    xr.DataArray
        The same axes and unit.
    """
    return panel[name].where(panel[IS_OBSERVED]) if is_ragged(panel) else panel[name]


def observed_mean(panel: xr.Dataset, name: str) -> xr.DataArray:
    """Mean of a variable over the periods in which each entity is open.

    Parameters
    ----------
    panel, name
        As ``observed_values`` takes them; NaN is left out.

    Returns
    -------
    xr.DataArray
        The axes of the variable but ``date``, in its unit.
    """
    return observed_values(panel, name).mean(DATE_DIM)


def sized_kpi(panel: xr.Dataset) -> xr.DataArray:
    """Return the KPI that shares are shares of: its size where it takes both signs.

    The sum of net adds, or of any KPI around zero, says nothing of how much there was to explain.

    Parameters
    ----------
    panel
        As ``build_panel`` arranges it, or its fitted periods.

    Returns
    -------
    xr.DataArray
        ``(entity, date)``, KPI units.
    """
    return abs(panel["kpi"]) if has_negative_kpi(panel) else panel["kpi"]


def has_negative_kpi(panel: xr.Dataset) -> bool:
    """Say whether the KPI is negative in any fitted period.

    Parameters
    ----------
    panel
        As ``build_panel`` arranges it, or its fitted periods.
    """
    return bool((estimation_window(panel)["kpi"] < 0).any())


def estimation_window(panel: xr.Dataset) -> xr.Dataset:
    """Return the fitted periods of a panel.

    Parameters
    ----------
    panel
        As ``build_panel`` arranges it.

    Returns
    -------
    xr.Dataset
        The same variables, on the dates where ``is_estimation`` holds.
    """
    return panel.isel({DATE_DIM: panel[IS_ESTIMATION].values})
