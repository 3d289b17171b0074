"""Feature metadata: what the model needs to know beside the numbers."""

from collections.abc import Mapping
from typing import Any

from schemas.names import ENTITY_COLUMN, PERIOD_COLUMN
from schemas.refs import SnapshotRef
from schemas.spec.baseline import EventSpec, TrendKind, TrendSpec
from schemas.spec.channels import (
    AdstockSpec,
    ChannelKind,
    SaturationKind,
    SaturationSpec,
)
from schemas.spec.roles import UNIT_VALUE_COLUMN, ChannelRole, ColumnRoles
from schemas.spec.run_spec import Likelihood, ModelKind, ModelSpec, RunSpec
from tasks.mathematics.carryover import ADSTOCK_PARAMETERS
from tasks.mathematics.events import EventUnit
from tasks.mathematics.saturation import SATURATION_PARAMETERS
from tasks.models.linear import describe_terms


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
            **_media_shape(channel, spec.model),
        }
        for channel in roles.channels
    ]
    controls = [
        {"column": c.column, **c.model_dump(mode="json", exclude={"source"})}
        for c in roles.controls
    ]
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


def _media_shape(channel: ChannelRole, model: ModelSpec) -> dict[str, Any]:
    """Carryover and saturation of one channel, with the model's where the channel is silent.

    What a competitor does has no diminishing returns that its observer could know of: unless the
    spec says otherwise, it acts by its adstock alone.
    """
    if model.kind is not ModelKind.MMM:
        return {}
    is_rival = channel.kind is ChannelKind.COMPETITOR
    default = SaturationSpec(kind=SaturationKind.NONE) if is_rival else model.saturation
    return {
        "adstock": (channel.adstock or model.adstock).model_dump(mode="json"),
        "saturation": (channel.saturation or default).model_dump(mode="json"),
    }


def _shape_settings(spec: RunSpec) -> dict[str, Any]:
    if spec.model.kind is ModelKind.LOG_STUDENT_T:
        config = spec.features
        return {
            "harmonics": config.seasonality.K if config.seasonality.enabled else 0,
            "trend": _plain_trend(is_on=config.trend.enabled),
            "events": [],
            "feature_config": config.model_dump(mode="json"),
        }
    return {
        "harmonics": spec.model.yearly_seasonality,
        "trend": spec.model.trend.model_dump(mode="json"),
        "events": [_stated_event(event) for event in spec.model.events],
        "likelihood": spec.model.likelihood.value,
        "non_negative_baseline": spec.model.non_negative_baseline,
        "time_varying_media": spec.model.time_varying_media,
        "media_share": spec.model.media_share,
        "share_spread": spec.model.share_spread,
        "lift_tests": [test.model_dump(mode="json") for test in spec.lift_tests],
    }


def _plain_trend(*, is_on: bool) -> dict[str, Any]:
    kind = TrendKind.LINEAR if is_on else TrendKind.NONE
    return TrendSpec(kind=kind).model_dump(mode="json")


def _stated_event(event: EventSpec) -> dict[str, Any]:
    return {
        "name": event.name,
        "unit": EventUnit.SHARE.value,
        "dates": [day.isoformat() for day in event.days],
        "known_until": None,
    }


def count_parameters(metadata: Mapping[str, Any], *, n_entities: int) -> int:
    """Number of free parameters, for the rows-per-parameter gate.

    Kind ``mmm``: carryover and saturation once per channel; share, linear terms, level and noise
    once per entity. Kind ``log_student_t``: everything once.
    """
    n_channels = len(metadata["channels"])
    n_terms = len(describe_terms(metadata))
    if metadata["model_kind"] == ModelKind.LOG_STUDENT_T:
        return n_channels + n_terms + 4
    shapes = sum(_n_shape_parameters(channel) for channel in metadata["channels"])
    tails = int(metadata["likelihood"] == Likelihood.STUDENT_T)
    return shapes + n_entities * (n_channels + n_terms + 2) + tails


def _n_shape_parameters(channel: Mapping[str, Any]) -> int:
    adstock = AdstockSpec.model_validate(channel["adstock"])
    saturation = SaturationSpec.model_validate(channel["saturation"])
    return len(ADSTOCK_PARAMETERS[adstock.kind]) + len(SATURATION_PARAMETERS[saturation.kind])
