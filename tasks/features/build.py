"""Build features: one frame, its metadata and its scaler."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from schemas.names import DATE_DIM, ENTITY_COLUMN, ENTITY_DIM, PERIOD_COLUMN, TREND_COLUMN
from schemas.refs import SnapshotRef
from schemas.roles import ColumnRoles
from schemas.run_spec import ModelKind, RunSpec
from tasks.features.metadata import count_parameters, describe_features
from tasks.features.windows import apply_windows
from tasks.mmm.panel import IS_ESTIMATION, build_panel
from tasks.mmm.scaling import compute_scales, scale_controls
from tasks.mmm.seasonality import fourier_names
from tasks.models.contract import ModelInputs
from tasks.models.linear import linear_design, linear_terms
from tasks.models.log_student_t.design import (
    adstock_media,
    compute_media_scales,
    standardize_media,
    transform_media,
)
from tasks.models.mmm.lift_placement import place_tests
from tasks.models.mmm.priors import share_priors


class Features(NamedTuple):
    """Features of one snapshot."""

    frame: pd.DataFrame
    metadata: dict[str, Any]
    scales: xr.Dataset


def build_features(
    rows: pd.DataFrame, spec: RunSpec, roles: ColumnRoles, snapshot: SnapshotRef
) -> Features:
    """Build the features of one snapshot.

    Parameters
    ----------
    rows
        ``canonical_data.parquet``: ``entity_id, period_start`` and one column per role.
    spec, roles, snapshot
        What the run asks for and what it got.

    Returns
    -------
    Features
        ``frame`` has the kept rows with their inputs in their own units, ``is_estimation``,
        ``z_<control>``, ``trend`` and Fourier columns; for kind ``log_student_t`` also
        ``adstock_<input>``, ``saturated_<input>`` and ``z_<input>``, the numbers that enter its
        formula.
    """
    metadata = describe_features(spec, roles, snapshot)
    kept = apply_windows(rows, spec.windows, snapshot.grain)
    kept = kept.sort_values([ENTITY_COLUMN, PERIOD_COLUMN], kind="stable").reset_index(drop=True)
    panel = build_panel(kept, metadata)
    window = panel[IS_ESTIMATION].values
    metadata |= _window_facts(panel, window)
    metadata["n_parameters"] = count_parameters(metadata, n_entities=panel.sizes[ENTITY_DIM])
    scales = compute_scales(panel)
    if spec.model.kind is ModelKind.LOG_STUDENT_T:
        scales = scales.merge(compute_media_scales(panel, metadata, window))
    inputs = ModelInputs(metadata, scales)
    place_tests(panel, metadata, spec.lift_tests)  # raises while nothing has been sampled
    if spec.model.kind is ModelKind.MMM:
        stated = share_priors(panel, inputs)
        metadata["share_priors"] = {
            "log_median": stated.log_median.tolist(),
            "spread": stated.spread.tolist(),
        }
    return Features(_add_columns(kept, panel, inputs), metadata, scales)


def _window_facts(panel: xr.Dataset, window: NDArray[np.bool_]) -> dict[str, Any]:
    dates = pd.DatetimeIndex(panel[DATE_DIM].values)
    fitted = dates[window]
    return {
        "first_period": dates[0].date().isoformat(),
        "estimation_start": fitted[0].date().isoformat(),
        "estimation_end": fitted[-1].date().isoformat(),
        "n_estimation_periods": len(fitted),
        "n_carryover_periods": int((~window).sum()),
        "entities": [str(e) for e in panel[ENTITY_DIM].values],
    }


def _add_columns(kept: pd.DataFrame, panel: xr.Dataset, inputs: ModelInputs) -> pd.DataFrame:
    metadata = inputs.metadata
    added: dict[str, NDArray[np.float64]] = {}
    z = scale_controls(panel, inputs.scales)
    for index, control in enumerate(metadata["controls"]):
        added[f"z_{control['column']}"] = z[:, index].ravel()
    design = linear_design(panel, inputs)
    generated = {TREND_COLUMN, *fourier_names(metadata["harmonics"])}
    for index, term in enumerate(linear_terms(inputs)):
        if term.name in generated:
            added[term.name] = design[:, index].ravel()
    if metadata["model_kind"] == ModelKind.LOG_STUDENT_T:
        added |= _fixed_transforms(panel, metadata, inputs.scales)
    return pd.concat([kept, pd.DataFrame(added, index=kept.index)], axis=1)


def _fixed_transforms(
    panel: xr.Dataset, metadata: Mapping[str, Any], scales: xr.Dataset
) -> dict[str, NDArray[np.float64]]:
    blocks = {
        "adstock": adstock_media(panel, metadata),
        "saturated": transform_media(panel, metadata, scales),
        "z": standardize_media(panel, metadata, scales),
    }
    return {
        f"{prefix}_{channel['input_column']}": block[:, index].ravel()
        for prefix, block in blocks.items()
        for index, channel in enumerate(metadata["channels"])
    }
