"""Rows of a file that findings are about, with the column that each is about."""

from collections.abc import Sequence
from dataclasses import dataclass

from schemas.errors import MmmError
from schemas.outcomes import Finding
from tasks.ingest import task_uploads

_MOST_LINES = 12
_MOST_SPAN = 5000
_FIRST_LINE = 2
"""Line of the file that holds its first row; the header is line 1."""


@dataclass(frozen=True)
class FoundLine:
    """One line of the file, and what was found in it."""

    line: int
    values: Sequence[str]
    columns: frozenset[str]
    """Columns that a finding names."""
    said: Sequence[str]
    """Rules that it breaks."""


@dataclass(frozen=True)
class FoundLines:
    """The lines that are shown, of all that findings name."""

    columns: Sequence[str]
    lines: Sequence[FoundLine]
    n_named: int


def collect(dataset_id: str, findings: Sequence[Finding]) -> FoundLines | None:
    """Return the rows that findings name; None where there is none, or they cannot be shown.

    Parameters
    ----------
    dataset_id
        Dataset whose newest file was checked.
    findings
        What was found; notes are left out.
    """
    amiss = [each for each in findings if each.rows and not each.is_note]
    named = sorted({line for each in amiss for line in each.rows if line >= _FIRST_LINE})
    shown = [line for line in named if line - named[0] < _MOST_SPAN][:_MOST_LINES]
    if not shown:
        return None
    start = shown[0] - _FIRST_LINE
    try:
        rows = task_uploads.read_rows(
            dataset_id, start=start, n_rows=shown[-1] - _FIRST_LINE - start + 1
        )
    except MmmError:
        return None
    lines = [
        FoundLine(
            line=line,
            values=rows.rows[line - shown[0]],
            columns=frozenset(e.column for e in amiss if line in e.rows and e.column),
            said=list(dict.fromkeys(e.rule.replace("_", " ") for e in amiss if line in e.rows)),
        )
        for line in shown
        if line - shown[0] < len(rows.rows)
    ]
    return FoundLines(rows.columns, lines, len(named))
