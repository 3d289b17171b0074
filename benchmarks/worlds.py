"""Are the numbers right where the model is wrong? ``python benchmarks/worlds.py --help``.

Worlds that differ from what the model assumes, each in one way (``benchmarks/recovery/hard_worlds``
states the law). Each is fitted with the product's defaults, planned with today's budget, and its
next 13 weeks are forecast with the media that came.

Seeds from 1000 on are for choosing, seeds from 9000 on for reporting.

chan      share of channels whose 94 % interval holds the true contribution
or told   the same, or the channel is called prior-driven, or not to be told from demand
demand    share of channels that are called that
total     share of fits whose 94 % interval of all media together holds the truth; bias of its mean
effect    share of channels that the evidence calls an effect
follow    share of plans that advise to follow; in: true gain in the stated 90 % interval where so
stated    sum of stated over sum of true gains where advised; lose: share of them that lose money
carry     share of fits with a note that carryover is assumed; steep: that a curve is S-shaped
shapes    fits with another shape than the default: S-shaped, long, delayed carryover, smooth trend
weeks     share of coming weeks inside the 90 % forecast interval; sum: of their sums
"""

import argparse
import json
import logging
import os
import warnings
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from typing import Any

import numpy as np

from benchmarks.recovery.arguments import worlds_parser
from benchmarks.recovery.hard_fit import measure_world
from benchmarks.recovery.hard_worlds import FOR_DETECTORS, RECIPES
from benchmarks.recovery.tables import render_rows
from schemas.documents.shapes import Shape
from schemas.spec.sampler import SamplerSpec

FIRST_SEED = 1000
N_SEEDS = 6
_DEFAULT = [name for name in RECIPES if name not in FOR_DETECTORS]
Row = dict[str, Any]

COLUMNS = {
    "world": "{world:<16}",
    "fits": "{fits:>4}",
    "chan": "{channels:>5}",
    "or told": "{told:>7}",
    "demand": "{demand:>6}",
    "total": "{total:>5}",
    "bias": "{bias:>6}",
    "effect": "{effect:>6}",
    "follow": "{follow:>6}",
    "in": "{inside:>5}",
    "stated": "{stated:>6}",
    "lose": "{lose:>5}",
    "carry": "{carry:>5}",
    "steep": "{steep:>5}",
    "shapes": "{shapes:>12}",
    "weeks": "{weeks:>5}",
    "sum": "{sums:>5}",
    "ess": "{ess:>5.0f}",
    "div": "{divergences:>4}",
    "s": "{seconds:>5.1f}",
}
"""Heading and format of every figure."""


def read_arguments() -> argparse.Namespace:
    """Parse the command line."""
    parser = worlds_parser(__doc__, RECIPES, worlds=_DEFAULT, seeds=N_SEEDS, first=FIRST_SEED)
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--no-plans", action="store_true", help="fit and forecast alone")
    return parser.parse_args()


def summarize(name: str, rows: list[Row]) -> Row:
    """One line of the table."""
    advised = [row for row in rows if row["follow"]]
    cells = [cell for row in rows for cell in _cells(row)]
    known = [cell for cell in cells if cell["truth"] > 0]
    bias = [row["total"][0] / row["total"][3] - 1 for row in rows if row["total"][3] > 0]
    return {
        "world": name,
        "fits": len(rows),
        "channels": _percent(known, lambda c: c["inside"]),
        "told": _percent(known, lambda c: c["inside"] or c["prior_driven"] or c["demand"]),
        "demand": _percent(cells, lambda c: c["demand"]),
        "total": _percent(
            [row for row in rows if row["total"][3] > 0],
            lambda r: r["total"][1] <= r["total"][3] <= r["total"][2],
        ),
        "bias": f"{100 * np.mean(bias):+.0f}" if bias else "-",
        "effect": _percent(cells, lambda c: c["effect"]),
        "follow": _percent(rows, lambda r: r["follow"]),
        "inside": _percent(advised, lambda r: r["gain"][1] <= r["true_gain"] <= r["gain"][2]),
        "stated": _ratio(advised),
        "lose": _percent(advised, lambda r: r["true_gain"] < 0),
        "carry": _percent(rows, lambda r: r["carryover_noted"]),
        "steep": _percent(rows, lambda r: r["curve_noted"]),
        "shapes": "/".join(str(sum(s.value in r["shapes"] for r in rows)) for s in Shape),
        "weeks": f"{100 * np.mean([row['weeks_inside'] for row in rows]):.0f}",
        "sums": _percent(rows, lambda r: r["sum_inside"]),
        "ess": float(np.median([row["ess"] for row in rows])),
        "divergences": sum(row["divergences"] for row in rows),
        "seconds": float(np.mean([row["seconds"] for row in rows])),
    }


def _cells(row: Row) -> Iterable[Row]:
    """Channels of one fit."""
    effects = row.get("effect") or [None] * len(row["truth"])
    for index, truth in enumerate(row["truth"]):
        yield {
            "truth": truth,
            "inside": row["low"][index] <= truth <= row["high"][index],
            "prior_driven": row["prior_driven"][index],
            "demand": row["confounded"][index],
            "effect": effects[index],
        }


def _percent(items: list[Row], holds: Callable[[Row], Any]) -> str:
    return f"{100 * np.mean([bool(holds(i)) for i in items]):.0f}" if items else "-"


def _ratio(advised: list[Row]) -> str:
    true = sum(row["true_gain"] for row in advised)
    return f"{sum(row['gain'][0] for row in advised) / true:.2f}" if true > 0 else "-"


def _measure(
    job: tuple[str, int], sampler: SamplerSpec, model: dict[str, Any], *, plans: bool
) -> Row:
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    return measure_world(*job, sampler, model, plans=plans)


def main() -> None:
    """Print one line per world when all its fits are done, then all worlds together."""
    args = read_arguments()
    sampler = SamplerSpec(draws=args.draws, tune=args.tune, chains=args.chains)
    model, plans = json.loads(args.model), not args.no_plans
    measure = partial(_measure, sampler=sampler, model=model, plans=plans)
    jobs = [(name, args.seed + i) for name in args.worlds for i in range(args.seeds)]
    rows: list[Row] = []
    with ProcessPoolExecutor(args.jobs) as pool:
        for row in pool.map(measure, jobs):
            rows.append(row)
            if args.json:
                args.json.write_text(json.dumps(rows) + "\n", encoding="utf-8")
    lines = [summarize(n, [r for r in rows if r["world"] == n]) for n in args.worlds]
    print(f"seeds {args.seed} to {args.seed + args.seeds - 1}, {sampler.chains} chains x "
          f"{sampler.tune}/{sampler.draws}")  # fmt: skip
    print(render_rows([*lines, summarize("all", rows)], COLUMNS, ("world",)))


if __name__ == "__main__":
    main()
