"""Simulation-based calibration of kind ``mmm``: ``python benchmarks/calibration.py --help``.

Ranks of true parameters among draws, over many simulations from the model's own prior: uniform if
kernel, likelihood and sampler agree. ``benchmarks/recovery/ranks.py`` says how.
"""

import argparse
import logging
import os
import time
import warnings

from benchmarks.recovery.ranks import judge_families, measure_uniformity, simulate_ranks
from schemas.spec.sampler import SamplerSpec

SUSPICIOUS = 0.01
"""P value of a family below which the last line names it."""


def read_arguments() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--simulations", type=int, default=100)
    parser.add_argument("--chains", type=int, default=2)
    parser.add_argument("--tune", type=int, default=1000)
    parser.add_argument("--draws", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=42)
    return parser.parse_args()


def main() -> None:
    """Print uniformity per scalar, then per family."""
    args = read_arguments()
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    settings = SamplerSpec(
        draws=args.draws, tune=args.tune, chains=args.chains, random_seed=args.seed
    )
    started = time.perf_counter()
    simulations = []
    cores = len(os.sched_getaffinity(0))
    for ranks in simulate_ranks(args.simulations, settings, cores=cores):
        simulations.append(ranks)
        if len(simulations) % 10 == 0:
            spent = time.perf_counter() - started
            print(
                f"{len(simulations)} of {args.simulations} simulations, {spent:.0f} s", flush=True
            )
    found = measure_uniformity(simulations)
    print(f"{'scalar':<28}{'mean rank':>10}{'p chi2':>9}{'p ecdf':>9}")
    for scalar in found:
        print(
            f"{scalar.name:<28}{scalar.mean_rank:>10.2f}"
            f"{scalar.p_chi_square:>9.3f}{scalar.p_kolmogorov:>9.3f}"
        )
    families = judge_families(found)
    print(f"{'family':<28}{'p':>10}")
    for family, p_value in families.items():
        print(f"{family:<28}{p_value:>10.3f}")
    low = [family for family, p_value in families.items() if p_value < SUSPICIOUS]
    print(f"Not uniform at {SUSPICIOUS}: {', '.join(low) or 'none'}.")


if __name__ == "__main__":
    main()
