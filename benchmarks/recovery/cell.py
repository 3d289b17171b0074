"""One cell of the sampling table, in a process of its own: ``python -m benchmarks.recovery.cell``.

A fresh process for every fit, so no sampler finds another's compiled functions in memory; what they
keep on disk is warmed by a short fit of the same cell before the measured one. Imports are not
counted.
"""

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks.recovery.process import answer, run_cell

OURS = "ours"
SAMPLERS = (OURS, "pymc", "nutpie")
"""Our core, and the published specification with either sampler."""

_MODULE = "benchmarks.recovery.cell"
_WARM_UP_DRAWS = 20


@dataclass(frozen=True)
class Cell:
    """What to fit, with what, for how long."""

    dataset: str
    sampler: str
    folder: str
    chains: int
    tune: int
    draws: int
    target_accept: float
    seed: int
    is_warm_up: bool = False


def measure_cell(cell: Cell) -> dict[str, Any]:
    """Warm the caches on disk with one short fit, then measure, each in a fresh process."""
    warm_up = replace(cell, draws=_WARM_UP_DRAWS, tune=_WARM_UP_DRAWS, is_warm_up=True)
    run_cell(_MODULE, asdict(warm_up))
    return run_cell(_MODULE, asdict(cell))


def fit_cell(cell: Cell) -> dict[str, Any]:
    """Fit and score one cell in this process."""
    from benchmarks.recovery.memory import PeakMemory
    from benchmarks.recovery.our_core import fit_ours, read_ours
    from benchmarks.recovery.published_spec import fit_published, read_published
    from benchmarks.recovery.scores import score_fit
    from benchmarks.recovery.sets import load_set
    from schemas.spec.sampler import SamplerSpec

    settings = SamplerSpec(
        draws=cell.draws,
        tune=cell.tune,
        chains=cell.chains,
        target_accept=cell.target_accept,
        random_seed=cell.seed,
    )
    world = load_set(cell.dataset, Path(cell.folder))
    with PeakMemory() as memory:
        if cell.sampler == OURS:
            sampling, model = fit_ours(world, settings), None
        else:
            sampling, model = fit_published(world, settings, sampler=cell.sampler)
    if cell.is_warm_up:
        return {}
    fit = read_ours(sampling, world) if model is None else read_published(sampling, model, world)
    figures = {**sampling.seconds, "total": sum(sampling.seconds.values())}
    figures |= {"peak_mb": memory.megabytes, **score_fit(fit, world.truth)}
    return figures | {"ess_per_second": figures["ess_bulk_min"] / figures["total"]}


if __name__ == "__main__":
    answer(lambda cell: fit_cell(Cell(**cell)))
