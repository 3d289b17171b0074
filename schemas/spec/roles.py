"""Which source column plays which role, resolved once from the run spec and a file's header."""

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict, Field

from schemas.errors import SpecError
from schemas.hints import suggest
from schemas.names import (
    ACTIVITY_PREFIX,
    CONTROL_PREFIX,
    ENTITY_COLUMN,
    PERIOD_COLUMN,
    SPEND_PREFIX,
)
from schemas.spec.baseline import ControlSign, ControlSpec
from schemas.spec.channels import (
    AdstockSpec,
    ChannelKind,
    ChannelPrior,
    ChannelSpec,
    SaturationSpec,
)
from schemas.spec.run_spec import RunSpec

UNIT_VALUE_COLUMN = "value_per_unit"
"""Canonical column of a KPI's value per unit, where the spec names a source column for it."""


class ChannelRole(BaseModel):
    """One channel with its source columns."""

    model_config = ConfigDict(frozen=True)

    name: str
    kind: ChannelKind
    activity: str | None
    spend: str | None
    prior: ChannelPrior | None = None
    adstock: AdstockSpec | None = None
    saturation: SaturationSpec | None = None

    @property
    def activity_column(self) -> str | None:
        """Canonical column of the activity."""
        return f"{ACTIVITY_PREFIX}{self.name}" if self.activity else None

    @property
    def spend_column(self) -> str | None:
        """Canonical column of the spend."""
        return f"{SPEND_PREFIX}{self.name}" if self.spend else None

    @property
    def input_column(self) -> str:
        """Canonical column that enters the model: activity when given, else spend."""
        column = self.activity_column or self.spend_column
        if column is None:
            raise SpecError(f"channel {self.name!r} has neither activity nor spend")
        return column


class ControlRole(BaseModel):
    """One control with its source column and what the spec says of its effect."""

    model_config = ConfigDict(frozen=True)

    name: str
    source: str = Field(description="Source column.")
    sign: ControlSign = ControlSign.ANY
    decay: float = 0.0
    max_lag: int = 8

    @property
    def column(self) -> str:
        """Canonical column of the control."""
        return f"{CONTROL_PREFIX}{self.name}"


class ColumnRoles(BaseModel):
    """All roles of one dataset; ``entity`` is None for a single-entity file."""

    model_config = ConfigDict(frozen=True)

    entity: str | None = Field(description="Source column; null: one entity.")
    period: str = Field(description="Source column of the period starts.")
    kpi: str = Field(description="Source column of the KPI.")
    kpi_name: str = Field(description="Canonical column of the KPI.")
    unit_value: str | None = Field(description="Source column of a KPI unit's value in money.")
    channels: list[ChannelRole]
    controls: list[ControlRole]

    def numeric_sources(self) -> dict[str, str]:
        """Return ``{canonical column: source column}`` for every number, in canonical order."""
        numbers = {self.kpi_name: self.kpi}
        if self.unit_value:
            numbers[UNIT_VALUE_COLUMN] = self.unit_value
        for channel in self.channels:
            if channel.activity_column and channel.activity:
                numbers[channel.activity_column] = channel.activity
            if channel.spend_column and channel.spend:
                numbers[channel.spend_column] = channel.spend
        numbers |= {control.column: control.source for control in self.controls}
        return numbers


def resolve_roles(spec: RunSpec, columns: Sequence[str]) -> ColumnRoles:
    """Resolve roles by the spec's names, else by prefix.

    What is found by prefix comes in alphabetical order, not in that of the header: the order
    decides the draws, and a snapshot must give the same draws whatever file it came from.

    Parameters
    ----------
    spec
        The run spec.
    columns
        Header of the source file.

    Raises
    ------
    SpecError
        Listing every named column the file lacks, with the nearest one it has; or when no channel
        can be found.
    """
    period = spec.columns.get(PERIOD_COLUMN, PERIOD_COLUMN)
    entity = spec.columns.get(ENTITY_COLUMN) or (
        ENTITY_COLUMN if ENTITY_COLUMN in columns else None
    )
    channels = _channels(spec, columns)
    controls = spec.controls
    if controls is None:
        controls = [ControlSpec(name=c) for c in sorted(columns) if c.startswith(CONTROL_PREFIX)]
    unit_value = spec.kpi.value_per_unit if isinstance(spec.kpi.value_per_unit, str) else None
    roles = ColumnRoles(
        entity=entity,
        period=period,
        kpi=spec.target_col,
        kpi_name=spec.kpi_name,
        unit_value=unit_value,
        channels=channels,
        controls=[_control_role(control) for control in controls],
    )
    _require_present(roles, columns)
    _require_known_decays(spec, roles)
    return roles


def _channels(spec: RunSpec, columns: Sequence[str]) -> list[ChannelRole]:
    if spec.channels is not None:
        return [_role_of(channel) for channel in spec.channels]
    drivers = spec.drivers
    if drivers is None:
        drivers = [c for c in columns if c.startswith(ACTIVITY_PREFIX)]
        known = {d.removeprefix(ACTIVITY_PREFIX) for d in drivers}
        drivers += [
            c
            for c in columns
            if c.startswith(SPEND_PREFIX) and c.removeprefix(SPEND_PREFIX) not in known
        ]
        drivers.sort(key=lambda driver: driver.partition("_")[2])
    return [_driver_role(driver, columns) for driver in drivers]


def _role_of(channel: ChannelSpec) -> ChannelRole:
    return ChannelRole(
        name=channel.name,
        kind=channel.kind,
        activity=channel.activity,
        spend=channel.spend,
        prior=channel.prior,
        adstock=channel.adstock,
        saturation=channel.saturation,
    )


def _control_role(control: ControlSpec) -> ControlRole:
    return ControlRole(
        name=control.name.removeprefix(CONTROL_PREFIX) or control.name,
        source=control.name,
        **control.model_dump(include={"sign", "decay", "max_lag"}),
    )


def _driver_role(driver: str, columns: Sequence[str]) -> ChannelRole:
    if driver.startswith(SPEND_PREFIX):
        name = driver.removeprefix(SPEND_PREFIX)
        return ChannelRole(name=name, kind=ChannelKind.PAID, activity=None, spend=driver)
    name = driver.removeprefix(ACTIVITY_PREFIX)
    spend = f"{SPEND_PREFIX}{name}"
    return ChannelRole(
        name=name,
        kind=ChannelKind.PAID,
        activity=driver,
        spend=spend if spend in columns else None,
    )


def _require_present(roles: ColumnRoles, columns: Sequence[str]) -> None:
    wanted = {"period_start": roles.period, "target_col": roles.kpi}
    if roles.entity:
        wanted["entity_id"] = roles.entity
    if roles.unit_value:
        wanted["kpi.value_per_unit"] = roles.unit_value
    for channel in roles.channels:
        wanted |= (
            {f"channel {channel.name!r} activity": channel.activity} if channel.activity else {}
        )
        wanted |= {f"channel {channel.name!r} spend": channel.spend} if channel.spend else {}
    wanted |= {f"control {c.name!r}": c.source for c in roles.controls}
    problems = _clashes(roles)
    problems += [
        f"{role}: the file has no column {column!r}; {_nearest(column, columns)}"
        for role, column in wanted.items()
        if column not in columns
    ]
    if not roles.channels:
        problems.append(
            "no channel: name drivers or channels in the spec, or prefix columns with "
            f"{ACTIVITY_PREFIX} or {SPEND_PREFIX}"
        )
    if problems:
        raise SpecError(
            "The spec and the file do not fit:\n" + "\n".join(f"- {p}" for p in problems), problems
        )


def _require_known_decays(spec: RunSpec, roles: ColumnRoles) -> None:
    known = {n for c in roles.channels for n in (c.name, c.activity, c.spend) if n}
    unknown = [n for n in spec.features.adstock.per_channel if n not in known]
    if unknown:
        problems = [
            f"feature_config.adstock.per_channel: no channel {name!r}; "
            f"{_nearest(name, sorted(known))}"
            for name in unknown
        ]
        raise SpecError("The spec contradicts itself:\n- " + "\n- ".join(problems), problems)


def _clashes(roles: ColumnRoles) -> list[str]:
    """One name for two things, or one column in two roles."""
    channels = [channel.name for channel in roles.channels]
    controls = [control.name for control in roles.controls]
    problems = [
        f"{what} {name!r} stands for two columns; name them apart"
        for what, names in (("channel", channels), ("control", controls))
        for name in dict.fromkeys(n for n in names if names.count(n) > 1)
    ]
    inputs = [c.activity or c.spend for c in roles.channels] + [c.source for c in roles.controls]
    problems += [
        f"column {column!r} is named as two inputs; a model cannot tell them apart"
        for column in dict.fromkeys(c for c in inputs if inputs.count(c) > 1)
    ]
    if roles.kpi in inputs:
        problems.append(f"column {roles.kpi!r} is the KPI; it cannot also explain itself")
    return problems


def _nearest(column: str, columns: Sequence[str]) -> str:
    return suggest(column, columns, f"it has: {', '.join(list(columns)[:20])}")
