"""The landing zone: received files as Parquet, every column as text, plus the line it came from.

Belongs here: hashing a received file, copying CSV, Parquet and Excel rows, reading them.
Does not: saying what is wrong with a file, typing values.
Invariant: one folder per dataset, one immutable file per batch, named by the content of its bytes.
"""
# ruff: noqa: S608 - identifiers and literals are quoted by text_values

import csv
import hashlib
import tempfile
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from schemas.names import LINE_COLUMN
from schemas.refs import BatchRef
from tasks.store import instances
from tasks.store.files.artifacts import open_ref
from tasks.store.home import Home
from tasks.store.inputs.text_values import literal, quote

if TYPE_CHECKING:
    import pandas as pd

_CHUNK_BYTES = 1 << 22


class UnreadableRowsError(ValueError):
    """The reader could not split a file into rows; the caller finds out why."""


@dataclass(frozen=True)
class FileScan:
    """What one pass over a file's bytes reports."""

    sha256: str
    n_bytes: int
    n_lines: int
    first_nul: int | None
    """Offset of the first NUL byte; text has none."""


def receive_copy(source: Path, copy: Path) -> FileScan:
    """Copy a received file, and hash and count the copy's bytes in the same pass.

    What is hashed is what is read later: the file itself may be replaced or grow meanwhile.

    Parameters
    ----------
    source
        The file as received.
    copy
        Where its copy goes; must not exist.

    Returns
    -------
    FileScan
        Hash, size, lines and the first NUL of the copy.
    """
    digest, n_bytes, n_newlines, first_nul, last = hashlib.sha256(), 0, 0, None, b""
    copy.parent.mkdir(parents=True, exist_ok=True)
    with source.open("rb") as stream, copy.open("xb") as target:
        while chunk := stream.read(_CHUNK_BYTES):
            target.write(chunk)
            digest.update(chunk)
            n_newlines += chunk.count(b"\n")
            if first_nul is None and (at := chunk.find(b"\0")) >= 0:
                first_nul = n_bytes + at
            n_bytes += len(chunk)
            last = chunk[-1:]
    n_lines = n_newlines + (0 if last in (b"\n", b"") else 1)
    return FileScan(digest.hexdigest(), n_bytes, n_lines, first_nul)


def landing_path(home: Home, dataset_id: str, batch_id: str) -> Path:
    """Return where a batch lands."""
    return home.landing / dataset_id / f"{batch_id}.parquet"


def count_landed(path: Path) -> int | None:
    """Return the number of rows of a landed file; None where there is none that can be read."""
    if not path.is_file():
        return None
    counting = f"select num_rows from parquet_file_metadata({literal(str(path))})"
    try:
        ((n_rows,),) = _ask(counting, folder=path.parent)
    except UnreadableRowsError:
        return None
    return int(n_rows)


def copy_csv(source: Path, target: Path, *, names: Sequence[str], delimiter: str) -> int:
    """Stream a well-formed CSV file into landing and return its number of rows.

    Line numbers are those of the file as long as every row is one line; the caller checks that.

    Raises
    ------
    UnreadableRowsError
        If a row does not fit the header, a quote is not closed, or the text is not UTF-8.
    """
    select = f"row_number() over () + 1 as {LINE_COLUMN}, * "
    return _copy_csv(source, target, names=names, delimiter=delimiter, select=select)


def copy_csv_with_lines(
    rows: Iterator[tuple[int, list[str]]], target: Path, *, names: Sequence[str]
) -> int:
    """Land rows that were parsed one by one, each with its own line number.

    For files where a row is not a line: line breaks inside quotes, blank lines, mixed line ends.
    """
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        rewritten = Path(folder) / "rewritten.csv"
        with rewritten.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.writer(stream, lineterminator="\n")
            writer.writerow([LINE_COLUMN, *names])
            writer.writerows([line, *fields] for line, fields in rows)
        return copy_lines(rewritten, target, names=names)


def copy_lines(source: Path, target: Path, *, names: Sequence[str]) -> int:
    """Land a CSV file that was written here, its first column the line, and return its rows."""
    select = f"* replace (cast({LINE_COLUMN} as bigint) as {LINE_COLUMN}) "
    return _copy_csv(source, target, names=[LINE_COLUMN, *names], delimiter=",", select=select)


def _copy_csv(
    source: Path, target: Path, *, names: Sequence[str], delimiter: str, select: str
) -> int:
    columns = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in names)
    options = (
        f"columns = {{{columns}}}, auto_detect = false, header = true, "
        f"delim = {literal(delimiter)}, "
        "quote = '\"', escape = '\"', strict_mode = true, encoding = 'utf-8'"
    )
    return _copy(f"select {select} from read_csv({literal(str(source))}, {options})", target)


def _copy(query: str, target: Path, *, memory_mb: float | None = None) -> int:
    statement = f"copy ({query}) to {literal(str(target))} (format parquet)"
    ((n_rows,),) = _ask(statement, folder=target.parent, memory_mb=memory_mb)
    return int(n_rows)


def _ask(statement: str, *, folder: Path, memory_mb: float | None = None) -> list[tuple[Any, ...]]:
    with _connected(folder, memory_mb=memory_mb) as con:
        try:
            return con.execute(statement).fetchall()
        except duckdb.Error as error:
            raise UnreadableRowsError(str(error).splitlines()[0]) from error


@contextmanager
def _connected(
    folder: Path, *, memory_mb: float | None = None
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open an in-memory database; where its memory is limited, nothing is put aside on disk.

    Else what does not fit goes into a folder of ``folder``, a dataset's landing zone: it is made
    when it is needed and goes with the connection, or with the leftovers of a killed process.
    """
    if memory_mb is None:
        with instances.in_memory(folder / f"tmp{uuid.uuid4().hex}") as con:
            con.execute("set enable_progress_bar = false")
            yield con
        return
    # With limits of its own, it is nobody else's.
    with duckdb.connect(":memory:") as con:
        con.execute("set enable_progress_bar = false")
        con.execute(f"set memory_limit = '{memory_mb:.0f}MB'")
        con.execute("set threads = 1")
        con.execute("set temp_directory = ''")
        yield con


def copy_parquet(source: Path, target: Path, *, memory_mb: float | None = None) -> int:
    """Copy a Parquet file into landing, every value as text that reads back exactly.

    Parameters
    ----------
    source, target
        The file, and where its rows land.
    memory_mb
        What the engine may take; default: its own limit.

    Returns
    -------
    int
        Rows landed.

    Raises
    ------
    UnreadableRowsError
        If the file cannot be read, or not in that much memory.
    """
    received = f"read_parquet({literal(str(source))})"
    columns = _ask(f"describe select * from {received}", folder=target.parent)
    texts = ", ".join(
        f"cast({_numeric_flag(quote(name), kind)} as varchar) as {quote(name)}"
        for name, kind, *_ in columns
    )
    query = f"select row_number() over () + 1 as {LINE_COLUMN}, {texts} from {received}"
    return _copy(query, target, memory_mb=memory_mb)


def measure_texts(landed: Path, *, memory_mb: float) -> int:
    """Return how many bytes the values of a landed file are, each written out.

    A Parquet file says how large it is with repeated values kept once; whoever reads it has each of
    them.

    Parameters
    ----------
    landed
        A file of ``copy_parquet``.
    memory_mb
        What the engine may take.

    Raises
    ------
    UnreadableRowsError
        If it cannot be measured in that much memory.
    """
    (sums,) = _ask(
        f"select sum(strlen(columns(* exclude ({LINE_COLUMN})))) "
        f"from read_parquet({literal(str(landed))})",
        folder=landed.parent,
        memory_mb=memory_mb,
    )
    return int(sum(each or 0 for each in sums))


def _numeric_flag(column: str, kind: str) -> str:
    return f"cast({column} as tinyint)" if kind == "BOOLEAN" else column


def read_excel_cells(source: Path, sheet: str | None) -> "pd.DataFrame":
    """Read one sheet, header row included, every cell as the object it is.

    Returns
    -------
    pd.DataFrame
        One row per row of the sheet, columns numbered from 0.

    Raises
    ------
    ValueError
        If there is no sheet of that name; the message lists those there are.
    """
    import pandas as pd

    with pd.ExcelFile(source, engine="calamine") as book:
        if sheet is not None and sheet not in book.sheet_names:
            raise ValueError(f"no sheet {sheet!r}; it has {', '.join(map(repr, book.sheet_names))}")
        return pd.read_excel(book, sheet_name=sheet or 0, header=None, dtype=object)


@contextmanager
def opened(home: Home, batch: BatchRef) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open an in-memory database with the batch, after checking its hash.

    View ``received`` is what landed; view ``landed`` is what is read, see ``keys.unify_entities``.
    """
    path = open_ref(home, batch.file)
    with _connected(path.parent) as con:
        con.execute(f"create view received as select * from read_parquet({literal(str(path))})")
        con.execute("create view landed as select * from received")
        yield con


def header_of(con: duckdb.DuckDBPyConnection) -> list[str]:
    """Return the source columns of an opened batch."""
    described: list[tuple[Any, ...]] = con.execute("describe landed").fetchall()
    return [name for name, *_ in described if name != LINE_COLUMN]
