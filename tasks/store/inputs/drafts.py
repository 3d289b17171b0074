"""The run spec that is being written for a dataset: ``data/uploads/<dataset>/draft.json``.

Belongs here: keeping it and finding it. Does not: what it may say.
"""

from pathlib import Path

from schemas.answers.datasets import DraftSpec
from tasks.store.files.artifacts import parse_document, write_document
from tasks.store.home import Home


def find_draft(home: Home, dataset_id: str) -> DraftSpec | None:
    """Return the draft of a dataset; None where nobody has written one."""
    path = _path(home, dataset_id)
    return parse_document(path, DraftSpec) if path.is_file() else None


def write_draft(home: Home, draft: DraftSpec) -> None:
    """Keep a draft in the place of the one before."""
    write_document(home, _path(home, draft.dataset_id), draft)


def _path(home: Home, dataset_id: str) -> Path:
    return home.uploads / dataset_id / "draft.json"
