"""Do intervals of kind ``ridge`` hold the truth? ``python benchmarks/ridge_intervals.py --help``.

Own worlds (``benchmarks/recovery/hard_worlds``) and panels (``benchmarks/recovery/generator``),
fitted by kind ``ridge`` with its defaults, 200 draws. Counted are 94 % intervals of every entity's
channel totals, and forecasts of the 13 periods after the fit, with the media that ran. How draws
are made was chosen on seeds from 1000 on; what is reported is of seeds from 9300 on.
"""

import argparse
import warnings
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from benchmarks.recovery.generator import SHAPES, generate_world
from benchmarks.recovery.hard_worlds import HardWorld, generate_hard_world
from benchmarks.recovery.worlds import World
from schemas.names import DATE_DIM, ComponentKind
from schemas.spec.sampler import SamplerSpec
from tasks.forecast.forecast import sample_coming
from tasks.mathematics.draws import hdi
from tasks.mathematics.panel import build_panel
from tasks.models.contract import FittedModel
from tasks.models.kind import Watch
from tasks.models.ridge.kind import RIDGE

RECIPES = ("base", "ar 0.5", "4 to 8 x 104", "walking level")
PANELS = SHAPES[1:4]
HDI_PROB = 0.94
MODEL = {"kind": "ridge"}
Hits = NDArray[np.bool_]


def cover_totals(model: FittedModel, world: World) -> Hits:
    """Say which channel totals of entities lie in their interval; those without effect left out."""
    totals = np.stack(
        [
            model.contribution(component, world.panel).sum(axis=-1)
            for component in model.components
            if component.kind is ComponentKind.CHANNEL
        ],
        axis=-1,
    )
    truth = world.truth.sum(DATE_DIM).to_numpy()
    low, high = hdi(totals, prob=HDI_PROB)
    return np.asarray(((low <= truth) & (truth <= high))[truth != 0])


def cover_forecasts(model: FittedModel, hard: HardWorld, seed: int) -> Iterator[tuple[str, Hits]]:
    """Say which periods after the fit lie in their 50 and 90 % intervals."""
    panel = build_panel(hard.rows, hard.world.inputs.metadata)
    n_fitted = hard.world.panel.sizes[DATE_DIM]
    drawn = sample_coming(model, panel, n_fitted, seed=seed)[1][:, 0]
    came = panel["kpi"].to_numpy()[0, n_fitted:]
    for prob in (0.5, 0.9):
        low, high = np.quantile(drawn, (0.5 - prob / 2, 0.5 + prob / 2), axis=0)
        yield f"forecast {prob:.0%}", (low <= came) & (came <= high)


def fit_ridge(world: World, seed: int) -> FittedModel:
    """Fit kind ``ridge`` with its defaults and 200 draws."""
    settings = SamplerSpec(draws=100, chains=2, random_seed=seed)
    tree = RIDGE.fit(world.panel, world.inputs, settings, Watch()).tree
    return RIDGE.open(tree["posterior"].to_dataset(), world.inputs)


def measure(name: str, index: int, seed: int) -> dict[str, Hits]:
    """Fit one world and count what its intervals hold."""
    if name == "panel":
        world = generate_world(seed, PANELS[index % len(PANELS)], model=MODEL)
        return {"totals": cover_totals(fit_ridge(world, seed), world)}
    hard = generate_hard_world(name, seed, model=MODEL)
    model = fit_ridge(hard.world, seed)
    return {"totals": cover_totals(model, hard.world), **dict(cover_forecasts(model, hard, seed))}


def main() -> None:
    """Print one line per kind of world."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--worlds", type=int, default=6, help="of each kind")
    parser.add_argument("--seed", type=int, default=9300, help="seed of the first ones")
    asked = parser.parse_args()
    warnings.simplefilter("ignore")
    for name in (*RECIPES, "panel"):
        rows = [measure(name, k, asked.seed + k) for k in range(asked.worlds)]
        shares = {key: np.concatenate([row[key] for row in rows]).mean() for key in rows[0]}
        print(f"{name:16}" + "".join(f"  {k} {v:.0%}" for k, v in shares.items()), flush=True)


if __name__ == "__main__":
    main()
