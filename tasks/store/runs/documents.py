"""Files of a finished run, opened for a reader. What they mean is the reader's business."""

import json
from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel

from schemas.documents.results import RunRecord
from schemas.errors import CorruptArtifactError
from tasks.store.files.artifacts import parse_document, sha256_of
from tasks.store.home import Home
from tasks.store.runs.digests import require_unchanged
from tasks.store.warehouse.runs import list_runs


def open_documents(home: Home, run_id: str, names: Iterable[str]) -> dict[str, Any]:
    """Open JSON documents and Parquet tables of a run by name; absent files are left out.

    Returns
    -------
    dict
        By file name: a parsed document, or a ``pd.DataFrame`` for a Parquet file.

    Raises
    ------
    CorruptArtifactError
        If a file is there and cannot be read, or was changed after the run was published.
    """
    folder = home.run_dir(run_id)
    names = [str(name) for name in names]
    require_unchanged(folder, names)
    opened = {}
    for name in names:
        path = folder / name
        if not path.is_file():
            continue
        try:
            if path.suffix == ".json":
                opened[name] = json.loads(path.read_text(encoding="utf-8"))
            else:
                import pandas as pd

                opened[name] = pd.read_parquet(path)
        except (ValueError, OSError) as error:
            raise CorruptArtifactError(
                f"{path} is not whole; restore it or run the refit again."
            ) from error
    return opened


def open_document[Doc: BaseModel](
    home: Home, run_id: str, name: str, model: type[Doc]
) -> Doc | None:
    """Open one JSON document of a run as its model; None where the run does not have it.

    Raises
    ------
    CorruptArtifactError
        If it is there and was changed after the run was published, or lacks fields of the model.
    """
    path = home.run_dir(run_id) / name
    require_unchanged(path.parent, [name])
    return parse_document(path, model) if path.is_file() else None


def digest_files(home: Home, run_id: str, *, leave_out: Iterable[str] = ()) -> dict[str, str]:
    """SHA-256 of the files of a run by name."""
    skipped = set(map(str, leave_out))
    return {
        path.name: sha256_of(path)
        for path in sorted(home.run_dir(run_id).glob("*"))
        if path.is_file() and not path.name.startswith(".") and path.name not in skipped
    }


def accepted_run_before(home: Home, record: RunRecord) -> RunRecord | None:
    """Return the newest accepted run of the same dataset that was created before, or None."""
    for other in list_runs(home, record.dataset_id):
        if other.is_accepted and other.created_at < record.created_at:
            return other
    return None
