"""How often do detectors that need no fit call, and how often falsely? See ``--help``.

Worlds as of ``benchmarks/detectors.py``, judged by what the product says at its own limits before
anything is fitted: that channels move together and with the KPI
(``gates.fit.max_common_movement``), and that an input is unlike all others of its channel
(``tasks/validate/spikes.py``). A world takes a tenth of a second, so there can be many.

The limit of spikes is the strictest at which nine tenths of the misreported worlds with seeds from
1000 on were found. What is printed is of seeds from 9000 on.
"""

import argparse
import warnings

import numpy as np

from benchmarks.detectors import PLAIN, REPORTING, WORLDS
from benchmarks.recovery.hard_worlds import generate_hard_world
from schemas.names import CHANNEL_DIM, DATE_DIM, ENTITY_DIM
from schemas.spec.gates import FitGates
from tasks.diagnose.common_movement import confounded, measure_movement
from tasks.validate.spikes import SPIKE_LIMIT, measure_spikes


def call_world(name: str, seed: int) -> tuple[bool, bool]:
    """Say whether common movement, and whether a spike, is called in one world."""
    world = generate_hard_world(name, seed).world
    moved = measure_movement(world.panel, world.inputs.metadata)
    media = world.panel["media"].isel({ENTITY_DIM: 0}).transpose(CHANNEL_DIM, DATE_DIM)
    largest = max(measure_spikes(row).max() for row in media.to_numpy())
    return bool(confounded(moved, FitGates(), ())), bool(largest > SPIKE_LIMIT)


def main() -> None:
    """Print one row per kind of world: how many there are, and the share that each calls."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--plain", type=int, default=60, help="plain worlds")
    parser.add_argument("--worlds", type=int, default=20, help="worlds of each other kind")
    parser.add_argument("--seed", type=int, default=REPORTING, help="seed of the first ones")
    asked = parser.parse_args()
    warnings.simplefilter("ignore")
    print(f"{'world':16}{'worlds':>8}{'move together':>16}{'spike':>8}")
    for name, title in {PLAIN: "plain", **WORLDS}.items():
        n = asked.plain if name == PLAIN else asked.worlds
        shares = np.mean([call_world(name, asked.seed + k) for k in range(n)], axis=0)
        print(f"{title:16}{n:>8}{shares[0]:>16.0%}{shares[1]:>8.0%}", flush=True)


if __name__ == "__main__":
    main()
