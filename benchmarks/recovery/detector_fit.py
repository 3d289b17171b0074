"""One world fitted, with the score of every detector: the larger, the more it says is wrong."""

import warnings
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from benchmarks.recovery.hard_worlds import HardWorld, generate_hard_world
from benchmarks.recovery.our_core import fit_ours
from benchmarks.recovery.worlds import World, make_world
from schemas.names import CHANNEL_DIM, DATE_DIM, ENTITY_DIM, ComponentKind
from schemas.spec.gates import FitGates
from schemas.spec.sampler import SamplerSpec
from tasks.diagnose.common_movement import LEAST_WITH_KPI, measure_movement
from tasks.diagnose.evidence import EvidenceClass, weigh_evidence
from tasks.diagnose.identifiability import contraction
from tasks.diagnose.predictive import measure_predictive
from tasks.diagnose.residual_structure import measure_residual_structure
from tasks.diagnose.shape_priors import measure_shapes
from tasks.forecast.forecast import sample_coming
from tasks.mathematics.collinearity import variance_inflation
from tasks.mathematics.panel import IS_ESTIMATION, build_panel
from tasks.models.contract import Component
from tasks.models.kind import Watch
from tasks.models.mmm.fitted import MmmFitted
from tasks.models.ridge.kind import RIDGE
from tasks.validate.spikes import measure_spikes

Array = NDArray[np.float64]
RIDGE_DRAWS = 50
RIDGE_GRID = {
    "decay": [0.0, 0.3, 0.6], "half_saturation": [0.3, 1.2], "slope": [1.0], "refit_share": 0.0,
    "penalty": {"media": 0.03, "controls": 0.03, "trend": 0.03, "seasonality": 0.03},
}  # fmt: skip
"""A short search: what matters is whether another kind of model says the same."""


def score_world(name: str, seed: int, sampler: SamplerSpec) -> dict[str, Any]:
    """Fit one world and score it by every detector.

    Parameters
    ----------
    name, seed
        Recipe and seed of the world.
    sampler
        How to sample.

    Returns
    -------
    dict
        ``world``, ``seed``, ``scores`` by detector, and ``error``: how far the mean contribution of
        all media is off, over the KPI.
    """
    warnings.simplefilter("ignore")
    hard = generate_hard_world(name, seed)
    world = hard.world
    draws = fit_ours(world, sampler).tree["posterior"].to_dataset()
    model = MmmFitted(draws, world.inputs)
    window = world.panel[IS_ESTIMATION].values
    left = measure_residual_structure(model, world.panel, world.inputs, window)
    seen = measure_predictive(model, world.panel, window, seed=seed)
    weighed = weigh_evidence(model, world.panel, window, least=FitGates().min_likelihood_ratio)
    shown = [e.found is EvidenceClass.EFFECT for e in weighed.values()]
    decided = contraction(model)
    shapes = measure_shapes(model, world.panel, window)
    truth = float(world.truth.sum()) / float(world.panel["kpi"].sum())
    mine = _shares(model, world)
    return {
        "world": name,
        "seed": seed,
        "error": float(mine.mean(axis=0).sum()) - truth,
        "scores": {
            "common movement": _movement(world),
            "later spend (placebo)": left["later_spend"].value,
            "effect over time": left["effect_drift"].value,
            "other curve": left["curve"].value,
            "longer lags": left["long_lags"].value,
            "change point": left["level_step"].value,
            "lasting residual": left["lasting"].value,
            "heavy tails": left["tails"].value,
            "Durbin-Watson": abs(seen.durbin_watson - 2),
            "LOO-PIT": _loo_pit(model, world, window, seed),
            "Pareto k": seen.pareto_k_bad_share,
            "held-out tail": _held_out(model, hard, seed),
            "prior sensitivity": 1 - float(np.min(list(decided.values()))),
            "carryover assumed": shapes.carryover_shift,
            "steep curve": max(shapes.slopes.values()),
            "variance inflation": _inflation(world),
            "unlikely spend": _spikes(world.panel),
            "no evidence": 1 - float(np.mean(shown)),
            "other kind": _disagreement(mine, world, sampler),
        },
    }


def _shares(model: Any, world: World) -> Array:
    """Draws of every channel's share of the KPI, ``(sample, channel)``."""
    kpi = float(world.panel["kpi"].sum())
    names = [str(c) for c in world.panel[CHANNEL_DIM].values]
    parts = [
        model.contribution(Component(n, ComponentKind.CHANNEL), world.panel).sum(axis=(1, 2))
        for n in names
    ]
    return np.stack(parts, axis=1) / kpi


def _movement(world: World) -> float:
    moved = measure_movement(world.panel, world.inputs.metadata).values()
    return max((m.with_others for m in moved if m.with_kpi > LEAST_WITH_KPI), default=0.0)


def _loo_pit(model: MmmFitted, world: World, window: NDArray[np.bool_], seed: int) -> float:
    """Kolmogorov-Smirnov distance of leave-one-out PIT values from uniform ones, times root n."""
    expected = model.expected(world.panel)
    likelihood = model.log_likelihood(world.panel, expected)[:, 0, window]
    # Given the period before, as the likelihood is: its spread is that of the innovations.
    innovation = model.innovations(world.panel, expected)[:, 0, window]
    made = model.sample_kpi(world.panel, expected, seed=seed) - expected
    noise = made[:, 0, window]
    rho = model.draws["y_rho"].to_numpy().reshape(-1, 1) if "y_rho" in model.draws else 0.0
    fresh = noise - rho * np.concatenate([noise[:, :1], noise[:, :-1]], axis=1)
    weights = np.exp(-likelihood + likelihood.min(axis=0))
    weights = np.minimum(weights, weights.mean(axis=0) * np.sqrt(len(weights)))
    pit = ((fresh <= innovation) * weights).sum(axis=0) / weights.sum(axis=0)
    ordered = np.sort(pit)
    n = len(ordered)
    grid = np.arange(1, n + 1) / n
    distance = max(np.abs(ordered - grid).max(), np.abs(ordered - grid + 1 / n).max())
    return float(distance * np.sqrt(n))


def _held_out(model: MmmFitted, hard: HardWorld, seed: int) -> float:
    """Share of held-out weeks outside the 90 % interval of a forecast with the media that came."""
    panel = build_panel(hard.rows, hard.world.inputs.metadata)
    n = hard.world.panel.sizes[DATE_DIM]
    kpi = sample_coming(model, panel, n, seed=seed)[1][:, 0]
    actual = panel["kpi"].to_numpy()[0, n:]
    low, high = np.quantile(kpi, (0.05, 0.95), axis=0)
    return float(((actual < low) | (actual > high)).mean())


def _inflation(world: World) -> float:
    frame = world.panel["media"].isel({ENTITY_DIM: 0}).transpose(DATE_DIM, CHANNEL_DIM)
    return float(np.log(max(variance_inflation(frame.to_pandas()).values())))


def _spikes(panel: xr.Dataset) -> float:
    """Largest input of a channel over what one active period in twenty exceeds."""
    media = panel["media"].isel({ENTITY_DIM: 0}).transpose(CHANNEL_DIM, DATE_DIM).to_numpy()
    return float(max(measure_spikes(row).max() for row in media))


def _disagreement(mine: Array, world: World, sampler: SamplerSpec) -> float:
    """Largest distance of a channel's share from that of a ridge, in their common spread."""
    other = make_world(
        world.name, world.rows, world.truth, model={"kind": "ridge", "ridge": RIDGE_GRID}
    )
    settings = SamplerSpec(draws=RIDGE_DRAWS, chains=2, random_seed=sampler.random_seed)
    tree = RIDGE.fit(other.panel, other.inputs, settings, Watch()).tree
    model = RIDGE.open(tree["posterior"].to_dataset(), other.inputs)
    theirs = _shares(model, world)
    spread = np.sqrt(mine.var(axis=0) + theirs.var(axis=0))
    away = np.abs(mine.mean(axis=0) - theirs.mean(axis=0))
    return float((away / np.where(spread > 0, spread, np.inf)).max())
