"""Reads lift tests from a CSV file into the rows of a run spec.

Belongs here: text to rows, and errors that name file, line, column and rule.
Does not: whether a test fits the panel (``tasks.models.mmm.lift``).
"""

import csv
import difflib
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from schemas.errors import SpecError
from schemas.lift_tests import LiftTest

MAX_BYTES = 1_000_000
"""Thousands of experiments; a larger file was given by mistake."""
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
    lines = list(_parse(_read_text(path), path.name))
    if not lines:
        raise SpecError(f"lift_tests: {path.name} is empty; it needs a header: {_header()}.")
    header = [name.strip() for name in lines[0][1]]
    problems = _header_problems(header)
    rows: dict[int, dict[str, Any]] = {}
    for number, cells in [] if problems else lines[1:]:
        if len(cells) != len(header):
            problems.append(f"line {number}: has {len(cells)} cells, the header has {len(header)}")
            continue
        rows[number] = _row(header, cells, decimal)
        problems += [f"line {number}, {problem}" for problem in _row_problems(rows[number])]
    problems += _repeats(rows)
    if problems:
        listing = "\n".join(f"- {path.name}, {p}." for p in problems)
        raise SpecError(f"The lift tests cannot be used:\n{listing}", problems)
    return list(rows.values())


def _header() -> str:
    return ", ".join(_COLUMNS)


def _read_text(path: Path) -> str:
    if not path.is_file():
        what = "is a folder" if path.is_dir() else "does not exist"
        raise SpecError(f"lift_tests in the run spec: {path} {what}; name a CSV file.")
    try:
        if path.stat().st_size > MAX_BYTES:
            raise SpecError(f"lift_tests: {path.name} is larger than {MAX_BYTES // 1000} kB.")
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise SpecError(
            f"lift_tests: {path.name} is not UTF-8 text (byte {error.start}); save it as UTF-8."
        ) from error
    except OSError as error:
        raise SpecError(f"lift_tests: {path} cannot be read: {error.strerror}.") from error


def _parse(text: str, name: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the line number and cells of every row that is not blank."""
    first = text.lstrip("\r\n").partition("\n")[0]
    separator = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    begins = 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield begins, cells
            begins = reader.line_num + 1
    except csv.Error as error:
        raise SpecError(f"lift_tests: {name}, line {reader.line_num}: {error}.") from error


def _header_problems(header: list[str]) -> list[str]:
    problems = [f"line 1: column {n!r} is missing" for n in _REQUIRED if n not in header]
    for name in dict.fromkeys(header):
        if header.count(name) > 1:
            problems.append(f"line 1: column {name!r} is there twice")
        if name not in _COLUMNS:
            near = difflib.get_close_matches(name, _COLUMNS, n=1, cutoff=0.5)
            hint = f"did you mean {near[0]!r}?" if near else f"known columns: {_header()}"
            problems.append(f"line 1: column {name!r} is unknown; {hint}")
    return problems


def _row(header: list[str], cells: list[str], decimal: str) -> dict[str, Any]:
    """Return the cells that are not empty, by column."""
    row: dict[str, Any] = {}
    for name, cell in zip(header, cells, strict=True):
        text = cell.strip()
        if text:
            row[name] = text.replace(decimal, ".") if name in _NUMBERS else text
    return row


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
