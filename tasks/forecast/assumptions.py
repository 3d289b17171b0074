"""What a forecast supposes of the coming periods, as a table that can be laid beside canonical."""

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from schemas.documents.features import FeatureMetadata
from schemas.documents.forecast_scores import ASSUMPTION_COLUMNS, Measure
from schemas.names import DATE_DIM, ENTITY_COLUMN, ENTITY_DIM, PERIOD_COLUMN


def list_assumptions(coming: xr.Dataset, metadata: FeatureMetadata) -> pd.DataFrame:
    """List media, spend, controls and unit values of coming periods.

    Parameters
    ----------
    coming
        The coming periods of ``tasks.forecast.forecast.continue_panel``.
    metadata
        ``feature_metadata.json``.

    Returns
    -------
    pd.DataFrame
        ``ASSUMPTION_COLUMNS``. A channel whose input is its spend has that only; a
        value per unit is listed where the KPI has one.
    """
    blocks: list[tuple[Measure, str, NDArray[np.float64]]] = []
    media, spend = coming["media"].to_numpy(), coming["spend"].to_numpy()
    for index, channel in enumerate(metadata.channels):
        if channel.input_column != channel.spend_column:
            blocks.append((Measure.ACTIVITY, channel.name, media[:, index]))
        if channel.spend_column:
            blocks.append((Measure.SPEND, channel.name, spend[:, index]))
    controls = coming["controls"].to_numpy()
    for index, control in enumerate(metadata.controls):
        blocks.append((Measure.CONTROL, control.name, controls[:, index]))
    if metadata.has_unit_value:
        value = coming["unit_value"].to_numpy()
        blocks.append((Measure.UNIT_VALUE, "value_per_unit", value))
    entities = [str(entity) for entity in coming[ENTITY_DIM].values]
    starts = pd.DatetimeIndex(coming[DATE_DIM].values)
    key = {
        ENTITY_COLUMN: np.repeat(entities, len(starts)),
        PERIOD_COLUMN: np.tile(starts, len(entities)),
    }
    tables = [
        pd.DataFrame({**key, "measure": measure.value, "name": name, "value": values.ravel()})
        for measure, name, values in blocks
    ]
    return pd.concat(tables, ignore_index=True)[list(ASSUMPTION_COLUMNS)]
