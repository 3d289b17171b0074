"""Workbooks and Parquet files, read in a process of their own, with limits on memory and time.

Their readers are large libraries in native code that trust what a file says of itself. One that
panics, or takes all memory, must end a child and be a finding, not end a refit.

Belongs here: both sides, the one that starts the child and the one that reads in it
(``python -m tasks.store.inputs.typed_files``). Does not: judging names and rows (``tasks.ingest``).
"""

import csv
import json
import os
import resource
import subprocess
import sys
import zipfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from schemas.names import LINE_COLUMN
from tasks.store.home import CHECKOUT
from tasks.store.inputs import landing
from tasks.store.inputs.cells import split_header
from tasks.store.inputs.limits import Limits, TooLargeError

_WALL_FACTOR = 4
"""Seconds on the wall per second of computing, on a machine that is busy."""
_MAX_PARTS = 10_000
_ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


class UnreadableFileError(ValueError):
    """The file cannot be read as what its name says; the message says why."""


@dataclass(frozen=True)
class TypedRows:
    """What a child found: the names as written, and the rows; None where they were not read."""

    names: list[str]
    n_rows: int | None
    fault: str = ""
    """Why the rows could not be read, though the names could."""


def read_excel(source: Path, rows: Path, *, sheet: str | None, limits: Limits) -> TypedRows:
    """Write the rows of one sheet as CSV, each with its line first, every cell as text.

    Parameters
    ----------
    source, rows
        The workbook, and the file to be written.
    sheet
        Name of the sheet; default the first.
    limits
        What file and reader may be.

    Returns
    -------
    TypedRows
        Names may be empty or repeated; no name at all where the sheet is empty.

    Raises
    ------
    UnreadableFileError
        If the file is beyond a limit, or its reader failed, crashed, or took too much.
    """
    request = {"kind": "Excel", "source": str(source), "target": str(rows), "sheet": sheet}
    return _answer_of(request, limits)


def read_parquet(source: Path, target: Path, *, limits: Limits) -> TypedRows:
    """Land a Parquet file, every value as text; parameters, result and errors as ``read_excel``.

    Where names are repeated, what has landed is of no use.
    """
    request = {"kind": "Parquet", "source": str(source), "target": str(target)}
    return _answer_of(request, limits)


def _answer_of(request: dict[str, Any], limits: Limits) -> TypedRows:
    answer = _run_child({**request, "limits": asdict(limits)}, limits)
    if "error" in answer:
        raise UnreadableFileError(answer["error"])
    return TypedRows(**answer)


def _run_child(request: dict[str, Any], limits: Limits) -> dict[str, Any]:
    environment = {
        **os.environ,
        **dict.fromkeys(_ONE_THREAD, "1"),
        "PYTHONPATH": os.pathsep.join(filter(None, [str(CHECKOUT), os.environ.get("PYTHONPATH")])),
    }
    try:
        done = subprocess.run(
            [sys.executable, "-m", "tasks.store.inputs.typed_files"],
            input=json.dumps(request),
            capture_output=True,
            text=True,
            env=environment,
            timeout=limits.seconds * _WALL_FACTOR,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return {"error": _too_long(limits)}
    lines = done.stdout.splitlines()
    if done.returncode == 0 and lines:
        return dict(json.loads(lines[-1]))
    if done.returncode == -_SIGXCPU:
        return {"error": _too_long(limits)}
    return {
        "error": f"its reader ended with {done.returncode}: the file is damaged, or needs more "
        f"than {limits.memory_mb:,.0f} MB to be read"
    }


_SIGXCPU = 24


def _too_long(limits: Limits) -> str:
    return f"reading it takes more than {limits.seconds:,.0f} s"


# What follows runs in the child.


def main() -> None:
    """Read one request from standard input and answer it on standard output, in JSON."""
    request = json.load(sys.stdin)
    limits = Limits(**request["limits"])
    source, target = Path(request["source"]), Path(request["target"])
    try:
        if request["kind"] == "Excel":
            answer = _read_excel(source, target, request["sheet"], limits)
        else:
            answer = _read_parquet(source, target, limits)
    except MemoryError:
        answer = {"error": f"it needs more than {limits.memory_mb:,.0f} MB to be read"}
    except TooLargeError as error:
        answer = {"error": str(error)}
    except Exception as error:
        # Each reader raises a family of its own; a user can do the same about all of them.
        answer = {"error": (str(error).splitlines() or [type(error).__name__])[0]}
    sys.stdout.write(json.dumps(answer) + "\n")


def _confine(limits: Limits) -> None:
    """Limit what the process may take from now on; what its libraries took is not the file's."""
    taken = resource.getpagesize() * int(Path("/proc/self/statm").read_text().split()[5])
    most = taken + int(limits.memory_mb * 1e6)
    for kind in (resource.RLIMIT_DATA, resource.RLIMIT_AS):
        extra = 0 if kind == resource.RLIMIT_DATA else int(4e9)
        resource.setrlimit(kind, (most + extra, most + extra))
    seconds = int(limits.seconds) or 1
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _read_excel(source: Path, target: Path, sheet: str | None, limits: Limits) -> dict[str, Any]:
    import pandas  # noqa: F401 - before memory is counted
    import python_calamine  # noqa: F401 - the same

    _require_unpacked(source, limits)
    _confine(limits)
    cells = landing.read_excel_cells(source, sheet)
    limits.require_cells(cells.shape[1], cells.shape[0])
    header, rows = split_header(cells.to_numpy(dtype=object).tolist())
    with target.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow([LINE_COLUMN, *header])
        writer.writerows([line, *values] for line, values in rows)
    return {"names": header, "n_rows": len(rows)}


def _require_unpacked(source: Path, limits: Limits) -> None:
    """Add up what a zipped workbook says that its parts hold; an old .xls is no zip."""
    if not zipfile.is_zipfile(source):
        return
    with zipfile.ZipFile(source) as book:
        parts = book.infolist()
    if len(parts) > _MAX_PARTS:
        raise TooLargeError(f"it has {len(parts):,} parts", "parts", _MAX_PARTS)
    limits.require_expanded(sum(part.file_size for part in parts))


def _read_parquet(source: Path, target: Path, limits: Limits) -> dict[str, Any]:
    import duckdb  # noqa: F401 - before memory is counted
    import pyarrow.parquet as pq

    _confine(limits)
    facts = pq.read_metadata(source)
    limits.require_cells(facts.num_columns, facts.num_rows)
    groups = map(facts.row_group, range(facts.num_row_groups))
    limits.require_expanded(sum(group.total_byte_size for group in groups))
    names = [str(name) for name in facts.schema.to_arrow_schema().names]
    try:
        n_rows = landing.copy_parquet(source, target, memory_mb=limits.memory_mb / 2)
        limits.require_expanded(landing.measure_texts(target, memory_mb=limits.memory_mb / 2))
    except landing.UnreadableRowsError as error:
        return {"names": names, "n_rows": None, "fault": str(error)}
    return {"names": names, "n_rows": n_rows}


if __name__ == "__main__":
    main()
