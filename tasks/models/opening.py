"""A stored fit of any kind as the one contract: the only way in which a stage opens one."""

from collections.abc import Callable
from typing import NamedTuple, Protocol

import pandas as pd
import xarray as xr

from schemas.documents.features import FeatureMetadata, FeatureScaler
from schemas.names import ENTITY_COLUMN, PERIOD_COLUMN
from tasks.mathematics.draws import hdi
from tasks.mathematics.panel import build_panel, observed_of
from tasks.mathematics.scaling import scales_from_json
from tasks.models.contract import FittedModel, ModelInputs
from tasks.models.kind import Kind
from tasks.models.quantities import thin_draws
from tasks.models.registry import kind_of


class FeatureFiles(Protocol):
    """Files of the features stage, as ``tasks.store.files.fits`` reads them."""

    @property
    def frame(self) -> pd.DataFrame:
        """``features.parquet``."""
        ...

    @property
    def metadata(self) -> FeatureMetadata:
        """``feature_metadata.json``."""
        ...

    @property
    def scaler(self) -> FeatureScaler:
        """``feature_scaler.json``."""
        ...


class FitData(NamedTuple):
    """What is fitted."""

    panel: xr.Dataset
    inputs: ModelInputs

    @property
    def metadata(self) -> FeatureMetadata:
        """Feature metadata."""
        return self.inputs.metadata

    @property
    def kind(self) -> Kind:
        """Kind that fits it."""
        return kind_of(self.inputs.metadata)


class OpenFit(NamedTuple):
    """A stored fit with the panel that it was fitted to."""

    model: FittedModel
    tree: xr.DataTree
    """Its draws as they are stored, all of them."""
    panel: xr.Dataset
    inputs: ModelInputs

    @property
    def metadata(self) -> FeatureMetadata:
        """Feature metadata."""
        return self.inputs.metadata

    @property
    def kind(self) -> Kind:
        """Kind of the model."""
        return kind_of(self.inputs.metadata)

    def reopened(self, select: Callable[[xr.Dataset], xr.Dataset]) -> FittedModel:
        """Return the model of some of the draws."""
        return self.kind.open(select(self.tree["posterior"].to_dataset()), self.inputs)


def open_data(files: FeatureFiles) -> FitData:
    """Return the panel and the inputs of a fit."""
    inputs = ModelInputs(metadata=files.metadata, scales=scales_from_json(files.scaler))
    return FitData(build_panel(files.frame, files.metadata), inputs)


def open_fit(tree: xr.DataTree, files: FeatureFiles, n_draws: int | None = None) -> OpenFit:
    """Open a stored fit, of any kind.

    Parameters
    ----------
    tree
        ``posterior.nc`` with group ``posterior``.
    files
        Features, their metadata and scaler.
    n_draws
        About how many ``model`` has, evenly from every chain; default: all.
    """
    data = open_data(files)
    draws = tree["posterior"].to_dataset()
    thinned = draws if n_draws is None else thin_draws(draws, n_draws)
    model = data.kind.open(thinned, data.inputs)
    return OpenFit(model, tree, data.panel, data.inputs)


def open_fitted(
    posterior: xr.DataTree, metadata: FeatureMetadata, scaler: FeatureScaler
) -> FittedModel:
    """Return the fitted model of stored draws, without a panel.

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
    return kind_of(metadata).open(posterior["posterior"].to_dataset(), inputs)


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
    present = observed_of(panel)
    table["kpi_mean"] = expected.mean(axis=0)[present]
    table["kpi_low"], table["kpi_high"] = low[present], high[present]
    for component in model.components:
        mean = model.contribution(component, panel).mean(axis=0)
        table[f"contribution_{component.name}"] = mean[present]
    return table
