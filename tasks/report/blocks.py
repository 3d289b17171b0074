"""What a page is built of: sections of text, cards, tables and figures. No HTML here."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import pandas as pd
from plotly.graph_objects import Figure as Chart

from schemas.words import format_compact, format_ratio, format_share


class Kind(StrEnum):
    """How a column is written."""

    TEXT = "text"
    LONG = "long"
    NUMBER = "number"
    RATIO = "ratio"
    SHARE = "share"
    CHANGE = "change"
    CODE = "code"
    INTERVAL = "interval"
    DATE = "date"
    MARK = "mark"
    """A verdict or an action: a word that also has a symbol and a colour."""


def _signed_share(value: float) -> str:
    return f"+{format_share(value)}" if value > 0 else format_share(value)


_NUMERIC = {
    Kind.NUMBER: format_compact,
    Kind.RATIO: format_ratio,
    Kind.SHARE: format_share,
    Kind.CHANGE: _signed_share,
}


@dataclass(frozen=True)
class Column:
    """One column: heading, how it is written, its unit and meaning for the data dictionary."""

    title: str
    kind: Kind
    meaning: str
    unit: str = ""

    @property
    def is_number(self) -> bool:
        """True where cells are right-aligned."""
        return self.kind in _NUMERIC or self.kind is Kind.INTERVAL

    def write(self, value: Any) -> str:
        """Write one cell as text, not yet escaped."""
        if value is None or value is pd.NaT or (isinstance(value, float) and value != value):
            return "–"
        if self.kind in _NUMERIC:
            return _NUMERIC[self.kind](float(value))
        if self.kind is Kind.DATE:
            return f"{pd.Timestamp(value):%Y-%m-%d}"
        return str(value)


@dataclass(frozen=True)
class Table:
    """Rows of values and where they come from."""

    name: str
    source: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Any]]
    note: str = ""

    @property
    def is_worded(self) -> bool:
        """True where a column holds sentences: a phone shows such rows as cards."""
        return any(column.kind is Kind.LONG for column in self.columns)

    @property
    def type(self) -> str:
        """Macro of the template that writes it."""
        return "table"

    @property
    def cells(self) -> list[list[tuple[Column, str]]]:
        """Rows of column and written value."""
        return [
            [(column, column.write(value)) for column, value in zip(self.columns, row, strict=True)]
            for row in self.rows
        ]


@dataclass(frozen=True)
class Figure:
    """One picture. Its numbers stand in ``table``, or in the table of its ``Grid``."""

    key: str
    title: str
    caption: str
    chart: Chart
    height: int
    table: Table | None = None
    min_width: int = 0
    """Below this the picture scrolls inside its own box."""
    by_choice: dict[str, Chart] = field(default_factory=dict)
    """Other pictures that the reader can choose instead, by choice."""

    @property
    def type(self) -> str:
        """Macro of the template that writes it."""
        return "figure"


@dataclass(frozen=True)
class Picture:
    """One picture that is markup already; names in it are escaped by what draws it."""

    title: str
    caption: str
    svg: str
    table: Table | None = None

    @property
    def type(self) -> str:
        """Macro of the template that writes it."""
        return "picture"


@dataclass(frozen=True)
class Grid:
    """Small figures side by side with one table, and one choice (of entity) for all of them."""

    key: str
    figures: Sequence[Figure]
    table: Table
    choice_label: str = ""
    choices: Sequence[str] = ()

    @property
    def type(self) -> str:
        """Macro of the template that writes it."""
        return "grid"


@dataclass(frozen=True)
class Card:
    """One headline number."""

    label: str
    value: str
    note: str = ""


@dataclass(frozen=True)
class Cards:
    """Headline numbers side by side."""

    cards: Sequence[Card]

    @property
    def type(self) -> str:
        """Macro of the template that writes it."""
        return "cards"


@dataclass(frozen=True)
class Text:
    """Paragraphs; ``tone`` is plain, quiet, good, care or bad."""

    paragraphs: Sequence[str]
    tone: str = "plain"
    title: str = ""

    @property
    def type(self) -> str:
        """Macro of the template that writes it."""
        return "text"


@dataclass(frozen=True)
class Items:
    """A list of sentences."""

    title: str
    sentences: Sequence[str]

    @property
    def type(self) -> str:
        """Macro of the template that writes it."""
        return "items"


@dataclass(frozen=True)
class Code:
    """Preformatted text that opens on demand."""

    title: str
    content: str

    @property
    def type(self) -> str:
        """Macro of the template that writes it."""
        return "code"


@dataclass(frozen=True)
class Row:
    """Blocks side by side; one below the other on a phone."""

    blocks: "Sequence[Block]"

    @property
    def type(self) -> str:
        """Macro of the template that writes it."""
        return "row"


@dataclass(frozen=True)
class Fold:
    """Blocks that open on demand."""

    title: str
    blocks: "Sequence[Block]"

    @property
    def type(self) -> str:
        """Macro of the template that writes it."""
        return "fold"


Block = Table | Figure | Picture | Grid | Cards | Text | Items | Code | Row | Fold


def walk(blocks: Sequence[Block]) -> Iterator[Block]:
    """Yield blocks and those inside them, in the order of the page."""
    for block in blocks:
        yield block
        if isinstance(block, Row | Fold):
            yield from walk(block.blocks)


@dataclass(frozen=True)
class Section:
    """One chapter of the page."""

    key: str
    title: str
    blocks: Sequence[Block]
    lead: str = ""
    is_folded: bool = False
    """Opens on demand; its title and lead are read without."""

    @property
    def tables(self) -> list[Table]:
        """All tables of the section, those of its figures included."""
        found = []
        for block in walk(self.blocks):
            table = block if isinstance(block, Table) else getattr(block, "table", None)
            if isinstance(table, Table):
                found.append(table)
        return found
