"""Which silent failures are found, and how often falsely? See ``--help``.

Ten worlds in which the default model is wrong, or has nothing to find, each in one way
(``benchmarks/recovery/hard_worlds``), and a plain one in which it is about right. A detector is one
number per fit; it calls from a limit on that a tenth of the plain world's fits with seeds from 1000
on exceed. Which detector is held against which world is chosen on those seeds too. Everything that
is printed is of seeds from 9000 on.

Rows: detectors. Columns: share of fits that each calls; ``plain`` is its false alarms. Below, for
every world, the chosen detector, its true and false positives, and how far all media together are
off in that world (median of the absolute error, in points of the KPI).
"""

import argparse
import json
import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.recovery.detector_fit import score_world
from benchmarks.recovery.tables import render_rows
from schemas.spec.sampler import SamplerSpec

PLAIN = "base"
WORLDS = {
    "demand": "unseen demand",
    "collinear 0.9": "collinear",
    "misreported": "spend outliers",
    "step": "trend break",
    "s-shaped": "saturation",
    "long carryover": "adstock",
    "heavy tails": "heavy tails",
    "reverse": "reverse",
    "drifting effect": "time-varying",
    "no effect": "no effect",
}
"""Recipe of each world, and its heading."""
CHOOSING, REPORTING = 1000, 9000
FALSE_ALARMS = 0.1
Row = dict[str, Any]


def read_arguments() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--plain", type=int, default=16, help="plain worlds, each time")
    parser.add_argument("--choose", type=int, default=4, help="worlds of each kind to choose on")
    parser.add_argument("--report", type=int, default=6, help="worlds of each kind to report")
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--draws", type=int, default=500, help="and as many tuning draws")
    parser.add_argument(
        "--json", type=Path, help="also write the scores of every fit; those in it are taken over"
    )
    return parser.parse_args()


def find_limits(rows: Sequence[Row]) -> dict[str, float]:
    """Limit of every detector: the one that a tenth of plain worlds exceed."""
    plain = [row["scores"] for row in rows if row["world"] == PLAIN]
    return {
        name: float(np.quantile([scores[name] for scores in plain], 1 - FALSE_ALARMS))
        for name in plain[0]
    }


def call_rate(rows: Sequence[Row], world: str, detector: str, limit: float) -> float:
    """Share of a world's fits that a detector calls."""
    own = [row["scores"][detector] for row in rows if row["world"] == world]
    return float(np.mean([score > limit for score in own]))


def choose_detector(rows: Sequence[Row], world: str, limits: dict[str, float]) -> str:
    """Detector that calls most of a world's fits; of equal ones the first."""
    return max(limits, key=lambda name: call_rate(rows, world, name, limits[name]))


def main() -> None:
    """Fit all worlds, then print both tables."""
    args = read_arguments()
    sampler = SamplerSpec(draws=args.draws, tune=args.draws, chains=2)
    jobs = [
        (world, first + k)
        for first, n in ((CHOOSING, args.choose), (REPORTING, args.report))
        for world in (PLAIN, *WORLDS)
        for k in range(args.plain if world == PLAIN else n)
    ]
    rows: list[Row] = []
    if args.json and args.json.is_file():
        known = json.loads(args.json.read_text(encoding="utf-8"))
        rows = [row for row in known if (row["world"], row["seed"]) in jobs]
    done = {(row["world"], row["seed"]) for row in rows}
    left = [job for job in jobs if job not in done]
    score = partial(score_world, sampler=sampler)
    with ProcessPoolExecutor(args.jobs) as pool:
        for row in pool.map(score, *zip(*left, strict=True)) if left else ():
            rows.append(row)
            if args.json:
                args.json.write_text(json.dumps(rows) + "\n", encoding="utf-8")
    chosen_on = [row for row in rows if row["seed"] < REPORTING]
    reported = [row for row in rows if row["seed"] >= REPORTING]
    limits = find_limits(chosen_on)
    print(f"{args.plain} plain fits and {args.report} of each other world")
    print(render_rows(*_matrix(reported, limits), ("detector",)))
    print(render_rows(*_best(chosen_on, reported, limits), ("world", "detector")))


def _matrix(rows: Sequence[Row], limits: dict[str, float]) -> tuple[list[Row], dict[str, str]]:
    columns = {"detector": "{detector:<24}", "limit": "{limit:>6.2f}", "plain": "{base:>6.0f}"}
    columns |= {title: f"{{{_key(world)}:>{len(title) + 1}.0f}}" for world, title in WORLDS.items()}
    lines = [
        {"detector": name, "limit": limit}
        | {_key(w): 100 * call_rate(rows, w, name, limit) for w in (PLAIN, *WORLDS)}
        for name, limit in limits.items()
    ]
    return lines, columns


def _best(
    chosen_on: Sequence[Row], reported: Sequence[Row], limits: dict[str, float]
) -> tuple[list[Row], dict[str, str]]:
    columns = {
        "world": "{world:<16}", "detector": "{detector:<24}", "true": "{true:>5.0f}",
        "false": "{false:>6.0f}", "error": "{error:>6.1f}",
    }  # fmt: skip
    lines = []
    for world, title in WORLDS.items():
        name = choose_detector(chosen_on, world, limits)
        own = [row["error"] for row in reported if row["world"] == world]
        lines.append(
            {
                "world": title,
                "detector": name,
                "true": 100 * call_rate(reported, world, name, limits[name]),
                "false": 100 * call_rate(reported, PLAIN, name, limits[name]),
                "error": 100 * float(np.median(np.abs(own))),
            }
        )
    return lines, columns


def _key(world: str) -> str:
    return "".join(c if c.isalnum() else "_" for c in world)


if __name__ == "__main__":
    main()
