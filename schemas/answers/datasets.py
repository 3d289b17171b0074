"""Files that were uploaded, and what is known of the dataset that they are of."""

from datetime import datetime
from enum import StrEnum

from schemas.documents.base import Count, Document, Part


class UploadedFile(Document):
    """A file as it was received."""

    dataset_id: str
    """Dataset that it is of."""
    file_name: str
    """Name that it was sent under."""
    sha256: str
    """Of its bytes."""
    n_bytes: Count
    """Size."""
    received_at: datetime
    """When it had come whole."""


class Dataset(Part):
    """A dataset: its files and its runs."""

    dataset_id: str
    """Its id."""
    files: list[UploadedFile]
    """Uploaded files, the newest first; a refit reads the newest."""
    n_runs: Count
    """Runs of it."""
    newest_run_id: str | None
    """Run that began last."""


class ColumnUse(StrEnum):
    """What a column is, by the run spec or by its prefix."""

    ENTITY = "entity"
    PERIOD = "period"
    KPI = "kpi"
    UNIT_VALUE = "unit_value"
    ACTIVITY = "activity"
    SPEND = "spend"
    CONTROL = "control"
    IGNORED = "ignored"


class FileColumn(Part):
    """One column of an uploaded file."""

    name: str
    """As the file has it."""
    kind: str
    """number, date or text, by the first rows."""
    use: ColumnUse
    """What a refit without a mapping takes it for."""


class FileColumns(Part):
    """Columns of an uploaded file, in its order."""

    dataset_id: str
    """Dataset that it is of."""
    columns: list[FileColumn]
    """In the order of the file."""
    problem: str | None = None
    """Why roles cannot be told by prefix; null where they can."""


class DraftSpec(Document):
    """A run spec that is being written for a dataset, before a refit of it."""

    dataset_id: str
    """Dataset that it is for."""
    text: str
    """YAML, with the comments of who wrote it."""
    sha256: str
    """Of the text: whether somebody else has changed it meanwhile."""
    origin: str
    """Where it is from, as the end of a sentence: ``guessed from the file``."""
    reasons: dict[str, str] = {}
    """What columns were recognized by, or why they are not used, by column."""


class FileRows(Part):
    """Some rows of an uploaded file, every value as its text."""

    columns: list[str]
    """In the order of the file."""
    rows: list[list[str]]
    """One list per row, in the order of the columns."""
    next_cursor: str | None = None
    """``cursor`` of what follows; null: the end."""


class DeletedDataset(Part):
    """What was deleted of a dataset; runs stay."""

    dataset_id: str
    """Its id."""
    files: list[str]
    """Names of the files that are gone."""
    n_bytes: Count
    """Bytes that were freed."""
