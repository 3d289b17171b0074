"""A world of a recovery benchmark: rows, what the features stage makes of them, and the truth."""

from dataclasses import dataclass
from datetime import date

import pandas as pd
import xarray as xr

from schemas.names import CHANNEL_DIM, DATE_DIM, ENTITY_DIM, PERIOD_COLUMN
from schemas.refs import FileRef, SnapshotRef
from schemas.spec.roles import resolve_roles
from schemas.spec.run_spec import Grain, RunSpec
from tasks.features.build import build_features
from tasks.mathematics.panel import build_panel
from tasks.models.contract import ModelInputs

KPI_COLUMN = "sales"
SPEND_PREFIX = "spend_"
CONTROL_PREFIX = "ctrl_"
_NO_FILE = FileRef(path="data/runs/none.parquet", sha256="0" * 64)


@dataclass(frozen=True)
class World:
    """One panel with known contributions, as a refit of the product would see it."""

    name: str
    rows: pd.DataFrame
    """Canonical columns: ``entity_id, period_start, sales, spend_<channel>, ctrl_<control>``."""
    spec: RunSpec
    panel: xr.Dataset
    inputs: ModelInputs
    truth: xr.DataArray
    """True contribution in KPI units, ``(entity, channel, date)``, ordered as the panel."""

    @property
    def size(self) -> str:
        """Weeks × entities × channels."""
        n_entities, n_channels, n_weeks = self.truth.shape
        return f"{n_weeks}x{n_entities}x{n_channels}"


def make_world(name: str, rows: pd.DataFrame, truth: xr.DataArray, *, model: dict | None) -> World:
    """Take canonical rows through the features stage, with the product's defaults.

    Parameters
    ----------
    name
        Dataset id.
    rows
        Canonical rows; every ``spend_*`` column is a channel, every ``ctrl_*`` column a control.
    truth
        True contribution, dims ``(entity, channel, date)`` in any order of labels.
    model
        What differs from the default ``model`` block of the run spec.
    """
    channels = [c.removeprefix(SPEND_PREFIX) for c in rows if str(c).startswith(SPEND_PREFIX)]
    spec = RunSpec.model_validate(
        {
            "dataset_id": name,
            "channels": [{"name": c, "spend": SPEND_PREFIX + c} for c in channels],
            "model": model or {},
        }
    )
    features = build_features(rows, spec, resolve_roles(spec, list(rows.columns)), _snapshot(name))
    panel = build_panel(features.frame, features.metadata)
    inputs = ModelInputs(features.metadata, features.scales)
    labels = {dim: panel[dim].values for dim in (ENTITY_DIM, CHANNEL_DIM, DATE_DIM)}
    return World(name, rows, spec, panel, inputs, truth.sel(labels).transpose(*labels))


def leave_out_last(world: World, n_weeks: int) -> World:
    """Return a world as it was known some weeks earlier."""
    if not n_weeks:
        return world
    earlier = world.truth.isel({DATE_DIM: slice(None, -n_weeks)})
    rows = world.rows[world.rows[PERIOD_COLUMN] <= earlier[DATE_DIM].values[-1]]
    model = world.spec.model.model_dump(mode="json")
    return make_world(world.name, rows.reset_index(drop=True), earlier, model=model)


def _snapshot(name: str) -> SnapshotRef:
    """A reference as a refit has it; nothing opens its files."""
    return SnapshotRef(
        dataset_id=name,
        snapshot_id="0" * 16,
        wide=_NO_FILE,
        column_info=_NO_FILE,
        grain=Grain.WEEK,
        as_of=date(2026, 1, 1),
    )
