"""Roles of a dataset without a file: what the warehouse holds, reported as a file's header."""

from collections.abc import Set

from schemas.names import (
    ACTIVITY_PREFIX,
    CONTROL_PREFIX,
    ENTITY_COLUMN,
    PERIOD_COLUMN,
    SPEND_PREFIX,
)
from schemas.spec.roles import UNIT_VALUE_COLUMN
from schemas.spec.run_spec import RunSpec


def header_of_stored(spec: RunSpec, held: Set[tuple[str, str]]) -> list[str]:
    """Return the source columns that what is stored could have come from, under this spec's names.

    Parameters
    ----------
    spec
        The run spec, whose names decide.
    held
        ``(role, name)`` of everything canonical knows of the dataset.
    """
    header = [
        spec.columns.get(PERIOD_COLUMN, PERIOD_COLUMN),
        spec.columns.get(ENTITY_COLUMN, ENTITY_COLUMN),
    ]
    if ("kpi", spec.kpi_name) in held:
        header.append(spec.target_col)
    if isinstance(spec.kpi.value_per_unit, str) and ("unit_value", UNIT_VALUE_COLUMN) in held:
        header.append(spec.kpi.value_per_unit)
    for channel in spec.channels or []:
        named = {"activity": channel.activity, "spend": channel.spend}
        header += [c for measure, c in named.items() if c and (measure, channel.name) in held]
    for driver in spec.drivers or []:
        measure = "spend" if driver.startswith(SPEND_PREFIX) else "activity"
        name = driver.removeprefix(SPEND_PREFIX if measure == "spend" else ACTIVITY_PREFIX)
        header += [driver] if (measure, name) in held else []
        header += [f"{SPEND_PREFIX}{name}"] if ("spend", name) in held else []
    if spec.channels is None and spec.drivers is None:
        prefixes = {"activity": ACTIVITY_PREFIX, "spend": SPEND_PREFIX}
        header += sorted(f"{prefixes[role]}{name}" for role, name in held if role in prefixes)
    if spec.controls is None:
        header += sorted(f"{CONTROL_PREFIX}{name}" for role, name in held if role == "control")
    for column in (control.name for control in spec.controls or []):
        name = column.removeprefix(CONTROL_PREFIX) or column
        header += [column] if ("control", name) in held else []
    return list(dict.fromkeys(header))
