"""Open a stored fit as the one contract, whatever its kind."""

import pandas as pd
import xarray as xr

from schemas.documents.features import FeatureMetadata, FeatureScaler
from schemas.names import ENTITY_COLUMN, PERIOD_COLUMN
from schemas.spec.run_spec import ModelKind
from tasks.mathematics.draws import hdi
from tasks.mathematics.panel import build_panel
from tasks.mathematics.scaling import scales_from_json
from tasks.models.contract import FittedModel, ModelInputs
from tasks.models.log_student_t.fitted import LogStudentTFitted
from tasks.models.mmm.fitted import MmmFitted

_KINDS: dict[ModelKind, type[MmmFitted | LogStudentTFitted]] = {
    ModelKind.MMM: MmmFitted,
    ModelKind.LOG_STUDENT_T: LogStudentTFitted,
}


def open_fitted(
    posterior: xr.DataTree, metadata: FeatureMetadata, scaler: FeatureScaler
) -> FittedModel:
    """Return the fitted model of stored draws.

    Parameters
    ----------
    posterior
        ``posterior.nc`` with group ``posterior``.
    metadata
        ``feature_metadata.json``.
    scaler
        ``feature_scaler.json``.
    """
    inputs = ModelInputs(metadata=metadata, scales=scales_from_json(scaler))
    draws = posterior["posterior"].to_dataset()
    return _KINDS[metadata.model_kind](draws, inputs)


def predict_rows(
    model: FittedModel, rows: pd.DataFrame, metadata: FeatureMetadata, *, seed: int
) -> pd.DataFrame:
    """Predict the KPI and its parts for canonical rows.

    Parameters
    ----------
    model
        From ``open_fitted``.
    rows
        ``entity_id, period_start`` and the input columns, history included: carryover starts at
        zero before the first row.
    metadata
        Feature metadata of the fit.
    seed
        Seed of the observation noise in the interval.

    Returns
    -------
    pd.DataFrame
        One row per input row, sorted by entity and period: ``entity_id, period_start, kpi_mean,
        kpi_low, kpi_high`` (94 % interval with observation noise) and one
        ``contribution_<component>`` per component, all in KPI units.
    """
    panel = build_panel(rows, metadata)
    expected = model.expected(panel)
    low, high = hdi(model.sample_kpi(panel, expected, seed=seed))
    ordered = rows.sort_values([ENTITY_COLUMN, PERIOD_COLUMN], kind="stable")
    table = ordered[[ENTITY_COLUMN, PERIOD_COLUMN]].reset_index(drop=True)
    table["kpi_mean"] = expected.mean(axis=0).ravel()
    table["kpi_low"], table["kpi_high"] = low.ravel(), high.ravel()
    for component in model.components:
        mean = model.contribution(component, panel).mean(axis=0)
        table[f"contribution_{component.name}"] = mean.ravel()
    return table
