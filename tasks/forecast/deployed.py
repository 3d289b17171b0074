"""The model as deployed, given the media and controls that really happened."""

from typing import NamedTuple

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from schemas.documents.features import FeatureMetadata
from schemas.names import ALL_ENTITIES, DATE_DIM, ENTITY_COLUMN, ENTITY_DIM, PERIOD_COLUMN
from tasks.forecast.forecast import continue_panel, sample_coming
from tasks.forecast.known import select_known
from tasks.models.contract import FittedModel


class Prediction(NamedTuple):
    """What a model says of coming periods with their real inputs."""

    draws: NDArray[np.float64]
    """With noise, ``(sample, entity + 1, date)``; the last is the sum over entities."""
    is_informed: NDArray[np.bool_]
    """Whether every period up to this one has its real inputs, ``(entity + 1, date)``."""
    entities: list[str]
    """The last one is ``all``."""
    starts: pd.DatetimeIndex


def predict_deployed(
    model: FittedModel,
    panel: xr.Dataset,
    metadata: FeatureMetadata,
    inputs: pd.DataFrame,
    *,
    horizon: int,
    seed: int,
) -> Prediction:
    """Evaluate a model on its own panel, continued by what happened afterwards.

    Parameters
    ----------
    model, panel, metadata
        A fit, as its forecast was made of them.
    inputs
        From ``tasks.store.warehouse.actuals.read_known_inputs``.
    horizon, seed
        Those of the forecast. Noise is drawn for the whole horizon, so that a period has the same
        draws however many are known; with inputs as supposed they are those of the forecast.
    """
    n_past = panel.sizes[DATE_DIM]
    supposed = continue_panel(panel, metadata, horizon)
    starts = pd.DatetimeIndex(supposed[DATE_DIM].values[n_past:])
    entities = [str(entity) for entity in panel[ENTITY_DIM].values]
    happened, has_row = overlay_inputs(supposed, n_past, metadata, inputs)
    _, kpi = sample_coming(model, happened, n_past, seed=seed)
    informed = np.logical_and.accumulate(has_row, axis=1)
    return Prediction(
        draws=np.concatenate([kpi, kpi.sum(axis=1, keepdims=True)], axis=1),
        is_informed=np.concatenate([informed, informed.all(axis=0, keepdims=True)]),
        entities=[*entities, ALL_ENTITIES],
        starts=starts,
    )


def overlay_inputs(
    supposed: xr.Dataset, n_past: int, metadata: FeatureMetadata, inputs: pd.DataFrame
) -> tuple[xr.Dataset, NDArray[np.bool_]]:
    """Put what happened over what was supposed of the periods after the first ``n_past``.

    As in a refit, a channel without a number in a period was off. A control without one stays as
    supposed, and so does everything of a period without a row.

    Returns
    -------
    tuple
        The panel, and which entities and coming periods have a row, ``(entity, date)``.
    """
    starts = pd.DatetimeIndex(supposed[DATE_DIM].values[n_past:])
    entities = [str(entity) for entity in supposed[ENTITY_DIM].values]
    controls = [c.column for c in metadata.controls]
    averaged = [*controls, *filter(None, [metadata.unit_value_column])]
    if not len(starts):
        return supposed, np.zeros((len(entities), 0), bool)
    known = select_known(inputs, entities, origin=starts[0], averaged=averaged)
    cells = pd.MultiIndex.from_product([entities, starts], names=[ENTITY_COLUMN, PERIOD_COLUMN])
    rows = known.set_index([ENTITY_COLUMN, PERIOD_COLUMN]).reindex(cells)
    shape = (len(entities), len(starts))
    has_row = rows[metadata.kpi_column].notna().to_numpy().reshape(shape)
    overlaid = supposed.copy(deep=True)
    columns: dict[str, list[str | None]] = {
        "media": [c.input_column for c in metadata.channels],
        "spend": [c.spend_column for c in metadata.channels],
        "controls": [*controls],
    }
    for block, names in columns.items():
        values = overlaid[block].transpose(ENTITY_DIM, ..., DATE_DIM).to_numpy()
        for index, name in enumerate(names):
            if name is None:
                continue
            real = rows[name].to_numpy(float).reshape(shape)
            real = real if block == "controls" else np.nan_to_num(real, nan=0.0)
            coming = values[:, index, n_past:]
            values[:, index, n_past:] = np.where(has_row & ~np.isnan(real), real, coming)
    return overlaid, has_row
