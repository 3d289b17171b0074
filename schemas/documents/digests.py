"""What the files of a run were when it was published."""

from schemas.documents.base import NamedRows


class Digests(NamedRows[str]):
    """``digests.json``: SHA-256 of every file that does not change any more, by its name."""
