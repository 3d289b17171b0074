"""Judge a received file before and beside its rows: its ending, its size, whether it can be read.

Belongs here: file types, and raising every fault of a file together. Does not: landing rows.
"""

import unicodedata
from pathlib import Path, PurePath
from typing import NoReturn

from schemas.errors import DataContractError
from schemas.names import EXCEL_SUFFIXES, PARQUET_SUFFIXES, TEXT_SUFFIXES
from schemas.outcomes import Finding
from tasks.ingest.text_faults import fault

_NOT_IN_NAMES = frozenset('<>:"/\\|?*')
"""What Windows has in no name of a file: marks of paths and of markup are among them."""
_LONGEST_NAME = 255
"""Bytes of a name that file systems hold."""
_SHOWN_CHARACTERS = 60


def require_readable(source: Path) -> None:
    """Raise if there is no such file, or its ending says nothing we can read."""
    name = source.name
    if not source.is_file():
        raise_faults(
            [
                fault(
                    name,
                    "missing_file",
                    "there is no such file.",
                    "Check the path given with --data.",
                )
            ]
        )
    require_ending(name)
    if source.stat().st_size == 0:
        raise_faults(
            [fault(name, "empty_file", "the file is empty.", "Export the table again.", rows=[1])]
        )


def require_ending(name: str) -> None:
    """Raise if the ending of a file's name says nothing that we can read."""
    known = (*TEXT_SUFFIXES, *PARQUET_SUFFIXES, *EXCEL_SUFFIXES)
    suffix = PurePath(name).suffix
    if suffix.lower() not in known:
        raise_faults(
            [
                fault(
                    name,
                    "unsupported_file",
                    f"the ending {suffix!r} is not one of {', '.join(known)}.",
                    "Export the table as CSV, Parquet or Excel.",
                )
            ]
        )


def require_plain_name(name: str) -> None:
    """Raise if what a file is sent under is no plain name: a path, markup, signs that none sees.

    Raises
    ------
    DataContractError
        With one finding; what would change how the message itself reads is written as its code.
    """
    said = _fault_of_name(name)
    if said is None:
        return
    found = fault(
        _visible(name)[:_SHOWN_CHARACTERS] or "(no name)",
        "unusable_file_name",
        f"{said}.",
        "Rename the file, for example to panel.csv, and upload it again.",
    )
    raise DataContractError(f"The name of the file cannot be used:\n- {found.line()}", [found])


def _fault_of_name(name: str) -> str | None:
    forbidden = sorted(_NOT_IN_NAMES.intersection(name))
    if forbidden:
        return f"a name of a file has no {' '.join(forbidden)}; a path or markup is none"
    if _visible(name) != name:
        return "its name holds control characters, or signs that change how it reads"
    if not name.strip(" ."):
        return "its name has no letter or digit"
    if (n_bytes := len(name.encode())) > _LONGEST_NAME:
        return f"its name has {n_bytes} bytes, more than the {_LONGEST_NAME} that a name may have"
    return None


def _visible(name: str) -> str:
    """Return a name in which what has no picture of its own stands as its code."""
    return "".join(
        f"\\u{ord(sign):04x}"
        if unicodedata.category(sign)[0] == "C" or unicodedata.category(sign) in {"Zl", "Zp"}
        else sign
        for sign in name
    )


def header_only(name: str) -> Finding:
    """Report that a file has a header and nothing else."""
    return fault(
        name,
        "header_only",
        "line 1 is the only line: there is a header but no rows.",
        "Export the table with its rows.",
        rows=[1],
    )


def too_large(name: str, error: ValueError) -> Finding:
    """Report that a file is beyond a limit, which was found before it was read."""
    return fault(
        name,
        "too_large",
        f"{error}.",
        "Export the columns and rows that the spec names, or raise the limit.",
    )


def raise_faults(faults: list[Finding]) -> NoReturn:
    """Raise one error that lists every fault."""
    listing = "\n".join(f"- {f.line()}" for f in faults)
    raise DataContractError(f"The file cannot be read as a table:\n{listing}", faults)


def unreadable(name: str, kind: str, said: str) -> Finding:
    """Report that a typed file cannot be read."""
    return fault(
        name,
        "unreadable_file",
        f"it cannot be read as {kind}: {said}.",
        f"Save it again as {kind}, or export it as CSV; check `sheet` in the spec.",
    )
