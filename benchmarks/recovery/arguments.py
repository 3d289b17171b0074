"""What a program that fits many simulated worlds is asked for."""

import argparse
from collections.abc import Collection, Sequence
from pathlib import Path

from schemas.spec.sampler import SamplerSpec


def worlds_parser(
    about: str | None, recipes: Collection[str], *, worlds: Sequence[str], seeds: int, first: int
) -> argparse.ArgumentParser:
    """Return a parser of which worlds, which seeds, how to sample, and where to write.

    Parameters
    ----------
    about
        What the program does.
    recipes, worlds
        Names that there are, and those that are fitted by default.
    seeds, first
        Fits of each world, and the first seed.
    """
    parser = argparse.ArgumentParser(
        description=about, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    sampler = SamplerSpec()
    parser.add_argument("--worlds", nargs="+", choices=recipes, default=list(worlds))
    parser.add_argument("--seeds", type=int, default=seeds, help="fits of each world")
    parser.add_argument("--seed", type=int, default=first, help="the first one")
    parser.add_argument("--chains", type=int, default=sampler.chains)
    parser.add_argument("--tune", type=int, default=sampler.tune)
    parser.add_argument("--draws", type=int, default=sampler.draws)
    parser.add_argument("--model", default="{}", help="JSON: what differs in the model block")
    parser.add_argument("--json", type=Path, help="also write the figures of every fit")
    return parser
