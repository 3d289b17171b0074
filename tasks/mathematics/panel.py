"""The panel: what a model sees, as one labelled Dataset.

Variables: ``media`` and ``spend`` ``(entity, channel, date)``, ``controls`` ``(entity, control,
date)``, ``kpi`` and ``unit_value`` ``(entity, date)``, ``is_estimation`` ``(date)``. The last axis
is time everywhere, so that lags and sums run over contiguous memory. ``spend`` is NaN for a channel
without a spend column; ``kpi`` is NaN for periods that are only to be predicted.
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


def build_panel(rows: pd.DataFrame, metadata: FeatureSettings) -> xr.Dataset:
    """Arrange long rows as a rectangular panel.

    Parameters
    ----------
    rows
        ``entity_id, period_start``, the columns that ``metadata`` names, and ``is_estimation``
        (absent: all periods count). One row per entity and period, every entity on the same grid.
    metadata
        Names the columns: of the KPI and its value, of channels and of controls.

    Raises
    ------
    DataContractError
        If an entity lacks a period that another one has.
    """
    entities = sorted(rows[ENTITY_COLUMN].unique())
    dates = pd.DatetimeIndex(sorted(rows[PERIOD_COLUMN].unique()), name=DATE_DIM)
    ordered = rows.sort_values([ENTITY_COLUMN, PERIOD_COLUMN], kind="stable")
    if len(ordered) != len(entities) * len(dates):
        raise DataContractError(
            f"The panel is not rectangular: {len(entities)} entities x {len(dates)} periods need "
            f"{len(entities) * len(dates)} rows, got {len(ordered)}; each entity needs each period."
        )
    shape = (len(entities), len(dates))

    def block(columns: Sequence[str | None]) -> NDArray[np.float64]:
        parts = [_column(ordered, column, shape) for column in columns]
        return np.stack(parts, axis=1) if parts else np.empty((shape[0], 0, shape[1]))

    channels, controls = metadata.channels, metadata.controls
    flags = (
        ordered[IS_ESTIMATION].to_numpy(bool) if IS_ESTIMATION in ordered else np.ones(shape, bool)
    )
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
            IS_ESTIMATION: ((DATE_DIM,), flags.reshape(shape)[0]),
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
