"""Uploaded files: received, looked into, deleted. Plain functions, for who serves them.

Does not: land a file, which a refit does (``task.ingest_file``), or judge it (``tasks.validate``).
"""

import csv
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from schemas.answers.datasets import (
    ColumnUse,
    Dataset,
    DeletedDataset,
    FileColumn,
    FileColumns,
    FileRows,
    UploadedFile,
)
from schemas.documents.results import RunRecord
from schemas.errors import SpecError, StorageError, UnknownRunError
from schemas.hints import suggest
from schemas.names import PARQUET_SUFFIXES, TEXT_SUFFIXES
from schemas.spec.errors import parse_model
from schemas.spec.roles import resolve_roles
from schemas.spec.run_spec import RunSpec
from tasks.ingest.file_faults import raise_faults, require_ending, require_plain_name, unreadable
from tasks.ingest.text_faults import header_faults, land_names, open_text, records, sniff_delimiter
from tasks.store.home import CHECKOUT, current_home
from tasks.store.inputs import typed_files, uploads
from tasks.store.inputs.limits import current_limits
from tasks.store.inputs.uploads import Incoming
from tasks.store.warehouse.runs import datasets_with_runs, list_runs

if TYPE_CHECKING:
    import pyarrow.parquet as pq

__all__ = [
    "Incoming", "delete_dataset", "describe_columns", "find_datasets", "load_demo",
    "newest_file", "open_dataset", "read_rows", "receive", "require_dataset_id",
]  # fmt: skip

DEMO_ID = "demo"
"""Dataset of the demo, as its run spec names it."""
_PIECE_BYTES = 1 << 20
_LOOKED_AT = 200
"""Rows that tell what a column holds."""
_HEADER_CHARACTERS = 1 << 20


def receive(dataset_id: str, file_name: str) -> Incoming:
    """Begin to receive a file.

    Raises
    ------
    SpecError
        If the id is none of a dataset.
    DataContractError
        If the name is none of a file, or its ending says nothing that we can read.
    """
    require_dataset_id(dataset_id)
    require_plain_name(file_name)
    require_ending(uploads.safe_name(file_name))
    limit = current_limits().file_mb * 1e6
    return Incoming(current_home(), dataset_id, file_name, max_bytes=limit)


def require_dataset_id(dataset_id: str) -> None:
    """Raise if a text is no id of a dataset: it becomes the name of a folder.

    Raises
    ------
    SpecError
        With the rule.
    """
    parse_model(RunSpec, {"dataset_id": dataset_id}, source="The dataset")


def load_demo() -> UploadedFile:
    """Receive the file of the demo, a made-up company whose truth is known, as an upload of it.

    Raises
    ------
    StorageError
        If the disk is full, or the demo is not there.
    """
    path = CHECKOUT / "data" / "demo" / "panel.csv"
    if not path.is_file():
        raise StorageError(f"{path} is not there; restore it from the repository.")
    incoming = receive(DEMO_ID, path.name)
    try:
        with path.open("rb") as stream:
            while piece := stream.read(_PIECE_BYTES):
                incoming.write(piece)
        return incoming.finish()
    finally:
        incoming.abandon()


def find_datasets() -> list[Dataset]:
    """Return every dataset that has a file or a run, in alphabetical order."""
    home = current_home()
    names = {*uploads.uploaded_datasets(home), *datasets_with_runs(home)}
    runs = list_runs(home)
    return [_dataset(name, runs) for name in sorted(names)]


def open_dataset(dataset_id: str) -> Dataset:
    """Return one dataset.

    Raises
    ------
    UnknownRunError
        Naming the nearest one.
    """
    require_dataset_id(dataset_id)
    home = current_home()
    known = {*uploads.uploaded_datasets(home), *datasets_with_runs(home)}
    if dataset_id not in known:
        hint = suggest(dataset_id, sorted(known), "upload a file of it first.")
        raise UnknownRunError(f"No dataset {dataset_id!r}; {hint}")
    # One that was only uploaded has no run, which a list of runs of it would refuse.
    return _dataset(dataset_id, [run for run in list_runs(home) if run.dataset_id == dataset_id])


def newest_file(dataset_id: str) -> Path:
    """Return the newest file of a dataset.

    Raises
    ------
    UnknownRunError
        If it has none.
    """
    require_dataset_id(dataset_id)
    return uploads.newest_upload(current_home(), dataset_id)


def delete_dataset(dataset_id: str) -> DeletedDataset:
    """Delete the uploaded files of a dataset; its runs, and what they landed, stay.

    Raises
    ------
    UnknownRunError
        If there is no such dataset.
    """
    files = open_dataset(dataset_id).files
    n_bytes = uploads.remove_uploads(current_home(), dataset_id)
    return DeletedDataset(
        dataset_id=dataset_id, files=[file.file_name for file in files], n_bytes=n_bytes
    )


def read_rows(dataset_id: str, *, start: int, n_rows: int) -> FileRows:
    """Return some rows of the newest file of a dataset, every value as its text.

    Parameters
    ----------
    dataset_id
        The dataset.
    start
        Rows that are left out before.
    n_rows
        Rows at most.

    Raises
    ------
    DataContractError
        If the file cannot be split into rows.
    """
    with _opened(newest_file(dataset_id)) as (columns, rows):
        return FileRows(columns=columns, rows=list(islice(rows, start, start + n_rows)))


def describe_columns(dataset_id: str) -> FileColumns:
    """Return the columns of the newest file, with what a refit without a mapping takes them for."""
    with _opened(newest_file(dataset_id)) as (columns, rows):
        head = list(islice(rows, _LOOKED_AT))
    try:
        uses, problem = _uses(columns), None
    except SpecError as error:
        uses, problem = {}, str(error)
    return FileColumns(
        dataset_id=dataset_id,
        columns=[
            FileColumn(
                name=name,
                kind=_kind([row[i] for row in head if i < len(row)]),
                use=uses.get(name, ColumnUse.IGNORED),
            )
            for i, name in enumerate(columns)
        ],
        problem=problem,
    )


def _dataset(dataset_id: str, runs: Sequence[RunRecord]) -> Dataset:
    """Describe a dataset; ``runs`` has all of its runs, newest first, and may have others'."""
    own = [run.run_id for run in runs if run.dataset_id == dataset_id]
    return Dataset(
        dataset_id=dataset_id,
        files=uploads.list_uploads(current_home(), dataset_id),
        n_runs=len(own),
        newest_run_id=own[0] if own else None,
    )


@contextmanager
def _opened(path: Path) -> Iterator[tuple[list[str], Iterator[list[str]]]]:
    """Open a file as its header and its rows, read as they are asked for."""
    if path.suffix in PARQUET_SUFFIXES:
        with _landed(path) as landed:
            yield landed
    elif path.suffix in TEXT_SUFFIXES:
        with path.open("rb") as stream, open_text(stream) as text:
            header = text.readline(_HEADER_CHARACTERS)
            mark = sniff_delimiter(header)
            text.seek(0)
            yield _split(path.name, text, mark)
    else:
        said = "rows of a workbook are not shown here, a refit reads them"
        raise_faults([unreadable(path.name, "text or Parquet", said)])


def _split(name: str, text: Iterator[str], mark: str) -> tuple[list[str], Iterator[list[str]]]:
    found = records(text, mark)

    def rows() -> Iterator[list[str]]:
        try:
            for _, fields in found:
                yield [_shown(value) for value in fields]
        except csv.Error as error:
            raise_faults([unreadable(name, "text", str(error))])

    every = rows()
    return land_names(next(every, [])), every


@contextmanager
def _landed(path: Path) -> Iterator[tuple[list[str], Iterator[list[str]]]]:
    """Open a Parquet file as its texts, which a process of its own has read within limits.

    Its own reader would take in this process whatever memory the file asks for.
    """
    import pyarrow.parquet as pq

    with tempfile.TemporaryDirectory(prefix="mmm-rows-") as folder:
        target = Path(folder) / "rows.parquet"
        try:
            found = typed_files.read_parquet(path, target, limits=current_limits())
        except typed_files.UnreadableFileError as error:
            raise_faults([unreadable(path.name, "Parquet", str(error))])
        if faults := header_faults(path.name, found.names):
            raise_faults(faults)
        if found.n_rows is None:
            raise_faults([unreadable(path.name, "Parquet", found.fault)])
        with pq.ParquetFile(target) as texts:
            yield found.names, _texts(texts, found.names)


def _texts(file: "pq.ParquetFile", names: list[str]) -> Iterator[list[str]]:
    for batch in file.iter_batches(batch_size=1000, columns=names):
        for values in zip(*(column.to_pylist() for column in batch.columns), strict=True):
            yield ["" if value is None else str(value) for value in values]


def _shown(text: str) -> str:
    """Return a text that JSON can hold: bytes that are no UTF-8 become a mark."""
    return text.encode("utf-8", errors="surrogateescape").decode("utf-8", errors="replace")


def _uses(columns: Sequence[str]) -> dict[str, ColumnUse]:
    roles = resolve_roles(RunSpec(dataset_id="unnamed"), columns)
    uses = {roles.period: ColumnUse.PERIOD, roles.kpi: ColumnUse.KPI}
    if roles.entity:
        uses[roles.entity] = ColumnUse.ENTITY
    for channel in roles.channels:
        if channel.activity:
            uses[channel.activity] = ColumnUse.ACTIVITY
        if channel.spend:
            uses[channel.spend] = ColumnUse.SPEND
    return uses | {control.source: ColumnUse.CONTROL for control in roles.controls}


def _kind(values: Sequence[str]) -> str:
    given = [value.strip() for value in values if value.strip()]
    if given and all(_is_number(value) for value in given):
        return "number"
    dated = all(len(v) >= 8 and v[:4].isdigit() and v[4] in "-/." for v in given)
    return "date" if given and dated else "text"


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
