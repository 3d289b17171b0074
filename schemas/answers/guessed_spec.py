"""What ``mmm init`` wrote, and what it guessed it from."""

from schemas.documents.base import Count, Part


class GuessedLine(Part):
    """One thing that the spec says of the file."""

    what: str
    """Key of the run spec, or name of a channel or control."""
    columns: list[str]
    """Columns of the file that it is."""
    reason: str
    """What it was guessed from."""


class GuessedSpec(Part):
    """``mmm init --json``: the spec that was written."""

    spec: str
    """Path of the spec."""
    file: str
    """Path of the file that it is for."""
    dataset_id: str
    """Name of the dataset."""
    n_rows: Count
    """Rows of the file."""
    has_data: bool
    """Whether the spec names the file; without it, ``--data`` has to."""
    guessed: list[GuessedLine]
    """What the spec says, in its order."""
    unused: dict[str, str]
    """Columns that it does not name, and why."""
