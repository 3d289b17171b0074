"""What small files that open to anything cost: ``python benchmarks/bombs.py``.

Each file is given to ``mmm validate`` as a user would, in a home of its own. Printed is a table:
bomb, size of the file, exit code, wall and CPU seconds, peak memory of all processes together, what
was said. The script ends with exit code 1 where one was not refused (exit code 2) within
``MAX_MB`` and ``MAX_SECONDS`` of wall time, so it wants an idle machine.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import psutil
import pyarrow as pa
import pyarrow.parquet as pq

ROOT = Path(__file__).resolve().parents[1]
MAX_MB, MAX_SECONDS = 1000.0, 20.0
HEADER = "period_start,sales,spend_tv"
ROW = "2024-01-01,1,2\n"
SHEET = "xl/worksheets/sheet1.xml"
SHEET_HEAD = (
    '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
)
SHEET_TAIL = "</sheetData></worksheet>"
POLL_SECONDS = 0.05
INVALID = 2


@dataclass(frozen=True)
class Cost:
    """What one file cost."""

    code: int
    wall: float
    cpu: float
    """Seconds of all its processes."""
    megabytes: float
    """Largest sum of resident memory over the processes of the command."""
    said: str


def write_sheet(path: Path, parts: list[str], *, times: int = 1) -> None:
    """Write a workbook whose sheet holds ``parts``, the middle one ``times`` over."""
    pd.DataFrame({"period_start": ["x"]}).to_excel(path, index=False)
    with zipfile.ZipFile(path) as book:
        others = {name: book.read(name) for name in book.namelist() if name != SHEET}
    first, middle, last = parts
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as book:
        for name, content in others.items():
            book.writestr(name, content)
        with book.open(SHEET, "w", force_zip64=True) as sheet:
            sheet.write(f"{SHEET_HEAD}{first}".encode())
            for _ in range(times):
                sheet.write(middle.encode())
            sheet.write(f"{last}{SHEET_TAIL}".encode())


def sparse_sheet(folder: Path) -> Path:
    """A cell in the first row and one in the last row and column of a sheet."""
    head = '<row r="1"><c r="A1" t="inlineStr"><is><t>period_start</t></is></c></row>'
    far = '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
    path = folder / "sparse.xlsx"
    write_sheet(path, [head, "", far])
    return path


def deflated_sheet(folder: Path) -> Path:
    """A cell whose text opens to more than a gigabyte."""
    path = folder / "deflated.xlsx"
    begin, end = '<row r="1"><c r="A1" t="inlineStr"><is><t>', "</t></is></c></row>"
    write_sheet(path, [begin, "x" * 10_000_000, end], times=120)
    return path


def many_columns(folder: Path) -> Path:
    """A text file of 100,000 columns."""
    path = folder / "columns.csv"
    names = ",".join(f"spend_{i}" for i in range(100_000))
    rows = "".join(f"2024-01-{day:02d},1,{'0,' * 99_999}0\n" for day in range(1, 29))
    path.write_text(f"period_start,sales,{names}\n{rows}")
    return path


def open_quote(folder: Path) -> Path:
    """A quote that nobody closes, with 100 MB behind it."""
    path = folder / "quote.csv"
    path.write_text(f'{HEADER}\n{ROW}2024-01-08,"1,2\n' + ROW * (100_000_000 // len(ROW)))
    return path


def line_without_end(folder: Path) -> Path:
    """A header that never ends."""
    path = folder / "line.csv"
    with path.open("w") as stream:
        stream.write(HEADER)
        for _ in range(300):
            stream.write("x" * 1_000_000)
    return path


def long_text(folder: Path) -> Path:
    """A Parquet column that repeats one text of a megabyte 20,000 times."""
    n = 20_000
    column = pa.DictionaryArray.from_arrays(pa.array(np.zeros(n, np.int32)), ["z" * 1_000_000])
    table = pa.table({"period_start": ["2024-01-01"] * n, "sales": column, "spend_tv": [1.0] * n})
    path = folder / "long.parquet"
    pq.write_table(table, path, compression="zstd")
    return path


def many_rows(folder: Path) -> Path:
    """A Parquet file of 120 million equal rows."""
    column = pa.DictionaryArray.from_arrays(pa.array(np.zeros(120_000_000, np.int8)), ["1"])
    path = folder / "rows.parquet"
    pq.write_table(pa.table({"sales": column}), path, compression="zstd")
    return path


BOMBS: dict[str, Callable[[Path], Path]] = {
    "a sheet with one cell far away": sparse_sheet,
    "a cell that opens to 1.2 GB": deflated_sheet,
    "100,000 columns": many_columns,
    "an open quote before 100 MB": open_quote,
    "a line without end, 300 MB": line_without_end,
    "Parquet that opens to 20 GB": long_text,
    "Parquet of 120 million rows": many_rows,
}


def measure(path: Path, home: Path) -> Cost:
    """Give a file to ``mmm validate`` and watch its processes."""
    began, spent_before = time.perf_counter(), cpu_of_children()
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "flows.cli.app", "validate", "--data", str(path)],
            cwd=ROOT, env={**os.environ, "MMM_HOME": str(home)},
            stdout=output, stderr=subprocess.STDOUT,
        )  # fmt: skip
        largest = 0
        watched = psutil.Process(process.pid)
        while process.poll() is None:
            largest = max(largest, resident(watched))
            time.sleep(POLL_SECONDS)
        wall = time.perf_counter() - began
        output.seek(0)
        lines = [line.strip() for line in output if line.startswith(("mmm:", "- "))]
    said = (lines or [""])[-1].replace(str(path.parent), "").replace(str(home), "HOME")
    cpu = cpu_of_children() - spent_before
    return Cost(process.returncode, wall, cpu, largest / 1e6, said)


def cpu_of_children() -> float:
    """Return the CPU seconds of all processes that were started here and have ended."""
    spent = os.times()
    return spent.children_user + spent.children_system


def resident(process: psutil.Process) -> int:
    """Return the resident memory of a process and its descendants, in bytes."""
    total = 0
    try:
        family = [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return 0
    for member in family:
        try:
            total += member.memory_info().rss
        except psutil.NoSuchProcess:
            continue
    return total


def main() -> int:
    """Print the table; return 1 if a bomb was not refused within the limits."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--only", default="", help="only bombs whose name has this text")
    only = parser.parse_args().only
    wrong: list[str] = []
    print("| bomb | file MB | exit | wall s | CPU s | MB | what it said |")
    print("|---|---|---|---|---|---|---|")
    for name, make in BOMBS.items():
        if only not in name:
            continue
        with tempfile.TemporaryDirectory(prefix="mmm-bombs-") as root:
            folder, home = Path(root) / "files", Path(root) / "home"
            folder.mkdir()
            path = make(folder)
            size = path.stat().st_size / 1e6
            cost = measure(path, home)
        said = cost.said.replace("|", "/")[:160]
        print(f"| {name} | {size:.2f} | {cost.code} | {cost.wall:.1f} | {cost.cpu:.1f} "
              f"| {cost.megabytes:.0f} | {said} |", flush=True)  # fmt: skip
        if cost.code != INVALID or cost.wall > MAX_SECONDS or cost.megabytes > MAX_MB:
            wrong.append(f"{name}: not refused within {MAX_SECONDS:.0f} s and {MAX_MB:.0f} MB")
    print(*wrong, sep="\n")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
