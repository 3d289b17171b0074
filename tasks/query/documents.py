"""JSON documents of a run's folder."""

import json
from pathlib import Path
from typing import Any

from schemas.errors import CorruptArtifactError


def read_document(folder: Path, name: str) -> Any:
    """Return a JSON document, or None where the run did not write it.

    Its ``schema_version`` is left out: that is about the file, not about the run.

    Raises
    ------
    CorruptArtifactError
        If the file is not whole.
    """
    path = folder / name
    if not path.is_file():
        return None
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise CorruptArtifactError(
            f"{path} is not whole; restore it or run the refit again."
        ) from error
    if isinstance(document, dict):
        document.pop("schema_version", None)
    return document
