"""Is a lift test that contradicts the data called so? ``benchmarks/lift_conflict.py --help``.

A test on the largest channel of a world (``benchmarks/recovery/hard_worlds``) switches it off in
the six weeks of its largest spend. Right tests see the true lift with their own error, wrong ones a
multiple of it. Their error is a share of the lift, so that with a small one the test decides the
fit. The same fit is asked twice: with an auxiliary fit without the test, as the product does, and
without.

called     share of tests that are further than ``gates.fit.max_lift_conflict`` from the model
formula    the same where no auxiliary fit is made
refits     auxiliary fits per test
"""

import argparse
import json
import logging
import os
import warnings
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from benchmarks.recovery.hard_worlds import LEAD, RECIPES, HardWorld, generate_hard_world
from benchmarks.recovery.tables import render_rows
from schemas.documents.diagnostics import LeftOutBy
from schemas.names import CHANNEL_DIM, DATE_DIM
from schemas.spec.gates import FitGates
from schemas.spec.lift_tests import LiftTest
from schemas.spec.sampler import SamplerSpec
from tasks.diagnose.lift_conflict import is_agreed, measure_lift
from tasks.diagnose.without_test import make_refit
from tasks.models.contract import ModelInputs
from tasks.models.kind import Watch
from tasks.models.mmm.kind import MMM
from tasks.models.opening import OpenFit

WEEKS = 6
TIMES = {"right": 1.0, "threefold": 3.0, "a third": 1 / 3}
"""What a test sees, in true lifts."""
COLUMNS = {
    "world": "{world:<14}",
    "test": "{test:<10}",
    "error": "{error:>6.0%}",
    "fits": "{fits:>4}",
    "called": "{called:>7.0%}",
    "formula": "{formula:>8.0%}",
    "refits": "{refits:>7.2f}",
}
Row = dict[str, Any]


def switch_off(hard: HardWorld, times: float, error: float, seed: int) -> LiftTest:
    """Return the test of a world: what its largest channel brings in six weeks, as an experiment.

    Parameters
    ----------
    hard
        The world.
    times
        What the test sees, in true lifts.
    error
        Standard error over the true lift.
    seed
        Of the error.
    """
    truth = hard.world.truth.sum(("entity", "date")).to_numpy()
    channel = int(truth.argmax())
    paid = hard.world.panel["spend"].isel({CHANNEL_DIM: channel}).to_numpy()[0]
    first = int(np.convolve(paid, np.ones(WEEKS), "valid").argmax())
    off, base = hard.spend.copy(), hard.law.base
    off[channel, LEAD + first : LEAD + first + WEEKS] = 0.0
    lift = float((hard.law.expected(off, base) - hard.law.expected(hard.spend, base)).sum())
    starts = pd.DatetimeIndex(hard.world.panel[DATE_DIM].values)
    return LiftTest(
        channel=str(hard.world.panel[CHANNEL_DIM].values[channel]),
        start=starts[first].date(),
        end=(starts[first + WEEKS - 1] + pd.Timedelta(days=6)).date(),
        delta_spend=-float(paid[first : first + WEEKS].sum()),
        delta_kpi=lift * (times + np.random.default_rng([seed, 7]).normal(0, error)),
        standard_error=error * abs(lift),
    )


def measure(job: tuple[str, str, float, int], sampler: SamplerSpec) -> Row:
    """Fit one world with one test, and judge the test both ways."""
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    name, what, error, seed = job
    hard = generate_hard_world(name, seed)
    test = switch_off(hard, TIMES[what], error, seed)
    known = hard.world.inputs.metadata.model_copy(update={"lift_tests": [test]})
    inputs = ModelInputs(known, hard.world.inputs.scales)
    panel, watch = hard.world.panel, Watch(1)
    sampled = MMM.fit(panel, inputs, sampler, watch)
    model = MMM.open(sampled.tree["posterior"].to_dataset(), inputs)
    fit = OpenFit(model, xr.DataTree(), panel, inputs)
    with_fit = measure_lift(model, panel, [test], make_refit(fit, sampler, watch, 1.0))[0]
    formula = measure_lift(model, panel, [test])[0]
    return {
        "world": name,
        "test": what,
        "error": error,
        "seed": seed,
        "score": with_fit.conflict_score,
        "formula_score": formula.conflict_score,
        "called": not is_agreed(with_fit, FitGates()),
        "formula": not is_agreed(formula, FitGates()),
        "refits": with_fit.left_out_by is LeftOutBy.FIT,
    }


def main() -> None:
    """Print one row per world, kind of test and error."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--worlds", nargs="+", choices=RECIPES, default=["base", "media 5 %"])
    parser.add_argument("--errors", nargs="+", type=float, default=[0.03, 0.15, 0.5])
    parser.add_argument("--tests", nargs="+", choices=TIMES, default=list(TIMES))
    parser.add_argument("--seeds", type=int, default=6)
    parser.add_argument("--seed", type=int, default=9300)
    parser.add_argument("--draws", type=int, default=SamplerSpec().draws)
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--json", type=Path, help="also write the scores of every test")
    args = parser.parse_args()
    sampler = SamplerSpec(draws=args.draws)
    kinds = [(w, t, e) for w in args.worlds for t in args.tests for e in args.errors]
    jobs = [(*kind, args.seed + i) for kind in kinds for i in range(args.seeds)]
    with ProcessPoolExecutor(args.jobs) as pool:
        found = list(pool.map(partial(measure, sampler=sampler), jobs))
    if args.json:
        args.json.write_text(json.dumps(found) + "\n", encoding="utf-8")
    rows = []
    for world, test, error in kinds:
        own = [r for r in found if (r["world"], r["test"], r["error"]) == (world, test, error)]
        shares = {k: float(np.mean([r[k] for r in own])) for k in ("called", "formula", "refits")}
        row = {"world": world, "test": test, "error": error, "fits": len(own)}
        rows.append(row | shares)
    print(render_rows(rows, COLUMNS, {"world", "test"}))


if __name__ == "__main__":
    main()
