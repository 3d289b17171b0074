"""Feature metadata: what the model needs to know beside the numbers."""

from schemas.documents.features import ChannelFeatures, ControlFeatures, FeatureSettings
from schemas.names import ENTITY_COLUMN, PERIOD_COLUMN
from schemas.refs import SnapshotRef
from schemas.spec.roles import UNIT_VALUE_COLUMN, ChannelRole, ColumnRoles
from schemas.spec.run_spec import RunSpec
from tasks.models.registry import find_kind


def describe_settings(spec: RunSpec, roles: ColumnRoles, snapshot: SnapshotRef) -> FeatureSettings:
    """Return what is known of the features before any row is read."""
    inputs = [channel.input_column for channel in roles.channels]
    control_columns = [control.column for control in roles.controls]
    fixed_value = spec.kpi.value_per_unit if isinstance(spec.kpi.value_per_unit, float) else 1.0
    return FeatureSettings(
        dataset_id=spec.dataset_id,
        snapshot_id=snapshot.snapshot_id,
        grain=snapshot.grain,
        model_kind=spec.model.kind,
        kpi_column=roles.kpi_name,
        kpi_kind=spec.kpi.kind,
        unit_value_column=UNIT_VALUE_COLUMN if roles.unit_value else None,
        unit_value=fixed_value,
        has_unit_value=spec.kpi.value_per_unit is not None,
        channels=[_describe_channel(channel, spec) for channel in roles.channels],
        channel_columns=inputs,
        controls=[
            ControlFeatures(column=c.column, **c.model_dump(exclude={"source"}))
            for c in roles.controls
        ],
        control_columns=control_columns,
        input_columns=[ENTITY_COLUMN, PERIOD_COLUMN, *inputs, *control_columns],
        **find_kind(spec.model.kind).settings(spec),
    )


def _describe_channel(channel: ChannelRole, spec: RunSpec) -> ChannelFeatures:
    return ChannelFeatures(
        name=channel.name,
        kind=channel.kind,
        input_column=channel.input_column,
        input_source=channel.activity or channel.spend,
        spend_column=channel.spend_column,
        prior=channel.prior,
        **find_kind(spec.model.kind).channel_settings(channel, spec),
    )
