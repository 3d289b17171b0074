"""How large a received file may be, counted before it is read, and what its reader may use.

A small file can open to any size: a sheet with one cell in its last row, a column that repeats one
long text, a line without end. The limits are those of whoever runs the machine, not of the spec.
"""

import os
from dataclasses import dataclass, fields

from schemas.errors import SpecError

LIMITS_VARIABLE = "MMM_INGEST_LIMITS"
"""``name=number`` of the limits that differ, separated by commas."""


class TooLargeError(ValueError):
    """A file is beyond a limit; the message says which, and how far."""

    def __init__(self, what: str, name: str | None, limit: float) -> None:
        """``name`` is the key of the limit in the environment; None where it cannot be set."""
        where = f" ({LIMITS_VARIABLE}: {name})" if name else ""
        super().__init__(f"{what}; the limit is {limit:,.0f}{where}")


@dataclass(frozen=True)
class Limits:
    """Limits of one file."""

    file_mb: float = 4000
    """Size as received."""
    columns: float = 5000
    cells: float = 100_000_000
    """Columns times rows, or lines, or the rectangle that a sheet spans."""
    expanded_mb: float = 1000
    """What the file says it holds once it is unpacked."""
    memory_mb: float = 600
    """What the reader of a workbook or of a Parquet file may take beyond its own start."""
    seconds: float = 15
    """How long that reader may compute."""

    def require_columns(self, n_columns: int) -> None:
        """Raise ``TooLargeError`` if there are more columns."""
        if n_columns > self.columns:
            raise TooLargeError(f"it has {n_columns:,} columns", "columns", self.columns)

    def require_cells(self, n_columns: int, n_rows: int) -> None:
        """Raise ``TooLargeError`` if the table has more cells, or more columns."""
        self.require_columns(n_columns)
        if n_columns * n_rows > self.cells:
            table = f"it spans {n_rows:,} rows and {n_columns:,} columns"
            raise TooLargeError(f"{table}, {n_columns * n_rows:,} cells", "cells", self.cells)

    def require_size(self, n_bytes: int) -> None:
        """Raise ``TooLargeError`` if the file itself is larger."""
        if n_bytes > self.file_mb * 1e6:
            raise TooLargeError(f"it has {n_bytes / 1e6:,.0f} MB", "file_mb", self.file_mb)

    def require_expanded(self, n_bytes: int) -> None:
        """Raise ``TooLargeError`` if the file says that it opens to more."""
        if n_bytes > self.expanded_mb * 1e6:
            what = f"it opens to {n_bytes / 1e6:,.0f} MB"
            raise TooLargeError(what, "expanded_mb", self.expanded_mb)


def current_limits() -> Limits:
    """Return the limits that hold, read from ``MMM_INGEST_LIMITS``.

    Raises
    ------
    SpecError
        If it names a limit that does not exist, or no number above 0.
    """
    known = [field.name for field in fields(Limits)]
    given: dict[str, float] = {}
    for part in filter(None, (p.strip() for p in os.environ.get(LIMITS_VARIABLE, "").split(","))):
        name, _, text = part.partition("=")
        if name.strip() not in known:
            raise SpecError(
                f"{LIMITS_VARIABLE}: {part!r} is not NAME=NUMBER of {', '.join(known)}."
            )
        try:
            number = float(text)
        except ValueError:
            number = 0.0
        if not 0 < number < float("inf"):
            raise SpecError(f"{LIMITS_VARIABLE}: {part!r} needs a number above 0.")
        given[name.strip()] = number
    return Limits(**given)
