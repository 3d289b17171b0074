"""Feature metadata: what the model needs to know beside the numbers."""

from collections.abc import Mapping
from typing import Any

from schemas.channels import AdstockKind
from schemas.names import ENTITY_COLUMN, PERIOD_COLUMN
from schemas.refs import SnapshotRef
from schemas.roles import UNIT_VALUE_COLUMN, ColumnRoles
from schemas.run_spec import ModelKind, RunSpec
from tasks.mmm.carryover import ADSTOCK_PARAMETERS
from tasks.mmm.saturation import SATURATION_PARAMETERS


def describe_features(spec: RunSpec, roles: ColumnRoles, snapshot: SnapshotRef) -> dict[str, Any]:
    """Return ``feature_metadata.json`` but for what depends on the rows (windows, counts)."""
    channels = [
        {
            "name": channel.name,
            "kind": channel.kind.value,
            "input_column": channel.input_column,
            "input_source": channel.activity or channel.spend,
            "spend_column": channel.spend_column,
            "prior": channel.prior.model_dump(mode="json") if channel.prior else None,
        }
        for channel in roles.channels
    ]
    controls = [{"name": c.name, "column": c.column} for c in roles.controls]
    inputs = [c["input_column"] for c in channels]
    control_columns = [c["column"] for c in controls]
    fixed_value = spec.kpi.value_per_unit if isinstance(spec.kpi.value_per_unit, float) else 1.0
    return {
        "dataset_id": spec.dataset_id,
        "snapshot_id": snapshot.snapshot_id,
        "grain": snapshot.grain.value,
        "model_kind": spec.model.kind.value,
        "kpi_column": roles.kpi_name,
        "kpi_kind": spec.kpi.kind.value,
        "unit_value_column": UNIT_VALUE_COLUMN if roles.unit_value else None,
        "unit_value": fixed_value,
        "has_unit_value": spec.kpi.value_per_unit is not None,
        "channels": channels,
        "channel_columns": inputs,
        "controls": controls,
        "control_columns": control_columns,
        "input_columns": [ENTITY_COLUMN, PERIOD_COLUMN, *inputs, *control_columns],
        **_shape_settings(spec),
    }


def _shape_settings(spec: RunSpec) -> dict[str, Any]:
    if spec.model.kind is ModelKind.LOG_STUDENT_T:
        config = spec.features
        return {
            "harmonics": config.seasonality.K if config.seasonality.enabled else 0,
            "trend": config.trend.enabled,
            "feature_config": config.model_dump(mode="json"),
        }
    return {
        "harmonics": spec.model.yearly_seasonality,
        "trend": spec.model.trend,
        "adstock": spec.model.adstock.model_dump(mode="json"),
        "saturation": spec.model.saturation.model_dump(mode="json"),
        "media_share": spec.model.media_share,
        "share_spread": spec.model.share_spread,
        "lift_tests": [test.model_dump(mode="json") for test in spec.lift_tests],
    }


def count_parameters(metadata: Mapping[str, Any], *, n_entities: int) -> int:
    """Number of free parameters, for the rows-per-parameter gate.

    Kind ``mmm``: carryover and saturation once per channel; share, linear terms, level and noise
    once per entity. Kind ``log_student_t``: everything once.
    """
    n_channels = len(metadata["channels"])
    n_terms = len(metadata["controls"]) + metadata["trend"] + 2 * metadata["harmonics"]
    if metadata["model_kind"] == ModelKind.LOG_STUDENT_T:
        return n_channels + n_terms + 4
    adstock = AdstockKind(metadata["adstock"]["kind"])
    shape = len(ADSTOCK_PARAMETERS[adstock]) + len(
        SATURATION_PARAMETERS[metadata["saturation"]["kind"]]
    )
    return n_channels * shape + n_entities * (n_channels + n_terms + 2)
