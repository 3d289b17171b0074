"""Do 90 % intervals hold the truth? ``python benchmarks/interval_coverage.py --help``.

Fits own worlds with the product's defaults and counts the intervals of channel totals that hold the
known total, per entity and summed over entities. ``benchmarks/recovery/generator.py`` states the
law that the truth is drawn from; it is not the prior, so nominal coverage is not a given.
"""

import argparse
import json
import logging
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.recovery.generator import SHAPES, generate_world
from benchmarks.recovery.our_core import fit_ours, read_ours
from benchmarks.recovery.scores import score_fit
from schemas.spec.sampler import SamplerSpec

FIRST_SEED = 7001
N_WORLDS = 2 * len(SHAPES)

COLUMNS = {
    "world": "{world:<9}",
    "weeks x ent x ch": "{size:<16}",
    "inside": "{inside:>9}",
    "channels": "{channels_inside:>9}",
    "srmse": "{srmse:>7.3f}",
    "median": "{srmse_median:>7.3f}",
    "div": "{n_divergences:>5}",
    "r_hat": "{r_hat_max:>7.3f}",
    "ess": "{ess_bulk_min:>7.0f}",
    "total s": "{total:>8.1f}",
}
"""Heading and format of every figure. ``inside`` counts entity × channel, ``channels`` their totals
over entities; ``srmse`` is a mean over entity × channel, ``median`` the median of the same.
"""


def read_arguments() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    defaults = SamplerSpec()
    parser.add_argument("--worlds", type=int, default=N_WORLDS)
    parser.add_argument("--seed", type=int, default=FIRST_SEED, help="seed of the first world")
    parser.add_argument("--chains", type=int, default=defaults.chains)
    parser.add_argument("--tune", type=int, default=defaults.tune)
    parser.add_argument("--draws", type=int, default=defaults.draws)
    parser.add_argument("--json", type=Path, help="also write all figures to this file")
    return parser.parse_args()


def measure_world(index: int, seed: int, settings: SamplerSpec) -> dict[str, Any]:
    """Fit and score one world; shapes take turns."""
    world = generate_world(seed, SHAPES[index % len(SHAPES)])
    sampling = fit_ours(world, settings)
    figures = score_fit(read_ours(sampling, world), world.truth)
    return {
        "world": world.name,
        "size": world.size,
        "inside": f"{figures['n_inside']}/{figures['n_cells']}",
        "channels_inside": f"{figures['n_channels_inside']}/{figures['n_channels']}",
        "total": sum(sampling.seconds.values()),
        **figures,
    }


def summarize_coverage(rows: list[dict[str, Any]]) -> str:
    """Say the coverage of all worlds together."""
    total = {k: sum(r[k] for r in rows) for k in rows[0] if k.startswith("n_")}
    by_cell = total["n_inside"] / total["n_cells"]
    by_channel = total["n_channels_inside"] / total["n_channels"]
    errors = np.concatenate([r["srmse_by_cell"] for r in rows])
    return (
        f"{len(rows)} worlds: 90 % intervals hold {by_cell:.1%} of {total['n_cells']} entity × "
        f"channel totals and {by_channel:.1%} of {total['n_channels']} channel totals; "
        f"srmse of cells: mean {errors.mean():.3f}, median {np.median(errors):.3f}; "
        f"{total['n_divergences']} divergences"
    )


def main() -> None:
    """Print one line per world as it ends, then total coverage."""
    args = read_arguments()
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    settings = SamplerSpec(draws=args.draws, tune=args.tune, chains=args.chains)
    rows = []
    for index in range(args.worlds):
        rows.append(measure_world(index, args.seed + index, settings))
        if not index:
            widths = {name: len(form.format(**rows[0])) for name, form in COLUMNS.items()}
            print(" ".join(name.ljust(width) for name, width in widths.items()))
        print(" ".join(form.format(**rows[-1]) for form in COLUMNS.values()), flush=True)
    if args.json:
        args.json.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")
    print(summarize_coverage(rows))


if __name__ == "__main__":
    main()
