"""Reads what people write about a plan: hand-written plans, single changes, bounds.

Belongs here: text to rows and bounds, and errors that name the file, the place and the rule.
Does not: whether a channel exists or a bound can be met (``tasks.optimize``).
"""

import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from schemas.errors import SpecError
from schemas.spec.errors import parse_model
from schemas.spec.optimizer import PlanBounds
from schemas.spec.plan_request import SpendRow
from tasks.store.inputs.spec_file import parse_document
from tasks.store.inputs.text_files import read_table, read_text

_TABLES = {".csv", ".tsv"}
_COLUMNS = ("channel", "entity_id", "period", "spend", "change")
_PERCENT = re.compile(r"([+-])?\s*(\d+(?:\.\d*)?|\.\d+)\s*%")
_MONEY = re.compile(r"\+?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?")
_READABLE = "write money as 500000, or a change as +10% or -10%"


def read_plan_file(path: Path) -> list[SpendRow]:
    """Read a hand-written plan.

    Parameters
    ----------
    path
        JSON or YAML that maps channels to money over the horizon or to a change of current spend
        (``+10%``); or CSV with the column ``channel``, the column ``spend`` or ``change`` or both,
        and, where wanted, ``entity_id`` and ``period``.

    Raises
    ------
    SpecError
        With every problem, each naming its line or channel and the rule.
    """
    text = read_text(path, named_by="--what-if", kind="JSON, YAML or CSV")
    if path.suffix.lower() in _TABLES:
        return _read_csv(text, path.name)
    document = parse_document(text, name=path.name, suffix=path.suffix, what="plan")
    if not isinstance(document, Mapping):
        raise SpecError(
            f"{path.name}: expected a mapping of channels to money or changes, got "
            f"{type(document).__name__}; {_READABLE}."
        )
    return _read_pairs([(str(key), value) for key, value in document.items()], path.name)


def read_changes(entries: Sequence[str]) -> list[SpendRow]:
    """Read changes of single channels, ``tv=-10%`` or ``search=500000``.

    Raises
    ------
    SpecError
        With every entry that cannot be read.
    """
    pairs: list[tuple[str, Any]] = []
    for entry in entries:
        # From the right: a channel's name may have an equals sign, an amount has none.
        channel, found, amount = entry.rpartition("=")
        if not found or not channel.strip():
            raise SpecError(
                f"--set: {entry!r} is not CHANNEL=AMOUNT; write it as tv=-10% or search=500000."
            )
        pairs.append((channel.strip(), amount))
    return _read_pairs(pairs, "--set")


def read_bounds(path: Path) -> PlanBounds:
    """Read a file of bounds, a document of the form of ``PlanBounds``.

    Raises
    ------
    SpecError
        If the file cannot be read, or with every key that is unknown or has a value it cannot have.
    """
    text = read_text(path, named_by="--bounds", kind="JSON or YAML")
    document = parse_document(text, name=path.name, suffix=path.suffix, what="file of bounds")
    return parse_model(PlanBounds, document, source=path.name)


def _read_pairs(pairs: Sequence[tuple[str, Any]], source: str) -> list[SpendRow]:
    rows: list[SpendRow] = []
    problems: list[str] = []
    seen: set[str] = set()
    for channel, value in pairs:
        if channel in seen:
            problems.append(f"channel {channel!r} is given twice; keep one")
        seen.add(channel)
        try:
            rows.append(SpendRow(channel=channel, **_amount(value)))
        except ValueError as error:
            problems.append(f"channel {channel!r}: {_reason(error)}")
    return _usable(rows, problems, source)


def _read_csv(text: str, name: str) -> list[SpendRow]:
    table, problems = read_table(text, name, required=["channel"], known=_COLUMNS)
    rows: list[SpendRow] = []
    first: dict[tuple[str | None, ...], int] = {}
    for number, cells in table.items():
        place = tuple(cells.get(column) for column in ("channel", "entity_id", "period"))
        if place in first:
            problems.append(f"line {number}: speaks of what line {first[place]} speaks of")
        first.setdefault(place, number)
        try:
            rows.append(_csv_row(cells))
        except ValueError as error:
            problems.append(f"line {number}: {_reason(error)}")
    return _usable(rows, problems, name)


def _csv_row(cells: Mapping[str, str]) -> SpendRow:
    given = {"spend", "change"} & cells.keys()
    if "channel" not in cells:
        raise ValueError("column channel is empty")
    if len(given) != 1:
        raise ValueError("fill either spend or change")
    amount = _change(cells["change"]) if "change" in given else _money(cells["spend"])
    place = {column: cells[column] for column in ("entity_id", "period") if column in cells}
    return parse_model(SpendRow, {"channel": cells["channel"], **place, **amount}, source="row")


def _amount(value: Any) -> dict[str, float]:
    """Return ``spend`` or ``change``; raises ValueError with the reason."""
    if isinstance(value, str):
        text = value.strip()
        if text.endswith("%"):
            if text[0] not in "+-−":
                raise ValueError(
                    f"{value!r} could be a share of current spend or a change of it; write +10% or "
                    "-10%"
                )
            return _change(text)
        return _money(text)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{type(value).__name__} is not an amount; {_READABLE}")
    return _spend(float(value))


def _change(text: str) -> dict[str, float]:
    match = _PERCENT.fullmatch(text.replace("−", "-"))
    if match is None:
        raise ValueError(f"{text!r} cannot be read as a change; write it as +10% or -10%")
    change = float(f"{match[1] or '+'}{match[2]}") / 100
    if change < -1:
        raise ValueError(f"{text!r} is more than all of current spend; -100% is nothing at all")
    return {"change": change}


def _money(text: str) -> dict[str, float]:
    if text.replace("−", "-").startswith("-"):
        raise ValueError(f"{text!r} is negative money; a change has a percent sign, as -10%")
    if _MONEY.fullmatch(text) is None:
        raise ValueError(
            f"{text!r} cannot be read as money; {_READABLE}, with a point as decimal mark and "
            "without thousands separators"
        )
    return _spend(float(text))


def _spend(value: float) -> dict[str, float]:
    if not math.isfinite(value) or value < 0:
        raise ValueError(f"{value:g} is not an amount of money; it must be finite and not below 0")
    return {"spend": value}


def _reason(error: ValueError) -> str:
    return "; ".join(error.problems) if isinstance(error, SpecError) else str(error)


def _usable(rows: list[SpendRow], problems: list[str], source: str) -> list[SpendRow]:
    if not rows and not problems:
        problems = ["no channel is named"]
    if problems:
        listing = "\n".join(f"- {problem}." for problem in problems)
        raise SpecError(f"{source}: the plan cannot be used:\n{listing}", problems)
    return rows
