"""The run spec: everything one refit needs to know, frozen and bounded.

One model for JSON and YAML. Unknown keys are errors with a hint (``schemas.spec.errors``).
"""

from typing import Annotated, Any, Self

from pydantic import AliasChoices, BeforeValidator, Field, model_validator

from schemas.names import DEFAULT_KPI_COLUMN, ENTITY_COLUMN, PERIOD_COLUMN
from schemas.spec.base import Choice, SpecModel
from schemas.spec.baseline import (
    Control,
    ControlSign,
    TrendKind,
    refuse_repeats,
)
from schemas.spec.channels import ChannelSpec, PriorQuantity
from schemas.spec.explain import ExplainSpec
from schemas.spec.fixed_transforms import FeatureConfig
from schemas.spec.gates import GateSettings
from schemas.spec.kinds import (
    KindKey,
    ModelKind,
    backend_refusal,
    own_defaults,
    refusals,
)
from schemas.spec.kpi import KpiKind, KpiSpec
from schemas.spec.lift_tests import LiftTest, distinct_rows
from schemas.spec.model import ModelSpec
from schemas.spec.optimizer import GroupBounds, OptimizerSpec
from schemas.spec.planned import PlannedPeriod, distinct_periods
from schemas.spec.retention import RetentionSpec
from schemas.spec.sampler import SamplerSpec


class Grain(Choice):
    """Length of a period."""

    WEEK = "WEEK"
    MONTH = "MONTH"

    @property
    def periods_per_month(self) -> float:
        """Periods in one calendar month, for turning window months into periods."""
        return 52 / 12 if self is Grain.WEEK else 1.0

    @property
    def word(self) -> str:
        """What one period is called in a sentence."""
        return "week" if self is Grain.WEEK else "month"


class Level(Choice):
    """Keep the panel of entities, or sum it to one brand."""

    ENTITY = "entity"
    BRAND = "brand"


class Windows(SpecModel):
    """``carryover_months`` warm the adstock up before the ``estimation_months`` that are fitted."""

    carryover_months: int = Field(0, ge=0, le=120, description="Months that warm adstock up.")
    estimation_months: int = Field(ge=1, le=240, description="Last months, which are fitted.")


_MODEL_KEYS = (
    KindKey.EVENTS,
    KindKey.HOLIDAYS,
    KindKey.LIKELIHOOD,
    KindKey.NON_NEGATIVE_BASELINE,
    KindKey.TIME_VARYING_MEDIA,
    KindKey.TRANSFORM,
    KindKey.POOLING,
    KindKey.RIDGE,
    KindKey.CAUSAL_GRU,
)
"""Keys of ``model`` that not every kind understands."""
_SAMPLER_SHORTCUTS = ("draws", "tune", "chains", "target_accept", "random_seed")


def _known_key_columns(columns: Any) -> Any:
    if isinstance(columns, dict):
        unknown = set(columns) - {ENTITY_COLUMN, PERIOD_COLUMN}
        if unknown:
            raise ValueError(
                f"columns maps the key columns {ENTITY_COLUMN} and {PERIOD_COLUMN} only, got "
                f"{', '.join(sorted(map(str, unknown)))}; name other columns in target_col, "
                "drivers, controls or channels"
            )
    return columns


class RunSpec(SpecModel):
    """One refit of one dataset."""

    dataset_id: str = Field(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$",
        description="Name of the dataset: letters, digits, `_`, `.`, `-`; at most 64.",
    )
    data: str | None = Field(
        None,
        description="Input file, relative to the spec, beside or below it or under a root that "
        "SECURITY.md names; `--data` overrides it.",
    )
    sheet: str | None = Field(None, description="Excel sheet; default: the first.")
    columns: Annotated[dict[str, str], BeforeValidator(_known_key_columns)] = Field(
        {}, description="Key columns by canonical name: `{entity_id: geo, period_start: date}`."
    )
    date_format: str | None = Field(
        None, description="Format of dates that are not ISO, such as `%d/%m/%Y`."
    )
    decimal: str = Field(
        ".", pattern=r"^[.,]$", description="Decimal mark in text files: `.` or `,`."
    )
    grain: Grain | None = Field(None, description="`WEEK` or `MONTH`; default: by the dates.")
    level: Level | None = Field(
        None,
        validation_alias=AliasChoices("level", "aggregation"),
        description="`entity` keeps the panel, `brand` sums it; default: `brand` with "
        "`feature_config`, else `entity`. `aggregation` is another name of it.",
    )
    target_col: str = Field(DEFAULT_KPI_COLUMN, description="Column of the KPI.")
    kpi: KpiSpec = KpiSpec()
    drivers: list[str] | None = Field(
        None, description="Short form of `channels`: a list of activity columns."
    )
    channels: list[ChannelSpec] | None = Field(
        None,
        description="Media in the long form; default: all `act_*` and `spend_*` columns, in "
        "alphabetical order.",
    )
    controls: list[Control] | None = Field(
        None,
        description="What is not media: price, promotions, weather. `controls: [price, promo]` is "
        "the short form; default: all `ctrl_*`, in alphabetical order.",
    )
    feature_config: FeatureConfig | None = Field(
        None, description="Fixed transforms; makes `log_student_t` the default kind."
    )
    windows: Windows | None = Field(None, description="Without it all periods are fitted.")
    lift_tests: Annotated[list[LiftTest], BeforeValidator(distinct_rows)] = Field(
        [], description="Experiments; or the name of a CSV file of them, relative to the spec."
    )
    planned: Annotated[list[PlannedPeriod], BeforeValidator(distinct_periods)] = Field(
        [],
        description="Spend, activity and controls of coming periods that the forecast uses; or the "
        "name of a CSV file of them, relative to the spec: the columns of the data without the "
        "KPI. Rows of the data file after its last KPI, whose own is blank, are read the same way; "
        "what is stated here comes before. What nobody states is taken as uncertain.",
    )
    model: ModelSpec = ModelSpec()
    sampler: SamplerSpec = SamplerSpec()
    gates: GateSettings = GateSettings()
    optimizer: OptimizerSpec = OptimizerSpec()
    budget_groups: list[GroupBounds] = Field([], description="Channels with a common bound.")
    explain: ExplainSpec = ExplainSpec()
    retention: RetentionSpec = RetentionSpec()

    @model_validator(mode="before")
    @classmethod
    def _fold_shortcuts(cls, raw: Any) -> Any:
        """Fold top-level sampler keys into ``sampler``; ``feature_config`` chooses the kind."""
        if not isinstance(raw, dict):
            return raw
        sampler, model = raw.get("sampler", {}), raw.get("model", {})
        if not isinstance(sampler, dict) or not isinstance(model, dict):
            return raw
        shortcuts = {key: raw[key] for key in _SAMPLER_SHORTCUTS if key in raw}
        for key in shortcuts.keys() & sampler.keys():
            if sampler[key] != shortcuts[key]:
                raise ValueError(f"{key} is given twice, at the top and in sampler; keep one")
        if raw.get("feature_config") is not None:
            model = {"kind": ModelKind.LOG_STUDENT_T.value, **model}
        defaults = own_defaults(model.get("kind"))
        sampler, model = {**defaults["sampler"], **sampler}, {**defaults["model"], **model}
        rest = {key: value for key, value in raw.items() if key not in shortcuts}
        return {**rest, "sampler": {**sampler, **shortcuts}, "model": model}

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.drivers is not None and self.channels is not None:
            raise ValueError("give drivers or channels, not both; channels is the long form")
        refuse_repeats("channel", [c.name for c in self.channels or []] or self.drivers or [])
        refuse_repeats("control", [c.name for c in self.controls or []])
        refused = refusals(self.model.kind, self._keys_of_kinds())
        backend = backend_refusal(self.model.kind, self.sampler.backend)
        if refused := [*refused, *([backend] if backend else [])]:
            raise ValueError("; ".join(refused))
        self._require_money_for_returns()
        return self

    def _require_money_for_returns(self) -> None:
        """Refuse a return of money on units that have no value in it."""
        if self.kpi.kind is KpiKind.REVENUE or self.kpi.value_per_unit is not None:
            return
        named = [
            c.name
            for c in self.channels or []
            if c.prior and c.prior.quantity is PriorQuantity.ROAS
        ]
        if named:
            raise ValueError(
                f"channels: the prior of {', '.join(map(repr, named))} is a ROAS, but kpi.kind is "
                "count and a unit has no value in money; give kpi.value_per_unit, or state the "
                "prior as quantity: share (of the KPI)"
            )

    def _keys_of_kinds(self) -> list[tuple[KindKey, str]]:
        """Keys in use that some kinds would have to ignore, and what they are called."""
        names = {key: key.removeprefix("model.") for key in _MODEL_KEYS}
        model, plain = self.model, ModelSpec()
        used = [key for key, n in names.items() if getattr(model, n) != getattr(plain, n)]
        if self.model.trend.kind in (TrendKind.PIECEWISE, TrendKind.GP):
            used.append(KindKey.BENT_TREND)
        if self.feature_config is not None:
            used.append(KindKey.FEATURE_CONFIG)
        if self.lift_tests:
            used.append(KindKey.LIFT_TESTS)
        shaped = [c.name for c in self.channels or [] if c.adstock or c.saturation]
        plain_control = (ControlSign.ANY, 0.0)
        bent = [c.name for c in self.controls or [] if (c.sign, c.decay) != plain_control]
        return [
            *((key, key.value) for key in used),
            *((KindKey.CHANNEL_TRANSFORMS, f"{KindKey.CHANNEL_TRANSFORMS} {n!r}") for n in shaped),
            *((KindKey.CONTROL_SHAPES, f"{KindKey.CONTROL_SHAPES} {n!r}") for n in bent),
        ]

    @property
    def features(self) -> FeatureConfig:
        """Fixed transforms, with defaults where the spec is silent."""
        return self.feature_config or FeatureConfig()

    @property
    def effective_level(self) -> Level:
        """``level``, or its default: brand with ``feature_config``, else entity."""
        return self.level or (Level.BRAND if self.feature_config else Level.ENTITY)

    @property
    def kpi_name(self) -> str:
        """Name of the KPI in tables and reports."""
        return self.kpi.name or self.target_col
