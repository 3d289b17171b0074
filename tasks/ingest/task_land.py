"""Land one received file in the landing zone, by content."""

import csv
import hashlib
import logging
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from schemas.names import EXCEL_SUFFIXES, PARQUET_SUFFIXES
from schemas.outcomes import Finding
from schemas.refs import BatchRef, FileRef
from schemas.spec.run_spec import RunSpec
from tasks.ingest.file_faults import (
    header_only,
    raise_faults,
    require_readable,
    too_large,
    unreadable,
)
from tasks.ingest.text_faults import (
    binary_fault,
    encoding_faults,
    fault,
    header_faults,
    land_names,
    open_text,
    records,
    row_faults,
    sniff_delimiter,
)
from tasks.store.files.artifacts import sha256_of, write_whole
from tasks.store.home import Home, current_home
from tasks.store.inputs import landing, typed_files
from tasks.store.inputs.limits import Limits, TooLargeError, current_limits
from tasks.store.storage import writing_to

log = logging.getLogger(__name__)

_HEAD_BYTES = 1 << 20
_HEAD_CHARACTERS = 1 << 20
"""A first line that is longer is no header."""


def ingest_file(data: str, spec: RunSpec) -> BatchRef:
    """Land a CSV, Parquet or Excel file; the same bytes twice are one batch.

    Parameters
    ----------
    data
        Path of the file.
    spec
        The run spec; only ``dataset_id`` and ``sheet`` matter here.

    Raises
    ------
    DataContractError
        With every structural fault of the file, each with its lines; or if it is beyond a limit.
    """
    source, home = Path(data), current_home()
    limits = current_limits()
    require_readable(source)
    try:
        limits.require_size(source.stat().st_size)
    except TooLargeError as error:
        raise_faults([too_large(source.name, error)])
    folder = home.landing / spec.dataset_id
    with _copied(source, folder) as (copy, scan):
        return _landed(home, Received(source.name, copy, scan, limits), spec)


@dataclass(frozen=True)
class Received:
    """A file as it was received: its name, the copy that is read, what the copy holds."""

    name: str
    path: Path
    scan: landing.FileScan
    limits: Limits

    @property
    def suffix(self) -> str:
        """Ending of its name, in lower case."""
        return self.path.suffix.lower()


@contextmanager
def _copied(source: Path, folder: Path) -> Iterator[tuple[Path, landing.FileScan]]:
    """Copy a file beside where it lands; the copy goes when it has been read."""
    copy = folder / f".{uuid.uuid4().hex}.partial{source.suffix}"
    try:
        with writing_to(copy):
            scan = landing.receive_copy(source, copy)
        yield copy, scan
    finally:
        copy.unlink(missing_ok=True)


def _landed(home: Home, file: Received, spec: RunSpec) -> BatchRef:
    batch_id = _batch_id(file, spec.sheet)
    path = landing.landing_path(home, spec.dataset_id, batch_id)
    n_rows = landing.count_landed(path)
    if n_rows is not None:
        log.info("batch %s of %s was landed before", batch_id, spec.dataset_id)
        landed = FileRef(path=home.relative(path), sha256=sha256_of(path))
    else:
        landed, n_rows = _land(home, file, path, sheet=spec.sheet)
        log.info("landed %d rows as batch %s of %s", n_rows, batch_id, spec.dataset_id)
    return BatchRef(
        dataset_id=spec.dataset_id,
        batch_id=batch_id,
        file=landed,
        source_name=file.name,
        source_sha256=file.scan.sha256,
        n_rows=n_rows,
    )


def _batch_id(file: Received, sheet: str | None) -> str:
    """Return the id of the bytes; another sheet of the same workbook is another batch."""
    if sheet is None or file.suffix not in EXCEL_SUFFIXES:
        return file.scan.sha256[:16]
    return hashlib.sha256(f"{file.scan.sha256}\0{sheet}".encode()).hexdigest()[:16]


def _land(home: Home, file: Received, path: Path, *, sheet: str | None) -> tuple[FileRef, int]:
    counted: list[int] = []
    landed = write_whole(
        home, path, lambda partial: counted.append(_receive(file, partial, sheet=sheet))
    )
    return landed, counted[0]


def _receive(file: Received, target: Path, *, sheet: str | None) -> int:
    """Land one file at ``target`` and return its number of rows; raise all its faults together."""
    try:
        if file.suffix in PARQUET_SUFFIXES:
            n_rows = _receive_parquet(file, target)
        elif file.suffix in EXCEL_SUFFIXES:
            n_rows = _receive_excel(file, target, sheet)
        else:
            n_rows = _receive_text(file, target)
    except TooLargeError as error:
        raise_faults([too_large(file.name, error)])
    if n_rows == 0:
        raise_faults([header_only(file.name)])
    return n_rows


def _receive_text(file: Received, target: Path) -> int:
    name, source = file.name, file.path
    with source.open("rb") as stream:
        head = stream.read(_HEAD_BYTES)
    if file.scan.first_nul is not None:
        raise_faults([binary_fault(name, head, file.scan.first_nul)])
    header, delimiter = _read_header(source, file.limits)
    file.limits.require_cells(len(header), file.scan.n_lines)
    if not any(field.strip() for field in header):
        raise_faults(
            [
                fault(
                    name,
                    "empty_file",
                    "line 1 holds no column name.",
                    "Export the table again.",
                    rows=[1],
                )
            ]
        )
    faults = header_faults(name, header)
    names = land_names(header)
    reader_said = ""
    if not faults and _is_utf8(names):
        try:
            n_rows = landing.copy_csv(source, target, names=names, delimiter=delimiter)
        except landing.UnreadableRowsError as error:
            reader_said = str(error)
        else:
            if n_rows == file.scan.n_lines - 1:
                return n_rows
    faults += _text_faults(file, delimiter, len(header))
    if faults:
        raise_faults(faults)
    try:
        return landing.copy_csv_with_lines(
            _rows(source, delimiter, len(header)), target, names=names
        )
    except landing.UnreadableRowsError as error:
        raise_faults(
            [
                fault(
                    name,
                    "unreadable",
                    f"the text cannot be split into rows ({reader_said or error}).",
                    "Save the file again as CSV in UTF-8.",
                )
            ]
        )


def _read_header(source: Path, limits: Limits) -> tuple[list[str], str]:
    with open_text(source.open("rb")) as text:
        line = text.readline(_HEAD_CHARACTERS)
    delimiter = sniff_delimiter(line)
    limits.require_columns(line.count(delimiter) + 1)
    if len(line) == _HEAD_CHARACTERS:
        raise TooLargeError("line 1 has more characters", None, _HEAD_CHARACTERS)
    with open_text(source.open("rb")) as text:
        try:
            _, header = next(records(text, delimiter), (1, []))
        except csv.Error:
            header = []
    return header, delimiter


def _is_utf8(names: list[str]) -> bool:
    return not any("\udc80" <= letter <= "\udcff" for letter in "".join(names))


def _text_faults(file: Received, delimiter: str, n_fields: int) -> list[Finding]:
    with file.path.open("rb") as stream:
        faults = encoding_faults(file.name, stream)
    with open_text(file.path.open("rb")) as text:
        return faults + row_faults(file.name, text, delimiter=delimiter, n_fields=n_fields)


def _rows(source: Path, delimiter: str, n_fields: int) -> Iterator[tuple[int, list[str]]]:
    with open_text(source.open("rb")) as text:
        rows = records(text, delimiter)
        next(rows, None)
        for line, fields in rows:
            yield line, fields[:n_fields]


def _receive_parquet(file: Received, target: Path) -> int:
    try:
        found = typed_files.read_parquet(file.path, target, limits=file.limits)
    except typed_files.UnreadableFileError as error:
        raise_faults([unreadable(file.name, "Parquet", str(error))])
    if faults := header_faults(file.name, found.names):
        raise_faults(faults)
    if found.n_rows is None:
        raise_faults([unreadable(file.name, "Parquet", found.fault)])
    return found.n_rows


def _receive_excel(file: Received, target: Path, sheet: str | None) -> int:
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".reader-") as room:
        rows = Path(room) / "rows.csv"
        try:
            found = typed_files.read_excel(file.path, rows, sheet=sheet, limits=file.limits)
        except typed_files.UnreadableFileError as error:
            raise_faults([unreadable(file.name, "Excel", str(error))])
        if not found.names:
            raise_faults(
                [
                    fault(
                        file.name,
                        "empty_file",
                        "the sheet is empty.",
                        "Give the sheet's name as `sheet`.",
                    )
                ]
            )
        if faults := header_faults(file.name, found.names):
            raise_faults(faults)
        return landing.copy_lines(rows, target, names=land_names(found.names))
