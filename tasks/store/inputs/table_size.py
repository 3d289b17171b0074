"""How large the table of an input file is, without reading it: what memory is planned by."""

import zipfile
from pathlib import Path

from schemas.names import EXCEL_SUFFIXES, PARQUET_SUFFIXES

_BLOCK = 1 << 20
_SEPARATORS = (b",", b";", b"\t", b"|")
_BYTES_PER_CELL = 15
"""Of a worksheet, unpacked; a cell with its tags is longer, so that this errs to the safe side."""
_BYTES_PER_OLD_CELL = 6
"""Of an ``.xls``, which is not packed: the shortest cell of its format."""
_SHEET_COLUMNS = 10


def measure_table(path: Path) -> tuple[int, int]:
    """Return rows and columns at most; of a workbook an estimate by what it unpacks to.

    Raises
    ------
    OSError
        If the file cannot be opened.
    ValueError
        If it is no Parquet file or workbook though its name says so.
    """
    suffix = path.suffix.lower()
    if suffix in PARQUET_SUFFIXES:
        import pyarrow.parquet as pq

        # Its own error of a file that is no Parquet is a ValueError.
        facts = pq.read_metadata(path)
        return facts.num_rows, facts.num_columns
    if suffix == ".xls":
        return path.stat().st_size // _BYTES_PER_OLD_CELL // _SHEET_COLUMNS, _SHEET_COLUMNS
    if suffix in EXCEL_SUFFIXES:
        try:
            with zipfile.ZipFile(path) as book:
                unpacked = sum(part.file_size for part in book.infolist())
        except zipfile.BadZipFile as error:
            raise ValueError(f"{path.name} is no workbook") from error
        return unpacked // _BYTES_PER_CELL // _SHEET_COLUMNS, _SHEET_COLUMNS
    return _measure_text(path)


def _measure_text(path: Path) -> tuple[int, int]:
    """Count lines, and separators of the first one."""
    with path.open("rb") as stream:
        block = stream.read(_BLOCK)
        head = block.partition(b"\n")[0]
        n_rows = 0
        while block:
            n_rows += block.count(b"\n")
            block = stream.read(_BLOCK)
    return n_rows, 1 + max(head.count(mark) for mark in _SEPARATORS)
