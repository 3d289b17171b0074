"""How one column of a file looks, whatever it may mean."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ColumnProfile:
    """One column of a file; shares are of its cells that are not empty."""

    name: str
    n_given: int
    """Cells that are not empty."""
    n_distinct: int
    share_numbers: float
    """With a decimal point."""
    share_comma_numbers: float
    """With a decimal comma."""
    share_dates: float
    share_negative: float
    share_whole: float
    share_marked: float
    """Numbers as reports show them, ``$1,234.50``, and texts for a number that is not there."""
    odd: str
    """A text that is no number; empty where all are."""
    values: tuple[str, ...]
    """Its texts, the commonest first, where there are few."""

    @property
    def is_constant(self) -> bool:
        """Whether it never changes."""
        return self.n_distinct < 2
