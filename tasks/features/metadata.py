"""Feature metadata: what the model needs to know beside the numbers."""

from typing import Any

from schemas.documents.features import (
    ChannelFeatures,
    ControlFeatures,
    EventDays,
    EventUnit,
    FeatureMetadata,
    FeatureSettings,
)
from schemas.names import ENTITY_COLUMN, PERIOD_COLUMN
from schemas.refs import SnapshotRef
from schemas.spec.baseline import EventSpec, TrendKind, TrendSpec
from schemas.spec.channels import AdstockSpec, ChannelKind, SaturationKind, SaturationSpec
from schemas.spec.roles import UNIT_VALUE_COLUMN, ChannelRole, ColumnRoles
from schemas.spec.run_spec import Likelihood, ModelKind, ModelSpec, RunSpec
from tasks.mathematics.carryover import ADSTOCK_PARAMETERS
from tasks.mathematics.saturation import SATURATION_PARAMETERS
from tasks.models.linear import describe_terms


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
        channels=[_describe_channel(channel, spec.model) for channel in roles.channels],
        channel_columns=inputs,
        controls=[
            ControlFeatures(column=c.column, **c.model_dump(exclude={"source"}))
            for c in roles.controls
        ],
        control_columns=control_columns,
        input_columns=[ENTITY_COLUMN, PERIOD_COLUMN, *inputs, *control_columns],
        **_terms(spec),
    )


def _describe_channel(channel: ChannelRole, model: ModelSpec) -> ChannelFeatures:
    adstock, saturation = _media_shape(channel, model)
    return ChannelFeatures(
        name=channel.name,
        kind=channel.kind,
        input_column=channel.input_column,
        input_source=channel.activity or channel.spend,
        spend_column=channel.spend_column,
        prior=channel.prior,
        adstock=adstock,
        saturation=saturation,
    )


def _media_shape(
    channel: ChannelRole, model: ModelSpec
) -> tuple[AdstockSpec, SaturationSpec] | tuple[None, None]:
    """Carryover and saturation of one channel, with the model's where the channel is silent.

    What a competitor does has no diminishing returns that its observer could know of: unless the
    spec says otherwise, it acts by its adstock alone.
    """
    if model.kind is not ModelKind.MMM:
        return None, None
    is_rival = channel.kind is ChannelKind.COMPETITOR
    default = SaturationSpec(kind=SaturationKind.NONE) if is_rival else model.saturation
    return channel.adstock or model.adstock, channel.saturation or default


def _terms(spec: RunSpec) -> dict[str, Any]:
    """Fields of ``FeatureSettings`` that depend on the kind of model."""
    if spec.model.kind is ModelKind.LOG_STUDENT_T:
        config = spec.features
        kind = TrendKind.LINEAR if config.trend.enabled else TrendKind.NONE
        return {
            "harmonics": config.seasonality.K if config.seasonality.enabled else 0,
            "trend": TrendSpec(kind=kind),
            "feature_config": config,
        }
    return {
        "harmonics": spec.model.yearly_seasonality,
        "trend": spec.model.trend,
        "events": [_stated_event(event) for event in spec.model.events],
        "likelihood": spec.model.likelihood,
        "non_negative_baseline": spec.model.non_negative_baseline,
        "time_varying_media": spec.model.time_varying_media,
        "media_share": spec.model.media_share,
        "share_spread": spec.model.share_spread,
        "lift_tests": spec.lift_tests,
    }


def _stated_event(event: EventSpec) -> EventDays:
    return EventDays(name=event.name, unit=EventUnit.SHARE, dates=event.days, known_until=None)


def count_parameters(metadata: FeatureMetadata) -> int:
    """Number of free parameters, for the rows-per-parameter gate.

    Kind ``mmm``: carryover and saturation once per channel; share, linear terms, level and noise
    once per entity. Kind ``log_student_t``: everything once.
    """
    n_channels = len(metadata.channels)
    n_terms = len(describe_terms(metadata))
    if metadata.model_kind is ModelKind.LOG_STUDENT_T:
        return n_channels + n_terms + 4
    shapes = sum(_n_shape_parameters(channel) for channel in metadata.channels)
    tails = int(metadata.likelihood is Likelihood.STUDENT_T)
    return shapes + len(metadata.entities) * (n_channels + n_terms + 2) + tails


def _n_shape_parameters(channel: ChannelFeatures) -> int:
    adstock, saturation = channel.learned_adstock.kind, channel.learned_saturation.kind
    return len(ADSTOCK_PARAMETERS[adstock]) + len(SATURATION_PARAMETERS[saturation])
