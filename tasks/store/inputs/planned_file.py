"""Reads planned spend, activity and controls from a CSV file into the rows of a run spec.

Belongs here: text to rows, and errors that name file, line, column and rule.
Does not: whether the columns are those of the data (``tasks.mathematics.planned``).
"""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from schemas.errors import SpecError
from schemas.names import ENTITY_COLUMN, PERIOD_COLUMN
from schemas.spec.planned import PlannedPeriod
from tasks.store.inputs.text_files import read_rows, read_text


def read_planned(
    path: Path, *, columns: Mapping[str, str], decimal: str = "."
) -> list[dict[str, Any]]:
    """Read planned periods: the columns of the data file without its KPI.

    Parameters
    ----------
    path
        CSV file with a header, separated by comma, semicolon or tab.
    columns
        Names of the key columns in the file, by ``period_start`` and ``entity_id``.
    decimal
        Decimal mark of numbers.

    Returns
    -------
    list
        One mapping per row, as ``planned`` of the run spec takes it; empty cells are left out.

    Raises
    ------
    SpecError
        With every problem, each naming line, column and rule.
    """
    text = read_text(path, named_by="planned in the run spec", kind="CSV")
    lines = list(read_rows(text, path.name))
    period = columns.get(PERIOD_COLUMN, PERIOD_COLUMN)
    entity = columns.get(ENTITY_COLUMN, ENTITY_COLUMN)
    header = [cell.strip() for cell in lines[0][1]] if lines else []
    problems = _header_problems(header, period)
    rows: list[dict[str, Any]] = []
    for number, cells in [] if problems else lines[1:]:
        if len(cells) != len(header):
            problems.append(f"line {number}: has {len(cells)} cells, the header has {len(header)}")
            continue
        named = dict(zip(header, (cell.strip() for cell in cells), strict=True))
        row: dict[str, Any] = {"period_start": named.pop(period)}
        if named.get(entity):
            row["entity"] = named[entity]
        named.pop(entity, None)
        row["values"], wrong = _numbers(named, decimal)
        problems += [f"line {number}, {p}" for p in [*wrong, *_day_problem(row, period)]]
        if row["values"]:
            rows.append(row)
    if problems:
        listing = "\n".join(f"- {path.name}, {p}." for p in problems)
        raise SpecError(f"What is planned cannot be used:\n{listing}", problems)
    return rows


def _header_problems(header: Sequence[str], period: str) -> list[str]:
    if not header:
        return [f"line 1: needs a header with {period} and columns of the data"]
    twice = {name for name in header if header.count(name) > 1}
    problems = [f"line 1: column {name!r} is there twice" for name in sorted(twice)]
    if period not in header:
        problems.append(f"line 1: column {period!r} is missing")
    return problems


def _numbers(cells: Mapping[str, str], decimal: str) -> tuple[dict[str, float], list[str]]:
    values, problems = {}, []
    for name, cell in cells.items():
        if not cell:
            continue
        try:
            values[name] = float(cell.replace(decimal, "."))
        except ValueError:
            values[name] = math.nan
        if not math.isfinite(values[name]):
            problems.append(f"column {name}: {cell!r} is not a number")
    return values, problems


def _day_problem(row: Mapping[str, Any], column: str) -> list[str]:
    try:
        PlannedPeriod.model_validate({**row, "values": {"any": 0.0}})
    except ValueError:
        return [f"column {column}: {row['period_start']!r} is no day; write 2026-01-05"]
    return []
