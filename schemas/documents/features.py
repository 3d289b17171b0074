"""``feature_metadata.json`` and ``feature_scaler.json``: what a model needs beside its draws."""

from datetime import date
from enum import StrEnum

from pydantic import Field, JsonValue

from schemas.documents.base import (
    Count,
    Document,
    InputAmount,
    Number,
    Part,
    PeriodPosition,
    Periods,
    Share,
    UnitValue,
    is_absent,
    stated,
)
from schemas.spec.baseline import ControlSpec, TrendKind, TrendSpec
from schemas.spec.channels import AdstockSpec, ChannelKind, ChannelPrior, SaturationSpec
from schemas.spec.fixed_transforms import FeatureConfig
from schemas.spec.kpi import KpiKind
from schemas.spec.lift_tests import LiftTest
from schemas.spec.model import Likelihood
from schemas.spec.planned import PlannedPeriod
from schemas.spec.ridge import Pooling
from schemas.spec.run_spec import Grain


class ChannelFeatures(Part):
    """One channel: its columns and, of kind ``mmm``, the transforms that are learned."""

    name: str = Field(description="Channel of the run spec.")
    kind: ChannelKind = Field(description="Paid, owned, or a competitor's.")
    input_column: str = Field(description="Canonical column that enters the model.")
    input_source: str | None = Field(None, description="Column of the source file behind it.")
    spend_column: str | None = Field(description="Canonical column of the money; null: none.")
    prior: ChannelPrior | None = Field(None, description="Stated prior; null: the default.")
    adstock: AdstockSpec | None = Field(
        None, exclude_if=is_absent, description="Learned carryover; kind mmm."
    )
    saturation: SaturationSpec | None = Field(
        None, exclude_if=is_absent, description="Learned saturation; kind mmm."
    )

    @property
    def learned_adstock(self) -> AdstockSpec:
        """Carryover of kind ``mmm``."""
        return stated(self.adstock, f"adstock of channel {self.name!r}")

    @property
    def learned_saturation(self) -> SaturationSpec:
        """Saturation of kind ``mmm``."""
        return stated(self.saturation, f"saturation of channel {self.name!r}")


class ControlFeatures(ControlSpec):
    """One control: what the spec says of it, and its column."""

    column: str = Field(description="Canonical column.")


class FittedTrend(TrendSpec):
    """A trend with what the fitted window decides; positions are in periods since its start."""

    knots: list[PeriodPosition] | None = Field(
        None, exclude_if=is_absent, description="Where the line bends; piecewise."
    )
    hinge_mean: list[PeriodPosition] | None = Field(
        None, exclude_if=is_absent, description="Mean of each hinge over the fit; piecewise."
    )
    hinge_std: list[PeriodPosition] | None = Field(
        None, exclude_if=is_absent, description="Standard deviation of each hinge; piecewise."
    )
    centre: PeriodPosition | None = Field(
        None, exclude_if=is_absent, description="Middle of the fitted window; gp."
    )
    boundary: PeriodPosition | None = Field(
        None, exclude_if=is_absent, description="Half width of the curve's domain; gp."
    )

    @property
    def has_line(self) -> bool:
        """Whether a straight line is part of the trend."""
        return self.kind in (TrendKind.LINEAR, TrendKind.PIECEWISE)

    @property
    def domain(self) -> tuple[float, float]:
        """Centre and half width of the smooth curve's domain, in periods."""
        return stated(self.centre, "trend.centre"), stated(self.boundary, "trend.boundary")


class EventUnit(StrEnum):
    """What a period's number is: the share of its days that belong to the event, or their count."""

    SHARE = "share"
    COUNT = "count"


class EventDays(Part):
    """One event by its days."""

    name: str = Field(description="Term of the model.")
    unit: EventUnit = Field(description="What a period's number is.")
    dates: list[date] = Field(description="Days of the event, ascending, each once.")
    known_until: date | None = Field(
        description="Last day that the dates speak about; null: they are all there are."
    )


class StatedShares(Part):
    """Priors on contribution share, one number per channel: log-normal where one was stated."""

    log_median: list[Number] = Field(
        description="Logarithm of the median share; of a gamma its location."
    )
    spread: list[Number] = Field(
        description="Standard deviation of the logarithm; of a gamma its shape."
    )
    is_gamma: list[bool] = Field([], description="No prior was stated; none listed: all were.")
    follows: list[bool] = Field(
        [], description="Shares that are in units of the common return; none listed: no one is."
    )
    pressure: list[list[Number]] = Field(
        [],
        description="By channel and entity, added to the first number where entities are not "
        "pooled; none listed: they are.",
    )


class FeatureSettings(Document):
    """What the run spec and the columns decide, before any row is read."""

    dataset_id: str = Field(description="Dataset of the run spec.")
    snapshot_id: str = Field(description="Data the features were built from.")
    grain: Grain = Field(description="Length of a period.")
    model_kind: str = Field(description="Kind of model that is fitted.")
    kpi_column: str = Field(description="Canonical column of the KPI.")
    kpi_kind: KpiKind = Field(description="Revenue, or a count.")
    unit_value_column: str | None = Field(
        None, description="Column with the money that a KPI unit stands for; null: a fixed number."
    )
    unit_value: UnitValue = Field(1.0, description="That number, where it is fixed.")
    has_unit_value: bool = Field(description="The spec says what a KPI unit is worth in money.")
    channels: list[ChannelFeatures] = Field(description="In the order of the panel.")
    channel_columns: list[str] = Field(description="Input column of every channel.")
    controls: list[ControlFeatures] = Field(description="In the order of the panel.")
    control_columns: list[str] = Field(description="Column of every control.")
    input_columns: list[str] = Field(description="Columns that a prediction needs.")
    harmonics: Count = Field(description="Pairs of yearly Fourier terms.")
    trend: TrendSpec = Field(description="The trend, with what the fitted window decides.")
    events: list[EventDays] = Field([], description="Stated events, then public holidays.")
    feature_config: FeatureConfig | None = Field(
        None, exclude_if=is_absent, description="Fixed transforms; kind log_student_t."
    )
    likelihood: Likelihood | None = Field(
        None, exclude_if=is_absent, description="Observation noise; kind mmm."
    )
    non_negative_baseline: bool | None = Field(
        None, exclude_if=is_absent, description="Baseline is held at zero or above; kind mmm."
    )
    time_varying_media: bool | None = Field(
        None, exclude_if=is_absent, description="Media vary over time together; kind mmm."
    )
    autocorrelated_noise: bool | None = Field(
        None, exclude_if=is_absent, description="Noise lasts from period to period; kind mmm."
    )
    media_before: bool | None = Field(
        None,
        exclude_if=is_absent,
        description="Before the first period media ran as in the first ones; absent: nothing did.",
    )
    transform: str | None = Field(
        None,
        exclude_if=is_absent,
        description="Class in place of carryover and saturation; kind mmm.",
    )
    pooling: Pooling | None = Field(
        None,
        exclude_if=is_absent,
        description="Of entities; absent: the kind's default. Kinds mmm, log_student_t.",
    )
    media_share: Share | None = Field(
        None, exclude_if=is_absent, description="Prior median of all channels; kind mmm."
    )
    share_spread: Number | None = Field(
        None, exclude_if=is_absent, description="Spread of default share priors; kind mmm."
    )
    lift_tests: list[LiftTest] | None = Field(
        None, exclude_if=is_absent, description="Experiments of the spec; kind mmm."
    )

    kind_settings: dict[str, JsonValue] | None = Field(
        None, exclude_if=is_absent, description="Further settings that only the kind itself reads."
    )

    @property
    def in_money(self) -> bool:
        """Whether KPI units can be counted in money."""
        return self.kpi_kind is KpiKind.REVENUE or self.has_unit_value

    @property
    def channel_names(self) -> list[str]:
        """Names of the channels in the order of the panel."""
        return [channel.name for channel in self.channels]

    @property
    def fixed_transforms(self) -> FeatureConfig:
        """Fixed transforms of kind ``log_student_t``."""
        return stated(self.feature_config, "feature_config")


class FeatureMetadata(FeatureSettings):
    """``feature_metadata.json``: the settings, with what the rows decide about them."""

    first_period: date = Field(description="First period of the panel; trends count from it.")
    estimation_start: date = Field(description="First fitted period.")
    estimation_end: date = Field(description="Last fitted period.")
    n_estimation_periods: Periods = Field(ge=1, description="Fitted periods.")
    n_carryover_periods: Periods = Field(
        ge=0, description="Periods before the first fitted one, for carryover alone."
    )
    entities: list[str] = Field(description="In the order of the panel.")
    is_ragged: bool = Field(
        False, description="An entity opened later, or closed earlier, than another."
    )
    has_negative_kpi: bool = Field(
        False,
        description="The KPI is negative in a fitted period; shares are then of its size, the sum "
        "of its absolute values.",
    )
    trend: FittedTrend = Field(description="The trend, with what the fitted window decides.")
    media_curve: FittedTrend | None = Field(
        None, description="How all media rise and fall together; null: they do not."
    )
    n_parameters: Count = Field(0, ge=0, description="Free parameters of the model.")
    share_priors: StatedShares | None = Field(
        None, exclude_if=is_absent, description="Priors on shares as they are used; kind mmm."
    )
    stated_shares: dict[str, Number] | None = Field(
        None,
        exclude_if=is_absent,
        description="Median share of the KPI that the spec states for channels; kind mmm.",
    )
    idle_controls: list[str] | None = Field(
        None,
        exclude_if=is_absent,
        description="Source columns of controls left out because they never change.",
    )
    planned: list[PlannedPeriod] | None = Field(
        None,
        exclude_if=is_absent,
        description="Coming periods as rows of the file plan them; what `planned` of the run spec "
        "states comes before.",
    )
    file: str = Field("", description="Name of the input file.")


class Scale(Part):
    """One array with its labelled axes."""

    dims: list[str] = Field(description="Names of the axes; none for a single number.")
    data: InputAmount | list[InputAmount] | list[list[InputAmount]] = Field(
        description="Numbers, nested as the axes are."
    )


class FeatureScaler(Document):
    """``feature_scaler.json``: what inputs and KPI are divided by, fixed at the fit."""

    coords: dict[str, list[str]] = Field(description="Labels of every axis.")
    scales: dict[str, Scale] = Field(
        description="media_scale, kpi_scale, control_mean, control_std, control_reference, "
        "trend_mean, trend_std."
    )
