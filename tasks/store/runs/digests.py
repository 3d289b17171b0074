"""What the files of a run were when it was published: ``digests.json``, checked by who reads them.

Belongs here: SHA-256 by file name, written once per run and compared.
Does not: files of a run that has not ended; references check those (``artifacts.open_ref``).
Invariant: a run without the document was published by an earlier version, and is read unchecked.
"""

from collections.abc import Iterable
from pathlib import Path

from schemas.documents.digests import Digests
from schemas.errors import CorruptArtifactError
from schemas.names import Artifact
from tasks.store.files.artifacts import (
    kept_document,
    kept_sha256_of,
    sha256_of,
    write_document,
)
from tasks.store.home import Home

_CHANGING = {Artifact.RUN_STATUS, Artifact.REPORT, Artifact.DIGESTS}
"""The status changes with the run, and a report may be rendered again."""


def write_digests(home: Home, run_id: str) -> None:
    """Write ``digests.json`` of a run whose files are complete."""
    folder = home.run_dir(run_id)
    names = sorted(
        path.name
        for path in folder.iterdir()
        if path.is_file() and not path.name.startswith(".") and path.name not in _CHANGING
    )
    digests = Digests({name: sha256_of(folder / name) for name in names})
    write_document(home, folder / Artifact.DIGESTS, digests)


def recorded_digest(path: Path) -> str | None:
    """Return what a file of a run was when it was published; None where that is not on record."""
    document = path.with_name(Artifact.DIGESTS)
    if not document.is_file():
        return None
    return kept_document(document, Digests).get(path.name)


def require_unchanged(folder: Path, names: Iterable[str]) -> None:
    """Check files of a run against what was published; those that are absent are left out.

    Raises
    ------
    CorruptArtifactError
        Naming the first file that was changed.
    """
    for path in (folder / name for name in names):
        known = recorded_digest(path) if path.is_file() else None
        if known is not None and kept_sha256_of(path) != known:
            raise CorruptArtifactError(
                f"{path} was changed after it was published; restore it (MLflow has a copy) or run "
                "the refit again."
            )
