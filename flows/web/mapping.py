"""What each column of a file is, as a run spec says it, and a run spec from what a person says.

Channels and controls that a person keeps hold on to what else the spec says of them, such as a
prior; all other keys of the spec stay as they are.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from schemas.answers.datasets import ColumnUse
from schemas.errors import SpecError
from schemas.names import ACTIVITY_PREFIX, ENTITY_COLUMN, PERIOD_COLUMN, SPEND_PREFIX
from schemas.spec.errors import parse_run_spec
from schemas.spec.roles import ColumnRoles, resolve_roles
from schemas.spec.spelling import strip_prefix

USE_WORDS = {
    ColumnUse.IGNORED: "ignored",
    ColumnUse.PERIOD: "date of the period",
    ColumnUse.ENTITY: "market (entity)",
    ColumnUse.KPI: "KPI",
    ColumnUse.UNIT_VALUE: "money per unit of the KPI",
    ColumnUse.SPEND: "spend of a channel",
    ColumnUse.ACTIVITY: "activity of a channel",
    ColumnUse.CONTROL: "control",
}
"""What a column can be, in the order of the form."""
_MEDIA = {ColumnUse.SPEND: "spend", ColumnUse.ACTIVITY: "activity"}
_ONCE = (ColumnUse.PERIOD, ColumnUse.ENTITY, ColumnUse.KPI, ColumnUse.UNIT_VALUE)


@dataclass(frozen=True)
class ColumnRole:
    """One column and what it is."""

    column: str
    use: ColumnUse
    channel: str = ""
    """Channel that a spend or an activity is of."""


def read_roles(document: Mapping[str, Any], columns: Sequence[str]) -> list[ColumnRole]:
    """Return what a refit with a run spec takes the columns for.

    Parameters
    ----------
    document
        The run spec.
    columns
        Header of the file.

    Raises
    ------
    SpecError
        If the spec names columns that the file lacks, or cannot be used.
    """
    found = _named(resolve_roles(parse_run_spec(document), columns))
    return [found.get(name, ColumnRole(name, ColumnUse.IGNORED)) for name in columns]


def apply_roles(document: Mapping[str, Any], roles: Sequence[ColumnRole]) -> dict[str, Any]:
    """Return a run spec that says of every column what a person said.

    Parameters
    ----------
    document
        The run spec before.
    roles
        One per column of the file.

    Returns
    -------
    dict
        The run spec, as JSON would hold it.

    Raises
    ------
    SpecError
        With every fault: a role that two columns have, a channel without a name.
    """
    _require_sense(roles)
    single = {role.use: role.column for role in roles if role.use in _ONCE}
    keys = {ColumnUse.PERIOD: PERIOD_COLUMN, ColumnUse.ENTITY: ENTITY_COLUMN}
    kept = {k: v for k, v in document.items() if k not in {"columns", "drivers", "channels"}}
    kpi = {k: v for k, v in (document.get("kpi") or {}).items() if k != "value_per_unit"}
    value = single.get(ColumnUse.UNIT_VALUE, (document.get("kpi") or {}).get("value_per_unit"))
    if isinstance(value, str) and value != single.get(ColumnUse.UNIT_VALUE):
        value = None
    if value is not None:
        kpi["value_per_unit"] = value
    changed = {
        **kept,
        "columns": {key: single[use] for use, key in keys.items() if use in single},
        "target_col": single[ColumnUse.KPI],
        "kpi": kpi,
        "channels": _channels(document, roles),
        "controls": _controls(document, roles),
    }
    return {key: value for key, value in changed.items() if value != {} or key in document}


def _named(roles: ColumnRoles) -> dict[str, ColumnRole]:
    single = {
        ColumnUse.PERIOD: roles.period, ColumnUse.ENTITY: roles.entity,
        ColumnUse.KPI: roles.kpi, ColumnUse.UNIT_VALUE: roles.unit_value,
    }  # fmt: skip
    found = [ColumnRole(column, use) for use, column in single.items() if column]
    for channel in roles.channels:
        pair = ((channel.activity, ColumnUse.ACTIVITY), (channel.spend, ColumnUse.SPEND))
        found += [ColumnRole(column, use, channel.name) for column, use in pair if column]
    found += [ColumnRole(control.source, ColumnUse.CONTROL) for control in roles.controls]
    return {role.column: role for role in found}


def _require_sense(roles: Sequence[ColumnRole]) -> None:
    problems = [*_faults_of_keys(roles), *_faults_of_media(roles)]
    if problems:
        listing = "\n".join(f"- {problem}" for problem in problems)
        raise SpecError(f"The columns cannot be used so:\n{listing}", problems)


def _faults_of_keys(roles: Sequence[ColumnRole]) -> Iterator[str]:
    for use in _ONCE:
        columns = [role.column for role in roles if role.use is use]
        if len(columns) > 1:
            listed = " and ".join(map(repr, columns))
            yield f"{USE_WORDS[use]}: {listed} cannot both be it; keep one."
        if not columns and use in {ColumnUse.PERIOD, ColumnUse.KPI}:
            yield f"{USE_WORDS[use]}: choose the column that it is."


def _faults_of_media(roles: Sequence[ColumnRole]) -> Iterator[str]:
    media = [role for role in roles if role.use in _MEDIA]
    for role in media:
        if not role.channel:
            yield f"column {role.column!r}: name the channel that it is {role.use} of."
    named = [(role.channel, role.use) for role in media if role.channel]
    for channel, use in dict.fromkeys(named):
        if named.count((channel, use)) > 1:
            yield f"channel {channel!r} has its {use} in two columns; keep one."
    if not media:
        yield "channels: no column is spend or activity of one; choose at least one."


def _channels(document: Mapping[str, Any], roles: Sequence[ColumnRole]) -> list[dict[str, Any]]:
    before = {
        each["name"]: each
        for each in document.get("channels") or []
        if isinstance(each, dict) and "name" in each
    }
    columns: dict[str, dict[str, str]] = {}
    for role in roles:
        if role.use in _MEDIA:
            columns.setdefault(role.channel, {})[_MEDIA[role.use]] = role.column
    return [
        {"name": name, **_without(before.get(name, {}), {"name", *_MEDIA.values()}), **found}
        for name, found in columns.items()
    ]


def _controls(document: Mapping[str, Any], roles: Sequence[ColumnRole]) -> list[Any]:
    before = {
        each["name"]: each
        for each in document.get("controls") or []
        if isinstance(each, dict) and "name" in each
    }
    return [before.get(r.column, r.column) for r in roles if r.use is ColumnUse.CONTROL]


def _without(given: Mapping[str, Any], names: set[str]) -> dict[str, Any]:
    return {key: value for key, value in given.items() if key not in names}


def propose_channel(column: str) -> str:
    """Return the channel that a column would be of by its name."""
    return strip_prefix(strip_prefix(column, ACTIVITY_PREFIX), SPEND_PREFIX)
