"""JSON documents of a run's folder, opened as their models."""

from pathlib import Path

from pydantic import BaseModel

from tasks.store.files.artifacts import kept_document


def find_document[Doc: BaseModel](folder: Path, name: str, model: type[Doc]) -> Doc | None:
    """Return a document as its model, or None where the run did not write it.

    Raises
    ------
    CorruptArtifactError
        If the file is not whole, or does not have the fields of the model.
    """
    path = folder / name
    return kept_document(path, model) if path.is_file() else None
