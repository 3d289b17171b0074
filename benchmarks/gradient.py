"""What a gradient costs, and how long it takes to the first one: ``benchmarks/gradient.py``.

Three densities: our kernel, our PyMC graph of the same posterior, and the published pymc-marketing
specification, the last two compiled by nutpie with Numba. One thread; each in fresh processes
with new caches on disk: the first compilation of each library takes a minute or two.

us         microseconds per log density and gradient, the best of several repeats by process time
ratio      that over the kernel's; per parameter counts differ between specifications
ready s    from the built model to what can be sampled, with warm caches on disk
next week  the same on one more week of data than the caches have seen
"""

import argparse
import json
import os
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.recovery.gradient_cell import DENSITIES, KERNEL, OWN, GradientCell
from benchmarks.recovery.process import CellError, run_cell
from benchmarks.recovery.tables import render_rows

FOLDER_VARIABLE = "MMM_RECOVERY_DATA"
SETS = ("small", "growing", "medium")
MODULE = "benchmarks.recovery.gradient_cell"
ONE_THREAD = {
    f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL", "NUMBA", "RAYON")
}

COLUMNS = {
    "world": "{dataset:<8}",
    "weeks x ent x ch": "{size:<16}",
    "density": "{density:<9}",
    "parameters": "{n_parameters:>10}",
    "us": "{gradient:>9.1f}",
    "ratio": "{ratio:>6}",
    "ready s": "{ready:>8.2f}",
    "next week": "{next_week:>9.2f}",
}
"""Heading and format of every figure."""


def read_arguments() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", help=f"folder of the recovery sets; default ${FOLDER_VARIABLE}")
    parser.add_argument(
        "--worlds",
        nargs="+",
        choices=(*SETS, *OWN),
        help="default: the recovery sets where there are any, else own worlds",
    )
    parser.add_argument("--densities", nargs="+", choices=DENSITIES, default=list(DENSITIES))
    parser.add_argument("--json", type=Path, help="also write all figures to this file")
    return parser.parse_args()


def measure_density(cell: GradientCell, caches: str) -> dict[str, Any]:
    """Measure one density; the first of three processes only warms the caches of earlier data."""
    own = {"XDG_CACHE_HOME": caches, "PYTENSOR_FLAGS": f"base_compiledir={caches}/pytensor"}
    _, warm, later = (
        run_cell(
            MODULE,
            {**asdict(cell), "weeks_left_out": left_out},
            environment=ONE_THREAD | own,
        )
        for left_out in (1, 1, 0)
    )
    return {**asdict(cell), **later, "ready": warm["ready"], "next_week": later["ready"]}


def measure_all(cells: list[GradientCell]) -> tuple[list[dict[str, Any]], int]:
    """Measure cell by cell, one line each as it ends; return figures and how many failed.

    All have caches of this run alone: an earlier run would have seen the next week.
    """
    rows, failures = [], 0
    with tempfile.TemporaryDirectory(prefix="mmm-bench-") as caches:
        for cell in cells:
            name = f"{cell.dataset} {cell.density}"
            try:
                rows.append(measure_density(cell, caches))
            except CellError as error:
                failures += 1
                print(f"{name} failed: {error}", flush=True)
                continue
            print(f"{name}: {rows[-1]['gradient']:.1f} us", flush=True)
    return rows, failures


def add_ratios(rows: list[dict[str, Any]]) -> None:
    """Time of a gradient over the kernel's on the same world."""
    kernel = {r["dataset"]: r["gradient"] for r in rows if r["density"] == KERNEL}
    for row in rows:
        base = kernel.get(row["dataset"])
        row["ratio"] = f"{row['gradient'] / base:.1f}" if base else "-"


def render_table(rows: list[dict[str, Any]]) -> str:
    """Return the table as text."""
    return render_rows(rows, COLUMNS, ("world", "weeks x ent x ch", "density"))


def main() -> int:
    """Print one line per density as it ends, then the table; 1 where one failed."""
    args = read_arguments()
    folder = args.data or os.environ.get(FOLDER_VARIABLE) or ""
    cells = [
        GradientCell(dataset, folder, density)
        for dataset in args.worlds or (SETS if folder else tuple(OWN))
        for density in args.densities
    ]
    rows, failures = measure_all(cells)
    add_ratios(rows)
    if args.json:
        args.json.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")
    if rows:
        print(render_table(rows))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
