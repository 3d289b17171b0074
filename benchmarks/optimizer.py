"""Is the plan the optimum, and how fast? ``python benchmarks/optimizer.py --help``.

First table: our plan against pymc-marketing's own optimizer, on the same draws, periods, carryover,
bounds, budget and utility, in one process. ``own`` is a generated company of one entity and eight
channels; of a recovery set every entity's channels are planned. Caches on disk are of this run
alone and warm from a week less of data; the first compilation there takes minutes.

plan s     ours, the whole warm call: table, starts, evaluation, own plans of draws, document
table s    of it tabulating the response; search s: of it all starts of the search
compile s  theirs: from the fitted model to a compiled function of this posterior
optimize s theirs, one start, compiled; ratio: compile and optimize over our whole call
gap        how far our utility is below theirs, by the exact response; negative: ours is higher
of gain    the same as a share of what theirs gains over today's mix
apart      share of the budget that the two plans put in different places
budget     relative budget error, ours and theirs

Second table: our optimum against an oracle that uses no code of the search. ``truth`` is a
posterior of one draw, the law of the world, where the oracle sees every allocation on a grid;
``fitted`` is a posterior, where it climbs without gradients from a fine grid (three channels) or
from many random starts.

below      how far our utility is below the oracle's; of gain: as a share of the oracle's gain
bounds     largest violation of a bound or of the budget, relative to the money that is planned
agree      share of our starts that end within 0.01 % of the best; failed: starts that gave up
"""

import argparse
import json
import logging
import os
import sys
import tempfile
import time
import warnings
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.recovery.budget_cell import OWN, BudgetCell
from benchmarks.recovery.decision import fit_plan, planned_fit, true_horizon
from benchmarks.recovery.generator import KnownWorld, Shape, generate_known_world
from benchmarks.recovery.plan_problem import (
    PlanProblem,
    search_oracle,
    take_apart,
    truth_as_draws,
)
from benchmarks.recovery.process import CellError, run_cell
from benchmarks.recovery.tables import render_rows
from schemas.spec.optimizer import OptimizerSpec, Utility
from schemas.spec.sampler import SamplerSpec
from tasks.optimize.methods import METHODS

FOLDER_VARIABLE = "MMM_RECOVERY_DATA"
MODULE = "benchmarks.recovery.budget_cell"
MEDIUM = "medium"
COMPARED = (Utility.CVAR, Utility.MEAN)
FIRST_SEED = 9601
N_STARTS = 200

SPEED = {
    "world": "{dataset:<7}",
    "weeks x ent x ch": "{size:<16}",
    "utility": "{utility:<7}",
    "variables": "{n_variables:>9}",
    "draws": "{n_draws:>5}",
    "plan s": "{ours_plan:>7.2f}",
    "table s": "{ours_table:>7.2f}",
    "search s": "{ours_search:>8.2f}",
    "compile s": "{stock_compile:>9.1f}",
    "optimize s": "{stock_optimize:>10.2f}",
    "ratio": "{ratio:>6.1f}",
    "gap": "{gap:>9.1e}",
    "of gain": "{gap_of_gain:>9.1e}",
    "apart": "{distance:>8.1e}",
    "budget": "{budget_error:>8.1e} {stock_budget_error:>8.1e}",
}
OPTIMALITY = {
    "posterior": "{posterior:<9}",
    "channels": "{n_channels:>8}",
    "utility": "{utility:<7}",
    "method": "{method:<12}",
    "below": "{below:>9.1e}",
    "of gain": "{below_of_gain:>9.1e}",
    "budget": "{budget_error:>8.1e}",
    "bounds": "{violation:>8.1e}",
    "agree": "{agree:>6.2f}",
    "failed": "{n_failed:>6}",
    "search s": "{seconds:>8.2f}",
}
"""Heading and format of every figure of the two tables."""

LEFT = ("world", "weeks x ent x ch", "posterior", "utility", "method")


def read_arguments() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", help=f"folder of the recovery sets; default ${FOLDER_VARIABLE}")
    parser.add_argument(
        "--worlds", nargs="+", choices=(OWN, MEDIUM), help="default: own, and medium where it is"
    )
    parser.add_argument("--only", choices=("speed", "optimality"), help="one of the tables")
    parser.add_argument("--starts", type=int, default=N_STARTS, help="of the oracle")
    parser.add_argument("--seed", type=int, default=FIRST_SEED, help="seed of the first world")
    parser.add_argument("--json", type=Path, help="also write all figures to this file")
    return parser.parse_args()


def measure_speed(worlds: list[str], folder: str) -> tuple[list[dict[str, Any]], int]:
    """Plan by both ways; the first of two processes only warms the caches of earlier data."""
    rows, failures = [], 0
    with tempfile.TemporaryDirectory(prefix="mmm-bench-") as caches:
        own = {"PYTENSOR_FLAGS": f"base_compiledir={caches}/pytensor"}
        for dataset in worlds:
            for utility in COMPARED:
                cell = BudgetCell(dataset, folder, utility)
                try:
                    for left_out in (1, 0):
                        asked = {**asdict(cell), "weeks_left_out": left_out}
                        figures = run_cell(MODULE, asked, environment=own)
                except CellError as error:
                    failures += 1
                    print(f"{dataset} {utility} failed: {error}", flush=True)
                    continue
                theirs = figures["stock_compile"] + figures["stock_optimize"]
                ratio = theirs / figures["ours_plan"]
                rows.append({**asdict(cell), **figures, "ratio": ratio})
                print(f"{dataset} {utility}: {figures['ours_plan']:.2f} s", flush=True)
    return rows, failures


def measure_optimality(seed: int, n_starts: int) -> list[dict[str, Any]]:
    """Hold every method and utility against an oracle, on three and on eight channels."""
    rows, settings = [], OptimizerSpec()
    for number, n_channels in enumerate((3, 8)):
        known = generate_known_world(seed + number, Shape(130, 1, n_channels))
        rows += compare_on_truth(known, settings)
        rows += compare_on_posterior(known, settings, n_starts)
    return rows


def compare_on_truth(known: KnownWorld, settings: OptimizerSpec) -> list[dict[str, Any]]:
    """Every method on the law of a world; the oracle's grid and evaluation are the law's own."""
    problem = take_apart(planned_fit(known.world, truth_as_draws(*known)), settings)
    truth = true_horizon(known.media, known.world.panel, settings.horizon)
    best = truth.best(problem.limits.lower, problem.limits.upper)

    def utility(money: np.ndarray) -> float:
        return float(truth.outcomes(money).sum())

    gain = utility(best) - utility(truth.current)
    rows = []
    for method in METHODS:
        figures, money = search_once(problem, method, Utility.MEAN)
        below = utility(best) - utility(money)
        shares = {"below": below / utility(best), "below_of_gain": below / gain}
        rows.append({"posterior": "truth", "utility": "total", **figures, **shares})
    return rows


def compare_on_posterior(
    known: KnownWorld, settings: OptimizerSpec, n_starts: int
) -> list[dict[str, Any]]:
    """Every method and utility on a fitted posterior."""
    fit, _ = fit_plan(known.world, SamplerSpec(), settings)
    problem = take_apart(fit, settings)
    rows = []
    for utility in Utility:
        best = problem.utility(search_oracle(problem, utility, n_starts=n_starts), utility)
        gain = best - problem.utility(problem.space.current, utility)
        for method in METHODS:
            figures, money = search_once(problem, method, utility)
            below = best - problem.utility(money, utility)
            shares = {"below": below / abs(best), "below_of_gain": below / gain}
            rows.append({"posterior": "fitted", "utility": utility.value, **figures, **shares})
        print(f"{len(problem.space.current)} channels {utility}: done", flush=True)
    return rows


def search_once(
    problem: PlanProblem, method: str, utility: Utility
) -> tuple[dict[str, Any], np.ndarray]:
    """Run the product's search and return its figures and its plan."""
    table = problem.table()
    started = time.perf_counter()
    found = problem.search(table, method=method, utility=utility)
    return {
        "n_channels": len(problem.space.current),
        "method": method,
        "budget_error": abs(found.money.sum() / problem.budget - 1),
        "violation": problem.limits.violation(found.money),
        "agree": found.certificate.agree_share,
        "n_failed": found.certificate.n_failed,
        "seconds": time.perf_counter() - started,
    }, found.money


def main() -> int:
    """Print both tables; 1 where a comparison failed."""
    args = read_arguments()
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    folder = args.data or os.environ.get(FOLDER_VARIABLE) or ""
    worlds = args.worlds or ([OWN, MEDIUM] if folder else [OWN])
    speed, failures = ([], 0) if args.only == "optimality" else measure_speed(worlds, folder)
    found = [] if args.only == "speed" else measure_optimality(args.seed, args.starts)
    if args.json:
        figures = {"speed": speed, "optimality": found}
        args.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    for rows, columns in ((speed, SPEED), (found, OPTIMALITY)):
        if rows:
            print(render_rows(rows, columns, LEFT))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
