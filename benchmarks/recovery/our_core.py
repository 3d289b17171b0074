"""Our core on a world: fix the posterior, sample it, evaluate its contributions."""

import os
import time
from importlib import import_module

import numpy as np

from benchmarks.recovery.scores import Fit, Sampling, label_totals
from benchmarks.recovery.worlds import World
from schemas.names import DATE_DIM, ComponentKind
from schemas.spec.sampler import SamplerSpec
from tasks.mathematics.panel import IS_ESTIMATION
from tasks.models.mmm.fitted import MmmFitted
from tasks.models.mmm.kind import MMM
from tasks.models.sampling import sample_posterior

# The core imports its kernel, and with it nutpie, when it fits; no benchmark counts imports.
import_module("tasks.models.mmm.kernel.compiled")


def fit_ours(world: World, settings: SamplerSpec) -> Sampling:
    """Sample the product's posterior of a world: the one call of our core in the benchmarks."""
    started = time.perf_counter()
    posterior = MMM.load_posterior(world.panel, world.inputs)
    built = time.perf_counter()
    sampled = sample_posterior(posterior, settings, cores=len(os.sched_getaffinity(0)))
    spent = time.perf_counter() - built
    # Loading the kernel, its mode and curvature. What the core did not time itself (naming and
    # completing draws) counts as sampling.
    compiled = sampled.wall_seconds["build"] + sampled.wall_seconds["compile"]
    seconds = {"build": built - started, "compile": compiled, "sample": spent - compiled}
    return Sampling(sampled.tree, seconds)


def read_ours(sampling: Sampling, world: World) -> Fit:
    """Return what is scored; every published variable counts, offsets through what they move."""
    draws = sampling.tree["posterior"].to_dataset()
    totals, weekly = _contributions(MmmFitted(draws, world.inputs), world)
    leading = (draws.sizes["chain"], draws.sizes["draw"])
    return Fit(
        parameters=draws,
        totals=label_totals(totals.reshape(*leading, *totals.shape[1:]), world.truth),
        weekly=world.truth.copy(data=weekly),
        n_divergences=int(sampling.tree["sample_stats"]["diverging"].sum()),
    )


def _contributions(model: MmmFitted, world: World) -> tuple[np.ndarray, np.ndarray]:
    """Totals ``(sample, entity, channel)`` and weekly means ``(entity, channel, date)``.

    Channel by channel: all of them at once would be gigabytes on a large panel.
    """
    window = world.panel[IS_ESTIMATION].values
    if not window.all():
        raise ValueError(f"{world.name} has a carryover window; a benchmark fits every {DATE_DIM}.")
    totals, weekly = [], []
    for component in model.components:
        if component.kind is ComponentKind.CHANNEL:
            values = model.contribution(component, world.panel)
            totals.append(values.sum(axis=-1))
            weekly.append(values.mean(axis=0))
    return np.stack(totals, axis=-1), np.stack(weekly, axis=1)
