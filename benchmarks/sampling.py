"""Our core against the published specification: ``python benchmarks/sampling.py --help``.

One run, one table, so that ratios hold on any machine. Each row is one fit in a fresh process with
warm compile caches on disk; imports are not counted. ``pymc`` and ``nutpie`` are the two samplers
of the published pymc-marketing specification (``benchmarks/recovery/published_spec.py``).

ess        smallest bulk ESS over all parameters and channel totals; r_hat the largest R-hat
ess/s      ess over build + compile + sample; ratio is that over pymc on the same set
build      our constants (data, priors, geometry), or the published specification's graph
compile    from there to the first draw: our kernel's machine code, mode and curvature; for the
           published specification all of ``MMM.fit`` but the sampling time PyMC reports
srmse      mean over entity × channel of RMSE / |mean true contribution|
cover90    share of 90 % intervals of entity × channel totals that hold the truth
"""

import argparse
import json
import os
import re
import sys
from pathlib import Path
from typing import Any

from benchmarks.recovery.cell import OURS, SAMPLERS, Cell, measure_cell
from benchmarks.recovery.process import CellError
from benchmarks.recovery.tables import render_rows

FOLDER_VARIABLE = "MMM_RECOVERY_DATA"
SETS = ("small", "growing", "medium")
LARGE = "large"
REFERENCE = "pymc"
SETTINGS = ("all=4x1000/1000", "pymc@medium=2x500/500", "nutpie@medium=2x1000/1000")
"""The product's chains and draws; the published specification on medium takes long, so it gets
less. ``target_accept`` is the published 0.9 for all, the product's own default is 0.95."""

NO_SETS = f"""\
Skipped: no recovery sets. {FOLDER_VARIABLE} (or --data) names the folder with
<name>_business.csv and <name>_business_truth.csv, which the public generator of
https://github.com/pymc-labs/mmm-param-recovery writes with seed 20250715."""

COLUMNS = {
    "dataset": "{dataset:<9}",
    "sampler": "{sampler:<8}",
    "chains x tune/draws": "{settings:<19}",
    "build": "{build:>7.1f}",
    "compile": "{compile:>8.1f}",
    "sample": "{sample:>8.1f}",
    "total s": "{total:>8.1f}",
    "ess": "{ess_bulk_min:>7.0f}",
    "r_hat": "{r_hat_max:>7.3f}",
    "div": "{n_divergences:>5}",
    "ess/s": "{ess_per_second:>9.2f}",
    "ratio": "{ratio:>7}",
    "peak MB": "{peak_mb:>8.0f}",
    "srmse": "{srmse:>7.3f}",
    "cover90": "{coverage:>8.2f}",
}
"""Heading and format of every figure."""

_SETTING = re.compile(r"(?P<for>[a-z]+(@[a-z]+)?)=(?P<chains>\d+)x(?P<tune>\d+)/(?P<draws>\d+)")


def read_arguments() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", help=f"folder of the recovery sets; default ${FOLDER_VARIABLE}")
    parser.add_argument("--datasets", nargs="+", choices=(*SETS, LARGE), default=list(SETS))
    parser.add_argument("--samplers", nargs="+", choices=SAMPLERS, default=list(SAMPLERS))
    parser.add_argument("--large", action="store_true", help="fit large too, with our core only")
    parser.add_argument(
        "--settings",
        nargs="+",
        default=[],
        metavar="WHO=CHAINSxTUNE/DRAWS",
        help="WHO is all, SAMPLER or SAMPLER@DATASET; the last that fits wins; "
        f"default {' '.join(SETTINGS)}",
    )
    parser.add_argument("--target-accept", type=float, default=0.9)
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument("--json", type=Path, help="also write all figures to this file")
    return parser.parse_args()


def parse_settings(texts: list[str]) -> dict[str, dict[str, int]]:
    """Return ``{who: {chains, tune, draws}}`` in the order given."""
    found = {}
    for text in texts:
        match = _SETTING.fullmatch(text)
        if match is None:
            raise SystemExit(
                f"--settings {text!r} is not WHO=CHAINSxTUNE/DRAWS, as in pymc@medium=2x500/500."
            )
        found.pop(match["for"], None)
        found[match["for"]] = {key: int(match[key]) for key in ("chains", "tune", "draws")}
    return found


def choose_settings(
    settings: dict[str, dict[str, int]], sampler: str, dataset: str
) -> dict[str, int]:
    """Return the last of the settings that are for this cell."""
    mine = {"all", sampler, f"{sampler}@{dataset}"}
    return [value for who, value in settings.items() if who in mine][-1]


def plan_cells(args: argparse.Namespace, folder: Path) -> list[Cell]:
    """List the cells in the order of the table."""
    datasets = list(dict.fromkeys([*args.datasets, *([LARGE] if args.large else [])]))
    settings = parse_settings([*SETTINGS, *args.settings])
    return [
        Cell(
            dataset=dataset,
            sampler=sampler,
            folder=str(folder),
            target_accept=args.target_accept,
            seed=args.seed,
            **choose_settings(settings, sampler, dataset),
        )
        for dataset in datasets
        for sampler in args.samplers
        if dataset != LARGE or sampler == OURS
    ]


def measure_all(cells: list[Cell]) -> tuple[list[dict[str, Any]], list[str]]:
    """Measure cell by cell, one line each as it ends; a cell that fails costs only itself."""
    rows, failures = [], []
    for cell in cells:
        name = f"{cell.dataset} {cell.sampler}"
        try:
            figures = measure_cell(cell)
        except CellError as error:
            failures.append(f"{name} failed: {error}")
            print(failures[-1], flush=True)
            continue
        label = f"{cell.chains} x {cell.tune}/{cell.draws}"
        rows.append(
            {"dataset": cell.dataset, "sampler": cell.sampler, "settings": label, **figures}
        )
        print(
            f"{name}: {figures['total']:.1f} s, {figures['ess_per_second']:.2f} ESS/s", flush=True
        )
    return rows, failures


def add_ratios(rows: list[dict[str, Any]]) -> None:
    """ESS per second over that of the published specification with PyMC's sampler."""
    reference = {r["dataset"]: r["ess_per_second"] for r in rows if r["sampler"] == REFERENCE}
    for row in rows:
        base = reference.get(row["dataset"])
        row["ratio"] = f"{row['ess_per_second'] / base:.1f}" if base else "-"


def render_table(rows: list[dict[str, Any]]) -> str:
    """Return the table as text."""
    return render_rows(rows, COLUMNS, ("dataset", "sampler", "chains x tune/draws"))


def main() -> int:
    """Print one table; 1 where a cell failed."""
    args = read_arguments()
    folder = args.data or os.environ.get(FOLDER_VARIABLE)
    if not folder:
        print(NO_SETS)
        return 0
    rows, failures = measure_all(plan_cells(args, Path(folder).resolve()))
    add_ratios(rows)
    if args.json:
        args.json.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")
    if rows:
        print(f"{len(os.sched_getaffinity(0))} cores, target_accept {args.target_accept}")
        print(render_table(rows))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
