"""Reads lift tests from a CSV file into the rows of a run spec.

Belongs here: text to rows, and errors that name file, line, column and rule.
Does not: whether a test fits the panel (``tasks.models.lift_placement``).
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from schemas.errors import SpecError
from schemas.spec.lift_tests import LiftTest
from tasks.store.inputs.text_files import read_table, read_text

_COLUMNS = list(LiftTest.model_fields)
_REQUIRED = [name for name, field in LiftTest.model_fields.items() if field.is_required()]
_NUMBERS = [name for name, field in LiftTest.model_fields.items() if field.annotation is float]


def read_lift_tests(path: Path, *, decimal: str = ".") -> list[dict[str, Any]]:
    """Read and check lift tests.

    Parameters
    ----------
    path
        CSV file with a header, separated by comma, semicolon or tab.
    decimal
        Decimal mark of numbers.

    Returns
    -------
    list
        One mapping per test, as ``lift_tests`` of the run spec takes it.

    Raises
    ------
    SpecError
        With every problem, each naming line, column and rule.
    """
    text = read_text(path, named_by="lift_tests in the run spec", kind="CSV")
    table, problems = read_table(text, path.name, required=_REQUIRED, known=_COLUMNS)
    rows: dict[int, dict[str, Any]] = {}
    for number, cells in table.items():
        rows[number] = _row(cells, decimal)
        problems += [f"line {number}, {problem}" for problem in _row_problems(rows[number])]
    problems += _repeats(rows)
    if problems:
        listing = "\n".join(f"- {path.name}, {p}." for p in problems)
        raise SpecError(f"The lift tests cannot be used:\n{listing}", problems)
    return list(rows.values())


def _row(cells: Mapping[str, str], decimal: str) -> dict[str, Any]:
    """Return the cells with a point as decimal mark."""
    return {n: text.replace(decimal, ".") if n in _NUMBERS else text for n, text in cells.items()}


def _row_problems(row: dict[str, Any]) -> list[str]:
    try:
        checked = LiftTest.model_validate(row)
    except ValidationError as error:
        return [_sentence(e) for e in error.errors()]
    row |= checked.model_dump(mode="json", exclude_unset=True)
    return []


def _sentence(error: Any) -> str:
    column = ".".join(str(part) for part in error["loc"]) or "start, end, delta_spend"
    if error["type"] == "missing":
        return f"column {column}: is empty"
    message = error["msg"].removeprefix("Value error, ")
    got = error.get("input")
    return f"column {column}: {message}" + (f" (got {got!r})" if isinstance(got, str) else "")


def _repeats(rows: dict[int, dict[str, Any]]) -> Iterator[str]:
    first: dict[tuple[tuple[str, Any], ...], int] = {}
    for number, row in rows.items():
        key = tuple(sorted(row.items()))
        if key in first:
            yield f"line {number}: repeats line {first[key]}; keep one"
        first.setdefault(key, number)
