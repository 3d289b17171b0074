"""Are numbers of several markets and of controls right? ``python benchmarks/markets.py --help``.

Worlds of three markets, one of which opened midway, and of a shop with promotions and closed weeks
(``benchmarks/recovery/market_worlds`` states the law). Each is fitted with the product's defaults
and judged as a refit judges it.

chan      share of channels, summed over markets, whose 94 % interval holds the true contribution
bias      mean of the posterior mean over the truth, less one, in percent; below by channel
cell      share of market x channel inside
total     share of fits whose 94 % interval of all media together holds the truth
control   share of controls inside; bias of their sums
pass      share of fits with the verdict PASS
wrong     share of the channels of these that are outside without being called prior-driven
"""

import argparse
import json
import logging
import warnings
from typing import Any

import numpy as np

from benchmarks.recovery.arguments import worlds_parser
from benchmarks.recovery.market_fit import measure_market_world
from benchmarks.recovery.market_worlds import MARKET_RECIPES, PATTERNS
from benchmarks.recovery.tables import render_rows
from schemas.spec.sampler import SamplerSpec

FIRST_SEED = 1000
N_SEEDS = 12
Row = dict[str, Any]

COLUMNS = {
    "world": "{world:<14}",
    "fits": "{fits:>4}",
    "chan": "{channels:>5}",
    "bias": "{bias:>5}",
    **{c: f"{{{c}:>7}}" for c in PATTERNS},
    "cell": "{cells:>5}",
    "total": "{total:>6}",
    "control": "{controls:>8}",
    "c.bias": "{control_bias:>7}",
    "pass": "{passes:>5}",
    "wrong": "{wrong:>6}",
    "ess": "{ess:>5.0f}",
}
"""Heading and format of every figure."""


def read_arguments() -> argparse.Namespace:
    """Parse the command line."""
    parser = worlds_parser(
        __doc__, MARKET_RECIPES, worlds=list(MARKET_RECIPES), seeds=N_SEEDS, first=FIRST_SEED
    )
    return parser.parse_args()


def summarize(name: str, rows: list[Row]) -> Row:
    """One line of the table."""
    channels = [c for row in rows for c in row["channels"]]
    controls = [c for row in rows for c in row["controls"]]
    passed = [c for row in rows if row["verdict"] == "PASS" for c in row["channels"]]
    return {
        "world": name,
        "fits": len(rows),
        "channels": _percent([c["inside"] for c in channels]),
        "bias": _bias(channels),
        **{n: _bias([c for c in channels if c["name"] == n]) for n in PATTERNS},
        "cells": _percent([inside for row in rows for inside in row["cells"]]),
        "total": _percent([row["total_inside"] for row in rows]),
        "controls": _percent([c["inside"] for c in controls]),
        "control_bias": _bias(controls),
        "passes": _percent([row["verdict"] == "PASS" for row in rows]),
        "wrong": _percent([not (c["inside"] or c["prior_driven"]) for c in passed]),
        "ess": float(np.median([row["ess"] for row in rows])),
    }


def _percent(holds: list[bool]) -> str:
    return f"{100 * np.mean(holds):.0f}" if holds else "-"


def _bias(items: list[Row]) -> str:
    return f"{100 * np.mean([i['mean'] / i['truth'] - 1 for i in items]):+.0f}" if items else "-"


def main() -> None:
    """Print one line per world."""
    args = read_arguments()
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    sampler = SamplerSpec(draws=args.draws, tune=args.tune, chains=args.chains)
    model = json.loads(args.model)
    rows = [
        measure_market_world(name, args.seed + i, sampler, model)
        for name in args.worlds
        for i in range(args.seeds)
    ]
    if args.json:
        args.json.write_text(json.dumps(rows) + "\n", encoding="utf-8")
    lines = [summarize(n, [r for r in rows if r["world"] == n]) for n in args.worlds]
    print(f"seeds {args.seed} to {args.seed + args.seeds - 1}, {sampler.chains} chains x "
          f"{sampler.tune}/{sampler.draws}")  # fmt: skip
    print(render_rows([*lines, summarize("all", rows)], COLUMNS, ("world",)))


if __name__ == "__main__":
    main()
