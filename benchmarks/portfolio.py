"""Brands a minute: ``python benchmarks/portfolio.py --help``.

Small brands (104 weeks, 4 channels) with known truth, refitted by ``mmm portfolio`` with all
artifacts, reports and MLflow, in a home of its own, with each number of workers in turn. The first
portfolio of all pays for compiled code, and is not counted; each takes in new files, so nothing is
taken over from the one before.

seconds     from the command to its end, all servers and imports with it
a minute    brands per minute of that
CPU         CPU seconds per brand of all processes; on a machine with other work the steadier figure
GB          largest resident memory of all processes together

``--simulate N`` has the real planning, scheduling, records and summary of N brands, and processes
that wait in place of refits: what a large portfolio costs beside its refits, and what it leaves.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from benchmarks.recovery.generator import Shape, generate_world  # noqa: E402
from benchmarks.recovery.tables import render_rows  # noqa: E402

SMALL = Shape(n_weeks=104, n_entities=1, n_channels=4)
COLUMNS = {
    "what": "{what:<26}", "brands": "{brands:6d}", "accepted": "{accepted:8d}",
    "seconds": "{seconds:8.1f}", "a minute": "{rate:8.1f}", "CPU": "{cpu:7.1f}", "GB": "{gb:6.2f}",
}  # fmt: skip
SIMULATED = {
    "brands": "{brands:6d}", "workers": "{workers:7d}", "seconds": "{seconds:8.1f}",
    "in the flow": "{flow:11.1f}", "waited": "{waited:7.1f}",
    "ms a brand": "{overhead:10.1f}", "CPU ms": "{cpu_ms:7.1f}",
    "prefect.db MB": "{prefect_mb:13.1f}", "portfolio MB": "{portfolio_mb:12.1f}",
}  # fmt: skip


def write_brands(folder: Path, n_brands: int, *, first_seed: int, **keys: Any) -> Path:
    """Write a file and a run spec per brand, and the portfolio that names them."""
    folder.mkdir(parents=True)
    for number in range(n_brands):
        # Named by its seed: two worlds under one name would be a file that changes history.
        name = f"brand_{first_seed + number:05d}"
        world = generate_world(first_seed + number, SMALL)
        world.rows.to_csv(folder / f"{name}.csv", index=False)
        (folder / f"{name}.yaml").write_text(f"dataset_id: {name}\ndata: {name}.csv\n")
    path = folder / "portfolio.yaml"
    path.write_text(json.dumps({"portfolio_id": "bench", "brands": ["brand_*.yaml"], **keys}))
    return path


class _Peak:
    """Largest resident memory of a process and its descendants, looked at twice a second."""

    def __init__(self, pid: int) -> None:
        self.bytes = 0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, args=[pid], daemon=True)
        self._thread.start()

    def _watch(self, pid: int) -> None:
        while not self._ended.wait(0.5):
            total = 0
            try:
                root = psutil.Process(pid)
                for process in (root, *root.children(recursive=True)):
                    total += process.memory_info().rss
            except psutil.Error:
                continue
            self.bytes = max(self.bytes, total)

    def stop(self) -> int:
        self._ended.set()
        self._thread.join()
        return self.bytes


def run_command(command: Sequence[str], home: Path, **environment: str) -> dict[str, Any]:
    """Run ``mmm portfolio`` and return its report with wall, CPU and memory."""
    before = os.times()
    started = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, *command], stdout=subprocess.PIPE, text=True,
        env={**os.environ, "MMM_HOME": str(home), "PYTHONPATH": str(ROOT), **environment},
    )  # fmt: skip
    peak = _Peak(process.pid)
    out, _ = process.communicate()
    seconds = time.perf_counter() - started
    after = os.times()
    if not out.strip():
        raise SystemExit(f"the portfolio ended with exit code {process.returncode} and no answer")
    return {
        "report": json.loads(out.strip().splitlines()[-1]),
        "seconds": seconds,
        "cpu": sum(after[2:4]) - sum(before[2:4]),
        "gb": peak.stop() / 1e9,
    }


def measure(file: Path, home: Path, what: str, workers: int) -> dict[str, Any]:
    """Refit one portfolio and return its row."""
    command = ["-m", "flows.cli.app", "portfolio", "--file", str(file), "--json",
               "--workers", str(workers)]  # fmt: skip
    run = run_command(command, home)
    brands = run["report"]["brands"]
    accepted = sum(brand["outcome"] == "accepted" for brand in brands)
    return {
        "what": what, "brands": len(brands), "accepted": accepted, "seconds": run["seconds"],
        "rate": 60 * len(brands) / run["seconds"], "cpu": run["cpu"] / len(brands), "gb": run["gb"],
    }  # fmt: skip


def measure_all(n_brands: int, workers: Sequence[int], runner: str) -> list[dict[str, Any]]:
    """Return one row per number of workers, all in one home."""
    rows = []
    with tempfile.TemporaryDirectory(prefix="mmm-bench-portfolio-") as folder:
        home = Path(folder) / "home"
        warm = write_brands(Path(folder) / "warm", 1, first_seed=1)
        measure(warm, home, "warm", 1)
        for place, n_workers in enumerate(workers, start=1):
            keys = {"runner": runner}
            seed = 1000 * place
            file = write_brands(Path(folder) / str(place), n_brands, first_seed=seed, **keys)
            rows.append(measure(file, home, f"{runner}, {n_workers} worker(s)", n_workers))
            print(render_rows(rows, COLUMNS, {"what"}), flush=True)
    return rows


def simulate(n_brands: int, n_workers: int, seconds: float) -> dict[str, Any]:
    """Run a portfolio whose refits are waits, and return what it cost beside them."""
    with tempfile.TemporaryDirectory(prefix="mmm-bench-portfolio-") as folder:
        home = Path(folder) / "home"
        source = write_brands(Path(folder) / "one", 1, first_seed=1).parent / "brand_00001.csv"
        brands = Path(folder) / "brands"
        brands.mkdir()
        for number in range(n_brands):
            text = f"dataset_id: brand_{number:05d}\ndata: {source}\n"
            (brands / f"brand_{number:05d}.yaml").write_text(text)
        keys = {"portfolio_id": "simulated", "brands": ["brand_*.yaml"], "memory_gb": 1e6}
        (brands / "portfolio.yaml").write_text(json.dumps(keys))
        file = str(brands / "portfolio.yaml")
        run = run_command(
            ["-m", "benchmarks.recovery.waiting_brand", "--portfolio", file,
             "--workers", str(n_workers)],
            home, MMM_DATA_ROOTS=str(folder), MMM_WAITING_SECONDS=str(seconds),
        )  # fmt: skip
        waited = n_brands * seconds / n_workers
        database = home / ".prefect" / "prefect.db"
        return {
            "brands": n_brands, "workers": n_workers, "seconds": run["seconds"],
            "flow": run["report"]["seconds"], "waited": waited,
            "overhead": 1000 * (run["report"]["seconds"] - waited) / n_brands,
            "cpu_ms": 1000 * run["cpu"] / n_brands,
            "prefect_mb": sum(p.stat().st_size for p in database.parent.glob("prefect.db*")) / 1e6,
            "portfolio_mb": _size(home / "data" / "portfolios") / 1e6,
        }  # fmt: skip


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--brands", type=int, default=24)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--runner", choices=("process", "dask"), default="process")
    parser.add_argument("--simulate", type=int, metavar="N", help="brands whose refits are waits")
    parser.add_argument("--seconds", type=float, default=0.2, help="of one wait")
    given = parser.parse_args()
    if given.simulate:
        rows = [simulate(given.simulate, n, given.seconds) for n in given.workers]
        print(render_rows(rows, SIMULATED, set()))
        return
    rows = measure_all(given.brands, given.workers, given.runner)
    by_workers = dict(zip(given.workers, rows, strict=True))
    if {1, 2} <= set(by_workers):
        ratio = by_workers[1]["seconds"] / by_workers[2]["seconds"]
        print(f"2 workers against 1: {ratio:.2f} times as fast")


if __name__ == "__main__":
    main()
