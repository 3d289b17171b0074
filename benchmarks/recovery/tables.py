"""Tables of figures as text."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any


def render_rows(
    rows: Sequence[Mapping[str, Any]], columns: Mapping[str, str], left: Collection[str]
) -> str:
    """Return a table as text.

    Parameters
    ----------
    rows
        At least one; the figures that the formats name.
    columns
        Heading and format of every column; the first row decides its width.
    left
        Headings that stand on the left of their column.
    """
    widths = {name: len(form.format(**rows[0])) for name, form in columns.items()}
    head = [name.ljust(w) if name in left else name.rjust(w) for name, w in widths.items()]
    lines = [" ".join(form.format(**row) for form in columns.values()) for row in rows]
    return "\n".join([" ".join(head), *lines])
