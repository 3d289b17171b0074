"""Files that were uploaded: ``data/uploads/<dataset>/<digest>/``, the file and what is known of it.

Belongs here: receiving a file in pieces, listing, removing. Does not: what is in it.
Invariant: a name that somebody sends is never a path; the same bytes twice are one upload.
"""

import hashlib
import re
import shutil
import uuid
from datetime import UTC, datetime
from pathlib import Path

from schemas.answers.datasets import UploadedFile
from schemas.errors import DataContractError, RepeatedFileError, TooLargeFileError, UnknownRunError
from schemas.hints import suggest
from schemas.outcomes import Finding, Layer, Verdict
from tasks.store.files import removal
from tasks.store.files.artifacts import parse_document, write_document
from tasks.store.home import Home
from tasks.store.inputs.limits import TooLargeError
from tasks.store.storage import writing_to

_FACTS = "upload.json"
_LONGEST_STEM = 80


class Incoming:
    """One file on its way: written piece by piece, hashed meanwhile, there only when it is whole.

    Parameters
    ----------
    home, dataset_id
        Where it goes.
    file_name
        Name that it is sent under; only its letters and its ending are kept.
    max_bytes
        Size that it may have.
    """

    def __init__(self, home: Home, dataset_id: str, file_name: str, *, max_bytes: float) -> None:
        self._home = home
        self._dataset_id = dataset_id
        self.file_name = safe_name(file_name)
        self._max_bytes = max_bytes
        self._digest = hashlib.sha256()
        self._n_bytes = 0
        self._partial = home.uploads / f".{uuid.uuid4().hex}.partial"
        with writing_to(self._partial):
            self._partial.parent.mkdir(parents=True, exist_ok=True)
            self._stream = self._partial.open("xb")

    def expect(self, n_bytes: int) -> None:
        """Raise as ``write`` would, before anything comes, if so many bytes are announced."""
        if n_bytes > self._max_bytes:
            raise _too_large(self.file_name, self._max_bytes / 1e6)

    def write(self, piece: bytes) -> None:
        """Add what has come.

        Raises
        ------
        TooLargeFileError
            If the file is larger than it may be.
        StorageError
            If the disk is full.
        """
        self._n_bytes += len(piece)
        self.expect(self._n_bytes)
        self._digest.update(piece)
        with writing_to(self._partial):
            self._stream.write(piece)

    def require_new(self) -> None:
        """Raise if the bytes that have come are the newest file of the dataset already.

        Raises
        ------
        RepeatedFileError
            With the name under which they are there.
        """
        newest = next(iter(list_uploads(self._home, self._dataset_id)), None)
        if newest is not None and newest.sha256 == self._digest.hexdigest():
            raise _repeated(self.file_name, newest)

    def finish(self) -> UploadedFile:
        """Put the file where it belongs and return what is known of it.

        Raises
        ------
        DataContractError
            If nothing has come.
        """
        if not self._n_bytes:
            raise _refused(
                DataContractError, self.file_name, "empty_file", "the file is empty",
                "Export the table again.",
            )  # fmt: skip
        with writing_to(self._partial):
            self._stream.close()
        sha256 = self._digest.hexdigest()
        folder = self._home.uploads / self._dataset_id / sha256[:16]
        facts = UploadedFile(
            dataset_id=self._dataset_id, file_name=self.file_name, sha256=sha256,
            n_bytes=self._n_bytes, received_at=datetime.now(UTC),
        )  # fmt: skip
        with writing_to(folder):
            if folder.exists():
                shutil.rmtree(folder)
            folder.mkdir(parents=True)
            self._partial.replace(folder / self.file_name)
        write_document(self._home, folder / _FACTS, facts)
        return facts

    def abandon(self) -> None:
        """Leave nothing behind; after ``finish`` there is nothing to leave."""
        self._stream.close()
        self._partial.unlink(missing_ok=True)


def _too_large(file_name: str, limit_mb: float) -> TooLargeFileError:
    said = TooLargeError(f"it has more than {limit_mb:,.0f} MB", "file_mb", limit_mb)
    return _refused(
        TooLargeFileError, file_name, "too_large", str(said),
        "Export the columns and rows that the spec names, or raise the limit.",
    )  # fmt: skip


def _repeated(file_name: str, known: UploadedFile) -> RepeatedFileError:
    said = (
        f"its bytes are the newest file of {known.dataset_id} already: {known.file_name}, received "
        f"{known.received_at:%Y-%m-%d %H:%M} UTC; nothing was changed"
    )
    remedy = "Go on with the dataset as it is, or upload a newer file."
    return _refused(RepeatedFileError, file_name, "repeated_file", said, remedy)


def _refused[Kind: DataContractError](
    kind: type[Kind], file_name: str, rule: str, said: str, remedy: str
) -> Kind:
    finding = Finding(
        layer=Layer.RAW, rule=rule, verdict=Verdict.FAIL, file=file_name,
        message=f"{file_name}: {said}.", remedy=remedy,
    )  # fmt: skip
    return kind(finding.line(), [finding])


def safe_name(name: str) -> str:
    """Return a file name of letters, digits, ``_``, ``-`` and one ending: fit for any folder."""
    last = re.split(r"[\\/]", name)[-1]
    stem, dot, ending = last.rpartition(".")
    if not dot:
        stem, ending = last, ""
    stem = re.sub(r"[^A-Za-z0-9_-]+", "_", stem).strip("_")[:_LONGEST_STEM] or "file"
    ending = re.sub(r"[^a-z0-9]", "", ending.lower())[:10]
    return f"{stem}.{ending}" if ending else stem


def list_uploads(home: Home, dataset_id: str) -> list[UploadedFile]:
    """Return the files of a dataset, the newest first."""
    found = (home.uploads / dataset_id).glob(f"*/{_FACTS}")
    files = [parse_document(path, UploadedFile) for path in found]
    return sorted(files, key=lambda file: file.received_at, reverse=True)


def uploaded_datasets(home: Home) -> list[str]:
    """Return the datasets that have a file, in alphabetical order."""
    return sorted({path.parents[1].name for path in home.uploads.glob(f"*/*/{_FACTS}")})


def newest_upload(home: Home, dataset_id: str) -> Path:
    """Return the newest file of a dataset.

    Raises
    ------
    UnknownRunError
        If it has none.
    """
    files = list_uploads(home, dataset_id)
    if not files:
        known = uploaded_datasets(home)
        hint = suggest(dataset_id, known, "upload one first.")
        raise UnknownRunError(f"No file of dataset {dataset_id!r} was uploaded; {hint}")
    newest = files[0]
    return home.uploads / dataset_id / newest.sha256[:16] / newest.file_name


def remove_uploads(home: Home, dataset_id: str) -> int:
    """Remove all files of a dataset and return the bytes that were freed."""
    folder = home.uploads / dataset_id
    n_bytes = removal.measure(home, folder, room=home.uploads)
    removal.remove(home, folder, room=home.uploads)
    return n_bytes
