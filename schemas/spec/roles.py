"""Which source column plays which role, resolved once from the run spec and a file's header."""

from collections.abc import Collection, Sequence

from pydantic import BaseModel, ConfigDict, Field

from schemas.errors import SpecError
from schemas.names import (
    ACTIVITY_PREFIX,
    CONTROL_PREFIX,
    ENTITY_COLUMN,
    PERIOD_COLUMN,
    SPEND_PREFIX,
)
from schemas.spec.baseline import ControlReference, ControlSign, ControlSpec
from schemas.spec.channels import (
    AdstockSpec,
    ChannelKind,
    ChannelPrior,
    ChannelSpec,
    SaturationSpec,
)
from schemas.spec.name_rule import KEPT_FOR_COMPONENTS, name_fault
from schemas.spec.run_spec import RunSpec
from schemas.spec.spelling import (
    column_key,
    find_column,
    has_prefix,
    point_to,
    split_prefix,
    strip_prefix,
)

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
    def source_columns(self) -> tuple[str, ...]:
        """Source columns, activity first."""
        return tuple(c for c in (self.activity, self.spend) if c)

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
    reference: ControlReference | float | None = Field(
        None, exclude_if=lambda reference: reference is None
    )

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
        value = {UNIT_VALUE_COLUMN: self.unit_value} if self.unit_value else {}
        controls = {control.column: control.source for control in self.controls}
        return {self.kpi_name: self.kpi, **value, **self.media_sources(), **controls}

    def media_sources(self) -> dict[str, str]:
        """Return ``{canonical column: source column}`` of what channels did and cost."""
        channels = self.channels
        pairs = [((c.activity_column, c.activity), (c.spend_column, c.spend)) for c in channels]
        return {column: source for pair in pairs for column, source in pair if column and source}


def resolve_roles(
    spec: RunSpec, columns: Sequence[str], stored: Collection[str] = ()
) -> ColumnRoles:
    """Resolve roles by the spec's names, else by prefix; case, blanks and ``-`` for ``_`` aside.

    What is found by prefix comes in alphabetical order, not in that of the header: the order
    decides the draws, and a snapshot must give the same draws whatever file it came from.

    Parameters
    ----------
    spec
        The run spec.
    columns
        Header of the source file.
    stored
        Names of channels and controls that the dataset has already: they keep their spelling.

    Raises
    ------
    SpecError
        Listing every named column the file lacks, with the nearest one it has; or when no channel
        can be found.
    """
    channels = _channels(spec, columns, stored)
    controls = spec.controls
    if controls is None:
        found = sorted(c for c in columns if has_prefix(c, CONTROL_PREFIX))
        controls = [ControlSpec(name=c) for c in found]
    unit_value = spec.kpi.value_per_unit if isinstance(spec.kpi.value_per_unit, str) else None
    roles = ColumnRoles(
        entity=_entity(spec, columns),
        period=find_column(spec.columns.get(PERIOD_COLUMN, PERIOD_COLUMN), columns),
        kpi=find_column(spec.target_col, columns),
        kpi_name=spec.kpi_name,
        unit_value=find_column(unit_value, columns) if unit_value else None,
        channels=channels,
        controls=[_control_role(control, columns, stored) for control in controls],
    )
    _require_present(roles, columns)
    _require_known_decays(spec, roles)
    return roles


def _entity(spec: RunSpec, columns: Sequence[str]) -> str | None:
    named = spec.columns.get(ENTITY_COLUMN)
    if named:
        return find_column(named, columns)
    found = find_column(ENTITY_COLUMN, columns)
    return found if found in columns else None


def _channels(spec: RunSpec, columns: Sequence[str], stored: Collection[str]) -> list[ChannelRole]:
    if spec.channels is not None:
        return [_role_of(channel, columns) for channel in spec.channels]
    drivers = None if spec.drivers is None else [find_column(d, columns) for d in spec.drivers]
    if drivers is None:
        drivers = [c for c in columns if has_prefix(c, ACTIVITY_PREFIX)]
        known = {column_key(strip_prefix(d, ACTIVITY_PREFIX)) for d in drivers}
        drivers += [
            c
            for c in columns
            if has_prefix(c, SPEND_PREFIX)
            and column_key(strip_prefix(c, SPEND_PREFIX)) not in known
        ]
        drivers.sort(key=lambda driver: (split_prefix(driver) or ("", driver))[1])
    return [_driver_role(driver, columns, stored) for driver in drivers]


def _role_of(channel: ChannelSpec, columns: Sequence[str]) -> ChannelRole:
    return ChannelRole(
        name=channel.name,
        kind=channel.kind,
        activity=find_column(channel.activity, columns) if channel.activity else None,
        spend=find_column(channel.spend, columns) if channel.spend else None,
        prior=channel.prior,
        adstock=channel.adstock,
        saturation=channel.saturation,
    )


def _control_role(
    control: ControlSpec, columns: Sequence[str], stored: Collection[str]
) -> ControlRole:
    return ControlRole(
        name=_known_name(strip_prefix(control.name, CONTROL_PREFIX), stored),
        source=find_column(control.name, columns),
        **control.model_dump(include={"sign", "decay", "max_lag", "reference"}),
    )


def _driver_role(driver: str, columns: Sequence[str], stored: Collection[str]) -> ChannelRole:
    if has_prefix(driver, SPEND_PREFIX):
        name = _known_name(strip_prefix(driver, SPEND_PREFIX), stored)
        return ChannelRole(name=name, kind=ChannelKind.PAID, activity=None, spend=driver)
    name = strip_prefix(driver, ACTIVITY_PREFIX)
    spend = find_column(f"{SPEND_PREFIX}{name}", columns)
    return ChannelRole(
        name=_known_name(name, stored),
        kind=ChannelKind.PAID,
        activity=driver,
        spend=spend if spend in columns else None,
    )


def _known_name(name: str, stored: Collection[str]) -> str:
    """Return a name as the dataset spells it, where it has it in another case or with blanks."""
    if name in stored:
        return name
    return next((s for s in sorted(stored) if column_key(s) == column_key(name)), name)


def _require_present(roles: ColumnRoles, columns: Sequence[str]) -> None:
    wanted = {"period_start": roles.period, "target_col": roles.kpi}
    if roles.entity:
        wanted["entity_id"] = roles.entity
    if roles.unit_value:
        wanted["kpi.value_per_unit"] = roles.unit_value
    for channel in roles.channels:
        columns_of = (("activity", channel.activity), ("spend", channel.spend))
        wanted |= {f"channel {channel.name!r} {what}": c for what, c in columns_of if c}
    wanted |= {f"control {c.name!r}": c.source for c in roles.controls}
    problems = _clashes(roles)
    problems += [
        f"{role}: the file has no column {column!r}; {point_to(role, column, columns)}"
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
            f"{point_to('', name, sorted(known))}"
            for name in unknown
        ]
        raise SpecError("The spec contradicts itself:\n- " + "\n- ".join(problems), problems)


def _clashes(roles: ColumnRoles) -> list[str]:
    """One name for two things, or one column in two roles."""
    channels = {c.source_columns: column_key(c.name) for c in roles.channels}
    controls = {(c.source,): column_key(c.name) for c in roles.controls}
    problems = []
    for what, named in (("channel", channels), ("control", controls)):
        keys = list(named.values())
        for key in dict.fromkeys(k for k in keys if keys.count(k) > 1):
            alike = [repr(c) for columns, k in named.items() if k == key for c in columns]
            problems.append(
                f"{what} {key!r} stands for two columns ({' and '.join(alike)}); name them apart, "
                "or leave one out"
            )
    inputs = [c.activity or c.spend for c in roles.channels] + [c.source for c in roles.controls]
    problems += [
        f"column {column!r} is named as two inputs; a model cannot tell them apart"
        for column in dict.fromkeys(c for c in inputs if inputs.count(c) > 1)
    ]
    shared = [n for n in dict.fromkeys(channels.values()) if n in controls.values()]
    problems += [f"{name!r} names a channel and a control; name them apart" for name in shared]
    given = [("channel", c.name) for c in roles.channels]
    given += [("control", c.name) for c in roles.controls]
    for what, name in [*given, ("KPI", roles.kpi_name)]:
        fault = name_fault(name, kept=() if what == "KPI" else KEPT_FOR_COMPONENTS)
        problems += [f"{what} {name!r} {fault}"] if fault else []
    if roles.kpi in inputs:
        problems.append(f"column {roles.kpi!r} is the KPI; it cannot also explain itself")
    return problems
