"""Turn the cells of a workbook into the text a CSV export of it would have held.

Belongs here: pure conversion of values. Does not: reading workbooks.
"""

import math
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any


def cell_text(value: Any) -> str | None:
    """Return a cell as text that reads back exactly; an empty cell is None."""
    if value is None or value == "" or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, datetime):
        midnight = (value.hour, value.minute, value.second, value.microsecond) == (0, 0, 0, 0)
        return value.date().isoformat() if midnight else value.isoformat(sep=" ")
    if isinstance(value, date):
        return value.isoformat()
    return repr(value) if isinstance(value, float) else str(value)


def split_header(
    cells: Sequence[Sequence[Any]],
) -> tuple[list[str], list[tuple[int, list[str | None]]]]:
    """Split a sheet into its header and its non-empty rows with their row numbers.

    Empty rows (formatting below the data) and columns without name and values are dropped.
    """
    texts = [[cell_text(value) for value in row] for row in cells]
    if not texts:
        return [], []
    kept = [i for i in range(len(texts[0])) if any(row[i] is not None for row in texts)]
    header = [texts[0][i] or "" for i in kept]
    rows = [
        (number, [row[i] for i in kept])
        for number, row in enumerate(texts[1:], start=2)
        if any(value is not None for value in row)
    ]
    return header, rows
