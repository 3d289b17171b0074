"""Build features: one frame, its metadata and its scaler."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from schemas.documents.features import FeatureMetadata, FeatureSettings
from schemas.names import DATE_DIM, ENTITY_COLUMN, ENTITY_DIM, PERIOD_COLUMN, ComponentKind
from schemas.refs import SnapshotRef
from schemas.spec.baseline import TrendKind, TrendSpec
from schemas.spec.planned import PlannedPeriod
from schemas.spec.roles import ColumnRoles
from schemas.spec.run_spec import RunSpec
from tasks.features.feasibility import require_feasible, require_rectangle
from tasks.features.metadata import describe_settings
from tasks.features.public_holidays import holidays_event
from tasks.features.windows import apply_windows, idle_controls
from tasks.mathematics.panel import (
    IS_ESTIMATION,
    build_panel,
    has_negative_kpi,
    is_ragged,
    observed_of,
)
from tasks.mathematics.planned import keep_known, require_columns
from tasks.mathematics.references import choose_references, measure_references
from tasks.mathematics.scaling import CONTROL_REFERENCE, carry_controls, compute_scales
from tasks.mathematics.trend import fix_trend
from tasks.models.contract import ModelInputs
from tasks.models.linear import Term, linear_design, linear_terms, periods_since
from tasks.models.registry import kind_of

MEDIA_CURVE = TrendSpec(kind=TrendKind.GP, length_scale=52, basis=6)
"""How all media together may rise and fall: over a year or longer, not from week to week."""


class Features(NamedTuple):
    """Features of one snapshot."""

    frame: pd.DataFrame
    metadata: FeatureMetadata
    scales: xr.Dataset


def build_features(
    rows: pd.DataFrame,
    spec: RunSpec,
    roles: ColumnRoles,
    snapshot: SnapshotRef,
    coming: Sequence[PlannedPeriod] = (),
) -> Features:
    """Build the features of one snapshot.

    Parameters
    ----------
    rows
        ``canonical_data.parquet``: ``entity_id, period_start`` and one column per role.
    spec, roles, snapshot
        What the run asks for and what it got.
    coming
        What rows of the file plan of coming periods.

    Returns
    -------
    Features
        ``frame`` has the kept rows with their inputs in their own units, ``is_estimation``,
        ``z_<control>``, trend and Fourier columns and ``event_<event>``; for kind
        ``log_student_t`` also ``adstock_<input>``, ``saturated_<input>`` and ``z_<input>``, the
        numbers that enter its formula.

    Raises
    ------
    SpecError, DataContractError
        If the spec asks for what this history cannot report.
    """
    kept = apply_windows(rows, spec.windows, snapshot.grain)
    kept = kept.sort_values([ENTITY_COLUMN, PERIOD_COLUMN], kind="stable").reset_index(drop=True)
    idle = idle_controls(kept, roles.controls)
    roles = roles.model_copy(update={"controls": [c for c in roles.controls if c not in idle]})
    settings = describe_settings(spec, roles, snapshot)
    panel = build_panel(kept, settings)
    metadata = _describe_panel(panel, _with_references(panel, settings), spec)
    require_columns(spec.planned, metadata.entities, metadata)
    kind = kind_of(metadata)
    if not kind.fits_ragged_panels:
        require_rectangle(metadata)
    if kind.refuses_unseen_terms:
        fitted = panel[DATE_DIM].values[panel[IS_ESTIMATION].values]
        require_feasible(metadata, pd.DatetimeIndex(fitted))
    decided = {
        "n_parameters": kind.count_parameters(metadata),
        "idle_controls": [control.source for control in idle] or None,
        "planned": keep_known(coming, metadata) or None,
    }
    metadata = metadata.model_copy(update=decided)
    scales = compute_scales(carry_controls(panel, metadata.controls))
    scales[CONTROL_REFERENCE] = measure_references(panel, metadata.controls)
    scales = scales.merge(kind.scales(panel, metadata))
    facts = kind.facts(panel, ModelInputs(metadata, scales), spec)
    metadata = metadata.model_copy(update=facts)
    columns = _add_columns(kept, panel, ModelInputs(metadata, scales))
    return Features(columns, metadata, scales)


def _with_references(panel: xr.Dataset, settings: FeatureSettings) -> FeatureSettings:
    """Say of every control where it counts from."""
    chosen = choose_references(panel, settings.controls)
    controls = [
        control.model_copy(update={"reference": reference})
        for control, reference in zip(settings.controls, chosen, strict=True)
    ]
    return settings.model_copy(update={"controls": controls})


def _describe_panel(panel: xr.Dataset, settings: FeatureSettings, spec: RunSpec) -> FeatureMetadata:
    """Add what the panel's dates decide: windows, trend and events."""
    dates = pd.DatetimeIndex(panel[DATE_DIM].values)
    window = panel[IS_ESTIMATION].values
    fitted, first = dates[window], dates[0].date()
    position = periods_since(fitted, first, settings.grain)
    holidays, varies = spec.model.holidays, spec.model.time_varying_media
    found = [holidays_event(holidays, first, dates[-1].date())] if holidays else []
    return FeatureMetadata(
        **settings.model_dump(exclude={"trend", "events"}),
        first_period=first,
        estimation_start=fitted[0].date(),
        estimation_end=fitted[-1].date(),
        n_estimation_periods=len(fitted),
        n_carryover_periods=int((~window).sum()),
        entities=[str(e) for e in panel[ENTITY_DIM].values],
        is_ragged=is_ragged(panel),
        has_negative_kpi=has_negative_kpi(panel),
        trend=fix_trend(settings.trend, position),
        events=[*settings.events, *found],
        media_curve=fix_trend(MEDIA_CURVE, position) if varies else None,
    )


def _add_columns(kept: pd.DataFrame, panel: xr.Dataset, inputs: ModelInputs) -> pd.DataFrame:
    metadata = inputs.metadata
    added: dict[str, NDArray[np.float64]] = {}
    design = linear_design(panel, inputs)
    present = observed_of(panel)
    columns = {control.name: control.column for control in metadata.controls}
    for index, term in enumerate(linear_terms(inputs)):
        added[_column_of(term, columns)] = design[:, index][present]
    added |= kind_of(metadata).columns(panel, inputs)
    return pd.concat([kept, pd.DataFrame(added, index=kept.index)], axis=1)


def _column_of(term: Term, control_columns: Mapping[str, str]) -> str:
    if term.component.kind is ComponentKind.CONTROL:
        return f"z_{control_columns[term.name]}"
    return f"event_{term.name}" if term.component.kind is ComponentKind.EVENT else term.name
