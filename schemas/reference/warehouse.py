"""Tables of the warehouse, read from the DDL: what a comment says there is said here."""

import re

from schemas.reference.columns import say_column
from schemas.reference.fields import table

_TABLE = re.compile(
    r"(?P<about>(?:^--[^\n]*\n)*)"
    r"^create table if not exists (?P<name>[a-z_.]+) \(\n(?P<body>.*?)^\);",
    re.M | re.S,
)
_COLUMN = re.compile(r"^    (?P<name>[a-z_0-9]+) (?P<type>[a-z]+)(?P<rest>.*)$")


def render_warehouse(ddl: str) -> str:
    """Return a section per table, in the order of the DDL."""
    return "\n\n".join(_section(found) for found in _TABLE.finditer(ddl))


def _section(found: re.Match[str]) -> str:
    words = " ".join(line.removeprefix("--").strip() for line in found["about"].splitlines())
    rows = [_row(line) for line in found["body"].splitlines() if _is_column(line)]
    parts = [f"### `{found['name']}`", *([words] if words else [])]
    return "\n\n".join([*parts, table(("Column", "Type", "Meaning"), *rows)])


def _is_column(line: str) -> bool:
    return bool(_COLUMN.match(line)) and not line.strip().startswith("primary key")


def _row(line: str) -> tuple[str, str, str]:
    column = _COLUMN.match(line)
    if column is None:
        raise ValueError(f"no column of the DDL: {line}")
    definition, _, comment = column["rest"].partition("--")
    values = re.search(r"check \(\w+ in \((.*)\)\)", definition)
    choices = (
        ", ".join(f"`{v.strip(' ' + chr(39))}`" for v in values[1].split(",")) if values else ""
    )
    said = (comment.strip() or say_column(column["name"])).rstrip(".")
    meaning = ": ".join(part for part in (said, choices) if part)
    null = "" if "not null" in definition or "primary key" in definition else " or null"
    shown = f"{meaning[:1].upper()}{meaning[1:]}." if meaning else ""
    return f"`{column['name']}`", column["type"] + null, shown
