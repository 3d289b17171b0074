"""Tables of a page: columns that know how their cells are written, cells that may be links."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from schemas import words


class Kind(StrEnum):
    """How a column is written."""

    TEXT = "text"
    LONG = "long"
    CODE = "code"
    RAW = "raw"
    """A value of a file as it stands there: one line, however long."""
    NUMBER = "number"
    COMPACT = "compact"
    RATIO = "ratio"
    SHARE = "share"
    SIZE = "size"
    INTERVAL = "interval"
    DATE = "date"
    MOMENT = "moment"
    MARK = "mark"
    """A verdict, a state or an action: a word that also has a symbol and a colour."""


_WRITERS: dict[Kind, Callable[[Any], str]] = {
    Kind.NUMBER: words.format_number,
    Kind.COMPACT: words.format_compact,
    Kind.RATIO: words.format_ratio,
    Kind.SHARE: words.format_share,
    Kind.SIZE: words.format_bytes,
    Kind.INTERVAL: lambda ends: words.format_interval(*ends),
}
_MOMENTS = {Kind.DATE: "%Y-%m-%d", Kind.MOMENT: "%Y-%m-%d %H:%M"}


@dataclass(frozen=True)
class Column:
    """One column: heading and how it is written."""

    title: str
    kind: Kind = Kind.TEXT

    @property
    def is_number(self) -> bool:
        """True where cells are right-aligned."""
        return self.kind in _WRITERS


@dataclass(frozen=True)
class Link:
    """A cell that leads somewhere."""

    text: str
    href: str


@dataclass(frozen=True)
class Table:
    """Rows of values, and what is said where there is none."""

    name: str
    """What it is a table of; read aloud by a screen reader."""
    columns: Sequence[Column]
    rows: Sequence[Sequence[Any]]
    note: str = ""
    is_of_things: bool = False
    """A row is one thing, such as a run, of which its columns say something."""

    @property
    def is_worded(self) -> bool:
        """True where rows are things, or have sentences: a phone shows such rows as cards."""
        return self.is_of_things or any(column.kind is Kind.LONG for column in self.columns)

    @property
    def cells(self) -> list[list[tuple[Column, str, str | None]]]:
        """Rows of column, written value and where it leads."""
        return [
            [(c, *_written(c.kind, value)) for c, value in zip(self.columns, row, strict=True)]
            for row in self.rows
        ]


def write_cell(kind: Kind, value: Any) -> str:
    """Write one value as text, not yet escaped; a dash where there is none."""
    if value is None:
        return "–"
    if kind in _MOMENTS and isinstance(value, date | datetime):
        return f"{value:{_MOMENTS[kind]}}"
    return _WRITERS[kind](value) if kind in _WRITERS else str(value)


def _written(kind: Kind, value: Any) -> tuple[str, str | None]:
    if isinstance(value, Link):
        return value.text, value.href
    return write_cell(kind, value), None
