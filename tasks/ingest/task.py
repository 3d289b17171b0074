"""Land one received file in the landing zone, by content."""

import csv
import hashlib
import logging
from collections.abc import Iterator
from pathlib import Path

from prefect import task
from prefect.cache_policies import NO_CACHE

from schemas.outcomes import Finding
from schemas.refs import BatchRef, FileRef
from schemas.spec.run_spec import RunSpec
from tasks.ingest.cells import split_header
from tasks.ingest.file_faults import (
    EXCEL_SUFFIXES,
    PARQUET_SUFFIXES,
    header_only,
    raise_faults,
    require_readable,
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
from tasks.store.inputs import landing
from tasks.store.warehouse import batches, connection

log = logging.getLogger(__name__)

_HEAD_BYTES = 1 << 20


@task(name="ingest-file", cache_policy=NO_CACHE, timeout_seconds=1800)
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
        With every structural fault of the file, each with its lines.
    """
    source, home = Path(data), current_home()
    require_readable(source)
    scan = landing.scan_file(source)
    batch_id = _batch_id(source, scan, spec.sheet)
    path = landing.landing_path(home, spec.dataset_id, batch_id)
    with connection.reading(home) as con:
        known = batches.read_batch(con, spec.dataset_id, batch_id)
    if known and path.is_file():
        file = FileRef(path=home.relative(path), sha256=sha256_of(path))
        log.info("batch %s of %s was landed before", batch_id, spec.dataset_id)
        return BatchRef(
            dataset_id=spec.dataset_id,
            batch_id=batch_id,
            file=file,
            source_name=source.name,
            n_rows=known[1],
            is_new=False,
        )
    batch = _land(home, source, scan, spec, batch_id)
    log.info("landed %d rows as batch %s of %s", batch.n_rows, batch_id, spec.dataset_id)
    return batch


def _batch_id(source: Path, scan: landing.FileScan, sheet: str | None) -> str:
    """Return the id of the bytes; another sheet of the same workbook is another batch."""
    if sheet is None or source.suffix.lower() not in EXCEL_SUFFIXES:
        return scan.sha256[:16]
    return hashlib.sha256(f"{scan.sha256}\0{sheet}".encode()).hexdigest()[:16]


def _land(
    home: Home, source: Path, scan: landing.FileScan, spec: RunSpec, batch_id: str
) -> BatchRef:
    path = landing.landing_path(home, spec.dataset_id, batch_id)
    counted: list[int] = []
    file = write_whole(
        home,
        path,
        lambda partial: counted.append(_receive(source, partial, scan, sheet=spec.sheet)),
    )
    with connection.writing(home) as con:
        batches.insert_batch(
            con,
            dataset_id=spec.dataset_id,
            batch_id=batch_id,
            source_name=source.name,
            sha256=scan.sha256,
            landing_path=file.path,
            n_rows=counted[0],
        )
    return BatchRef(
        dataset_id=spec.dataset_id,
        batch_id=batch_id,
        file=file,
        source_name=source.name,
        n_rows=counted[0],
        is_new=True,
    )


def _receive(source: Path, target: Path, scan: landing.FileScan, *, sheet: str | None) -> int:
    """Land one file at ``target`` and return its number of rows; raise all its faults together."""
    suffix = source.suffix.lower()
    if suffix in PARQUET_SUFFIXES:
        n_rows = _receive_parquet(source, target)
    elif suffix in EXCEL_SUFFIXES:
        n_rows = _receive_excel(source, target, sheet)
    else:
        n_rows = _receive_text(source, target, scan)
    if n_rows == 0:
        raise_faults([header_only(source)])
    return n_rows


def _receive_text(source: Path, target: Path, scan: landing.FileScan) -> int:
    name = source.name
    with source.open("rb") as stream:
        head = stream.read(_HEAD_BYTES)
    if scan.first_nul is not None:
        raise_faults([binary_fault(name, head, scan.first_nul)])
    header, delimiter = _read_header(source)
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
            if n_rows == scan.n_lines - 1:
                return n_rows
    faults += _text_faults(source, delimiter, len(header))
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


def _read_header(source: Path) -> tuple[list[str], str]:
    with open_text(source.open("rb")) as text:
        delimiter = sniff_delimiter(text.readline())
    with open_text(source.open("rb")) as text:
        try:
            _, header = next(records(text, delimiter), (1, []))
        except csv.Error:
            header = []
    return header, delimiter


def _is_utf8(names: list[str]) -> bool:
    return not any("\udc80" <= letter <= "\udcff" for letter in "".join(names))


def _text_faults(source: Path, delimiter: str, n_fields: int) -> list[Finding]:
    with source.open("rb") as stream:
        faults = encoding_faults(source.name, stream)
    with open_text(source.open("rb")) as text:
        return faults + row_faults(source.name, text, delimiter=delimiter, n_fields=n_fields)


def _rows(source: Path, delimiter: str, n_fields: int) -> Iterator[tuple[int, list[str]]]:
    with open_text(source.open("rb")) as text:
        rows = records(text, delimiter)
        next(rows, None)
        for line, fields in rows:
            yield line, fields[:n_fields]


def _receive_parquet(source: Path, target: Path) -> int:
    try:
        names = landing.parquet_header(source)
    except (OSError, ValueError) as error:
        raise_faults([unreadable(source, "Parquet", error)])
    if faults := header_faults(source.name, names):
        raise_faults(faults)
    try:
        return landing.copy_parquet(source, target)
    except landing.UnreadableRowsError as error:
        raise_faults([unreadable(source, "Parquet", error)])


def _receive_excel(source: Path, target: Path, sheet: str | None) -> int:
    try:
        cells = landing.read_excel_cells(source, sheet)
    except Exception as error:
        # calamine raises its own family next to zipfile's and pandas'; the user can do the same.
        raise_faults([unreadable(source, "Excel", error)])
    header, rows = split_header(cells.to_numpy(dtype=object).tolist())
    if not header:
        raise_faults(
            [
                fault(
                    source.name,
                    "empty_file",
                    "the sheet is empty.",
                    "Give the sheet's name as `sheet`.",
                )
            ]
        )
    if faults := header_faults(source.name, header):
        raise_faults(faults)
    return landing.write_rows(target, land_names(header), rows)
