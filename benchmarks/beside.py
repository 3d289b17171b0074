"""A small brand beside a large one in the same home: ``python benchmarks/beside.py --help``.

``mmm refit`` and ``mmm validate`` of a brand (104 weeks, 4 channels), in turn alone and beside a
dataset of many cells whose warehouse lies in the same folder. Nothing of it should be waited for,
locked or copied: the ratios should be 1, but for the noise that those of ``alone`` show.

seconds     from the command to its end
CPU         CPU seconds of all its processes; on a machine with other work the steadier figure
ratio       CPU, against the median of ``alone``
"""

import argparse
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from benchmarks.portfolio import run_command, write_brands  # noqa: E402
from benchmarks.recovery.tables import render_rows  # noqa: E402
from tasks.store.home import Home  # noqa: E402
from tasks.store.warehouse import files  # noqa: E402
from tasks.store.warehouse.places import warehouse_of  # noqa: E402

COLUMNS = {
    "command": "{command:<10}", "where": "{where:<8}", "seconds": "{seconds:8.1f}",
    "CPU": "{cpu:7.1f}", "ratio": "{ratio:6.2f}",
}  # fmt: skip
N_ENTITIES, N_WEEKS = 200, 208


def write_large(path: Path, n_cells: int) -> None:
    """Write a warehouse with so many cells, by SQL: entities x weeks x as many channels as fit."""
    with files.opened_for_writing(path) as con:
        con.execute(files.ddl())
        con.execute(
            "insert into canonical.media select 'large', 'market ' || (i % $entities), "
            "date '2022-01-03' + 7 * ((i // $entities) % $weeks)::int, "
            "'channel ' || (i // ($entities * $weeks)), 'spend', (i * 7919 % 100003) / 7.0, "
            "'batch', date '2026-01-01' from range($cells) t(i)",
            {"entities": N_ENTITIES, "weeks": N_WEEKS, "cells": n_cells},
        )


@contextmanager
def beside(home: Home, large: Path) -> Iterator[None]:
    """Let the large dataset be in the home."""
    there = warehouse_of(home, "large")
    large.rename(there)
    try:
        yield
    finally:
        there.rename(large)


def measure(n_cells: int, rounds: int) -> list[dict[str, Any]]:
    """Return a row per command and place, each in turn with the others."""
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(prefix="mmm-bench-beside-") as name:
        folder = Path(name)
        home, large = Home(folder / "home"), folder / "large.duckdb"
        brand = write_brands(folder / "brand", 1, first_seed=1).parent / "brand_00001.yaml"
        refit = ["-m", "flows.cli.app", "refit", "--spec", str(brand), "--json"]
        validate = [
            "-m", "flows.cli.app", "validate", "--spec", str(brand),
            "--data", str(brand.with_suffix(".csv")), "--json",
        ]  # fmt: skip
        run_command(refit, home.root)  # pays for compiled code
        write_large(large, n_cells)
        print(f"{n_cells:,} cells: {large.stat().st_size / n_cells:.1f} bytes each", flush=True)
        for _ in range(rounds):
            for verb, command in (("refit", refit), ("validate", validate)):
                run = run_command(command, home.root)
                rows.append({"command": verb, "where": "alone", **run})
                with beside(home, large):
                    run = run_command(command, home.root)
                rows.append({"command": verb, "where": "beside", **run})
    for row in rows:
        alone = [r["cpu"] for r in rows if (r["command"], r["where"]) == (row["command"], "alone")]
        row["ratio"] = row["cpu"] / median(alone)
    return rows


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--cells", type=int, default=12_500_000)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    rows = measure(given.cells, given.rounds)
    print(render_rows(sorted(rows, key=lambda r: (r["command"], r["where"])), COLUMNS, set()))


if __name__ == "__main__":
    main()
