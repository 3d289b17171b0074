"""Small text files that people write: bytes to text, and text to rows of cells.

Belongs here: size, encoding and quoting, and errors that name the file and line.
Does not: what the text means (``spec_file``, ``lift_test_file``, ``plan_files``).
"""

import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path

from schemas.errors import SpecError
from schemas.hints import suggest

MAX_BYTES = 1_000_000
"""A larger file was given by mistake and is not read."""


def read_text(path: Path, *, named_by: str, kind: str) -> str:
    """Read a whole text file.

    Parameters
    ----------
    path
        The file.
    named_by
        Option or key that named it, for the message.
    kind
        What it should be: ``CSV``, ``JSON or YAML``.

    Raises
    ------
    SpecError
        If the file is missing, a folder, too large, not UTF-8, or cannot be read.
    """
    if path.is_dir():
        raise SpecError(f"{named_by}: {path} is a folder; name a {kind} file.")
    try:
        if path.stat().st_size > MAX_BYTES:
            raise SpecError(
                f"{named_by}: {path.name} is larger than {MAX_BYTES // 1000} kB; "
                "is it the data file?"
            )
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise SpecError(f"{named_by}: {path} does not exist; name a {kind} file.") from error
    except UnicodeDecodeError as error:
        raise SpecError(
            f"{named_by}: {path.name} is not UTF-8 text (byte {error.start}); save it as UTF-8."
        ) from error
    except OSError as error:
        raise SpecError(f"{named_by}: {path} cannot be read: {error.strerror}.") from error


def read_rows(text: str, name: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the line number and cells of every row that is not blank.

    Cells are separated by comma, semicolon or tab, whichever the first line has most of.

    Raises
    ------
    SpecError
        With the file and line of a row that is not CSV.
    """
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
        raise SpecError(f"{name}, line {reader.line_num}: {error}.") from error


def read_table(
    text: str, name: str, *, required: Sequence[str], known: Sequence[str]
) -> tuple[dict[int, dict[str, str]], list[str]]:
    """Read a table that people type: a header, then rows of few cells.

    Parameters
    ----------
    text
        The file.
    name
        Its name for the message.
    required
        Columns that must be there.
    known
        Columns that may be there.

    Returns
    -------
    tuple
        The cells that are not empty, trimmed, by line number and column; and what is wrong with
        the header and with rows of another length, each with its line.

    Raises
    ------
    SpecError
        If the file is empty or not CSV.
    """
    lines = list(read_rows(text, name))
    if not lines:
        raise SpecError(f"{name} is empty; it needs a header: {', '.join(known)}.")
    header = [cell.strip() for cell in lines[0][1]]
    problems = _header_problems(header, required, known)
    table: dict[int, dict[str, str]] = {}
    for number, cells in [] if problems else lines[1:]:
        if len(cells) != len(header):
            problems.append(f"line {number}: has {len(cells)} cells, the header has {len(header)}")
            continue
        pairs = zip(header, (cell.strip() for cell in cells), strict=True)
        table[number] = {column: cell for column, cell in pairs if cell}
    return table, problems


def _header_problems(
    header: Sequence[str], required: Sequence[str], known: Sequence[str]
) -> list[str]:
    problems = [f"line 1: column {n!r} is missing" for n in required if n not in header]
    if len(problems) * 2 > len(required):
        # Some other file: nothing of it is quoted, since it may hold what nobody should read.
        return problems
    for name in dict.fromkeys(header):
        if header.count(name) > 1:
            problems.append(f"line 1: column {name!r} is there twice")
        if name not in known:
            hint = suggest(name, known, f"known columns: {', '.join(known)}")
            problems.append(f"line 1: column {name!r} is unknown; {hint}")
    return problems
