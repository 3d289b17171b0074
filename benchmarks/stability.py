"""How far returns move as weeks come in: ``python benchmarks/stability.py --help``.

A world (``benchmarks/recovery/hard_worlds``) is fitted when it is 104 weeks old, as the champion
was, and again with more weeks. Nothing is wrong with them, so whatever the stability gate calls is
a false alarm. Then the newest four weeks get a fault: spend of the largest channel tenfold, or half
the KPI.

age        weeks that the champion has not seen
moved      median move of a channel, in standard deviations of the champion's posterior; largest
z          90 % quantile of a move over what new data and draws explain
called     share of refits that the gate calls; as stated: were its limit not scaled
"""

import json
import logging
import os
import warnings
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.recovery.arguments import worlds_parser
from benchmarks.recovery.hard_worlds import RECIPES, generate_hard_world
from benchmarks.recovery.our_core import fit_ours
from benchmarks.recovery.tables import render_rows
from benchmarks.recovery.worlds import KPI_COLUMN, SPEND_PREFIX, World, make_world
from schemas.documents.effects import ChannelQuantiles, Quantiles
from schemas.names import CHANNEL_DIM, DATE_DIM
from schemas.spec.gates import StabilityGates
from schemas.spec.sampler import SamplerSpec
from tasks.diagnose.stability import judge_stability
from tasks.mathematics.panel import estimation_window
from tasks.mathematics.stability import NewData, compare_channels, compute_explained
from tasks.models.mmm.fitted import MmmFitted
from tasks.models.returns import channel_quantiles, evaluate

FIRST = 104
AGES = (1, 4, 13, 26)
FAULTS = ("spend x 10", "half the KPI")
FAULTY_WEEKS = 4
Row = dict[str, Any]
COLUMNS = {
    "data": "{data:<13}",
    "age": "{age:>3}",
    "fits": "{fits:>4}",
    "moved": "{median:>5.2f}",
    "largest": "{largest:>7.2f}",
    "z": "{z:>5.2f}",
    "called": "{called:>7.0%}",
    "as stated": "{stated:>9.0%}",
}


def fit(world: World, sampler: SamplerSpec) -> tuple[dict[str, Quantiles], float]:
    """Fit a world; return quantiles of every channel and the least effective sample size."""
    import arviz as az

    draws = fit_ours(world, sampler).tree["posterior"].to_dataset()
    found = evaluate(MmmFitted(draws, world.inputs), world.panel)
    table = channel_quantiles(found.channels, estimation_window(world.panel), world.inputs.metadata)
    ess = min(float(v.min()) for v in az.ess(draws).data_vars.values())
    return ChannelQuantiles.model_validate(table).root, ess


def spoil(rows: pd.DataFrame, fault: str, channel: str) -> pd.DataFrame:
    """Return rows whose newest weeks have a fault."""
    spoilt, newest = rows.copy(), rows.index[-FAULTY_WEEKS:]
    column, times = (SPEND_PREFIX + channel, 10.0) if fault == FAULTS[0] else (KPI_COLUMN, 0.5)
    spoilt.loc[newest, column] *= times
    return spoilt


def measure(job: tuple[str, int], sampler: SamplerSpec, model: dict[str, Any]) -> list[Row]:
    """Fit one world as it grows, and with faults."""
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    name, seed = job
    hard = generate_hard_world(name, seed)
    truth, channels = hard.world.truth, hard.world.panel[CHANNEL_DIM].values
    largest = str(channels[int(truth.sum(("entity", "date")).to_numpy().argmax())])

    def known(n: int, fault: str | None = None) -> tuple[dict[str, Quantiles], float]:
        rows = hard.rows.iloc[:n].reset_index(drop=True)
        rows = rows if fault is None else spoil(rows, fault, largest)
        world = make_world("grown", rows, truth.isel({DATE_DIM: slice(n)}), model=model)
        return fit(world, sampler)

    then, ess_then = known(FIRST)
    cases = [("clean", age) for age in AGES] + [(fault, FAULTY_WEEKS) for fault in FAULTS]
    found = []
    for data, age in cases:
        now, ess = known(FIRST + age, None if data == "clean" else data)
        new = NewData(share=age / (FIRST + age), ess_now=ess, ess_then=ess_then)
        shifts = compare_channels(now, then)
        moves = [abs(s.change_sd or 0.0) for s in shifts]
        explained = compute_explained(new)
        outcomes = [judge_stability(shifts, StabilityGates(), n) for n in (new, None)]
        scaled, stated = (outcome[0].verdict.value != "PASS" for outcome in outcomes)
        found.append(
            {"world": name, "seed": seed, "data": data, "age": age, "moves": moves,
             "overlaps": [s.overlap for s in shifts], "explained": explained,
             "ess": [ess_then, ess], "called": scaled, "stated": stated}
        )  # fmt: skip
    return found


def main() -> None:
    """Print one row per age and fault."""
    worlds = ["base", "ar 0.8", "walking level", "drift"]
    parser = worlds_parser(__doc__, RECIPES, worlds=worlds, seeds=2, first=9300)
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)))
    args = parser.parse_args()
    sampler = SamplerSpec(draws=args.draws, tune=args.tune, chains=args.chains)
    model = json.loads(args.model)
    jobs = [(w, args.seed + i) for i in range(args.seeds) for w in args.worlds]
    found: list[Row] = []
    with ProcessPoolExecutor(args.jobs) as pool:
        for rows in pool.map(partial(measure, sampler=sampler, model=model), jobs):
            found += rows
            if args.json:
                args.json.write_text(json.dumps(found) + "\n", encoding="utf-8")
    table = []
    for data, age in dict.fromkeys((r["data"], r["age"]) for r in found):
        own = [r for r in found if (r["data"], r["age"]) == (data, age)]
        moves = np.concatenate([r["moves"] for r in own])
        z = np.concatenate([np.array(r["moves"]) / r["explained"] for r in own])
        table.append(
            {"data": data, "age": age, "fits": len(own), "median": float(np.median(moves)),
             "largest": float(moves.max()), "z": float(np.quantile(z, 0.9)),
             "called": float(np.mean([r["called"] for r in own])),
             "stated": float(np.mean([r["stated"] for r in own]))}
        )  # fmt: skip
    print(render_rows(table, COLUMNS, {"data"}))


if __name__ == "__main__":
    main()
