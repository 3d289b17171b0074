"""One world of markets fitted and judged, with what the table of markets asks of it."""

import os
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.recovery.market_worlds import generate_market_world
from benchmarks.recovery.our_core import fit_ours
from schemas.names import CHANNEL_DIM, ComponentKind
from schemas.spec.gates import GateSettings, SamplingGates
from schemas.spec.sampler import SamplerSpec
from tasks.diagnose.judgement import judge_fit
from tasks.mathematics.draws import hdi
from tasks.models.contract import Component
from tasks.models.mmm.fitted import MmmFitted
from tasks.models.opening import OpenFit

Array = NDArray[np.float64]
GATES = GateSettings(
    sampling=SamplingGates(r_hat_pass=1.1, r_hat_review=1.2, ess_pass=50, ess_review=25)
)
"""Brief chains pass: what is asked is whether the rest of the verdict is right."""


def measure_market_world(
    name: str, seed: int, sampler: SamplerSpec, model: dict | None
) -> dict[str, Any]:
    """Fit one world and hold what is said of it against its truth.

    Parameters
    ----------
    name, seed
        Recipe and seed of the world.
    sampler
        How to sample.
    model
        What differs from the default ``model`` block of the run spec.
    """
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    made = generate_market_world(name, seed, model=model)
    world = made.world
    spec = world.spec.model_copy(update={"gates": GATES})
    tree = fit_ours(world, sampler).tree
    fitted = MmmFitted(tree["posterior"].to_dataset(), world.inputs)
    judged = judge_fit(OpenFit(fitted, tree, world.panel, world.inputs), [], spec)
    names = [str(c) for c in world.panel[CHANNEL_DIM].values]
    # (sample, entity, channel), KPI units
    draws = np.stack([_sums(fitted, n, ComponentKind.CHANNEL, world.panel) for n in names], axis=-1)
    truth = world.truth.sum("date").to_numpy()
    held = judged.document.prior_driven
    return {
        "world": name,
        "seed": seed,
        "verdict": judged.verdict.value,
        "reasons": judged.reasons,
        "notes": judged.notes,
        "ess": judged.document.ess_bulk_min,
        "channels": [
            {"name": n, "prior_driven": n in held, **_held(draws[..., i].sum(axis=1), true)}
            for i, (n, true) in enumerate(zip(names, truth.sum(axis=0), strict=True))
        ],
        "cells": [
            _held(draws[:, e, i], truth[e, i])["inside"] for e, i in np.ndindex(*truth.shape)
        ],
        "total_inside": _held(draws.sum(axis=(1, 2)), truth.sum())["inside"],
        "controls": [
            {"name": n, **_held(_sums(fitted, n, ComponentKind.CONTROL, world.panel)[:, 0], true)}
            for n, true in made.controls.items()
        ],
    }


def _sums(fitted: MmmFitted, name: str, kind: ComponentKind, panel: Any) -> Array:
    """Contribution of a component over all periods, ``(sample, entity)``."""
    return np.asarray(fitted.contribution(Component(name, kind), panel).sum(axis=-1))


def _held(draws: Array, truth: float) -> dict[str, Any]:
    low, high = hdi(draws)
    return {
        "mean": float(draws.mean()),
        "low": float(low),
        "high": float(high),
        "truth": float(truth),
        "inside": bool(low <= truth <= high),
    }
