"""Landing a CSV file against DuckDB reading it: ``benchmarks/ingest.py [MILLIONS]``.

DuckDB's own ``read_csv`` of the same file is the measure, so the ratio holds on any machine. Both
run in a temporary home, three times in turn; the median is shown.
"""

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import duckdb

N_WEEKS = 104
REPEATS = 3

PANEL = """
copy (
    select 'store_' || (i // {weeks}) as entity_id,
           date '2024-01-01' + (7 * (i % {weeks}))::integer as period_start,
           round(1000 + 500 * random(), 2) as sales,
           (random() * 1000)::integer as act_tv,
           round(random() * 200, 2) as spend_tv,
           (random() * 9000)::integer as act_search,
           round(random() * 100, 2) as spend_search,
           round(90 + 20 * random(), 1) as ctrl_price
    from range({rows}) as t(i)
) to '{path}' (header, delimiter ',')
"""


def seconds(work: Callable[[], object]) -> float:
    """Wall seconds of one call."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def read_with_duckdb(path: Path) -> None:
    """Read the whole file into a table, types detected."""
    with duckdb.connect(config={"temp_directory": f"{path}.tmp"}) as con:
        con.execute("create table panel as from read_csv(?)", [str(path)])


def main() -> None:
    """Print one table."""
    millions = float(sys.argv[1]) if len(sys.argv) > 1 else 1.0
    n_rows = int(millions * 1_000_000)
    with tempfile.TemporaryDirectory(prefix="mmm-bench-") as folder:
        path = Path(folder) / "panel.csv"
        with duckdb.connect(config={"temp_directory": f"{path}.tmp"}) as con:
            con.execute("select setseed(0.5)")
            con.execute(PANEL.format(weeks=N_WEEKS, rows=n_rows, path=path))
        plain, landed = [], []
        for i in range(REPEATS):
            os.environ["MMM_HOME"] = str(Path(folder) / f"home{i}")
            from schemas.spec.run_spec import RunSpec
            from tasks.ingest.task import ingest_file

            spec = RunSpec(dataset_id="bench")
            plain.append(seconds(lambda: read_with_duckdb(path)))
            landed.append(seconds(lambda spec=spec: ingest_file.fn(str(path), spec)))
        size = path.stat().st_size / 1e6
    base = statistics.median(plain)
    print(f"{n_rows:,} rows, {size:,.0f} MB")
    print(f"{'way':<24}{'seconds':>10}{'ratio':>10}")
    for way, times in (("DuckDB read_csv", plain), ("ingest_file", landed)):
        middle = statistics.median(times)
        print(f"{way:<24}{middle:>10.2f}{middle / base:>10.2f}")


if __name__ == "__main__":
    main()
