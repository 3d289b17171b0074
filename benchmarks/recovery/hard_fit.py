"""One hard world fitted, planned and forecast, with what the table of worlds asks of it."""

import os
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.recovery.decision import plan_today, planned_fit
from benchmarks.recovery.hard_worlds import HardWorld, generate_hard_world
from benchmarks.recovery.our_core import fit_ours
from benchmarks.recovery.scores import Sampling
from schemas.documents.plan import Advice
from schemas.documents.shapes import ShapeChoice
from schemas.names import CHANNEL_DIM, ComponentKind
from schemas.spec.gates import FitGates
from schemas.spec.optimizer import OptimizerSpec
from schemas.spec.sampler import SamplerSpec
from tasks.diagnose.common_movement import confounded, measure_movement
from tasks.diagnose.evidence import EvidenceClass, weigh_evidence
from tasks.diagnose.identifiability import contraction, prior_driven
from tasks.diagnose.shape_choice import open_shapes, with_shapes
from tasks.diagnose.shape_priors import measure_shapes, note_shapes
from tasks.diagnose.shape_trials import try_shapes
from tasks.forecast.forecast import sample_coming
from tasks.mathematics.draws import convergence, hdi
from tasks.mathematics.panel import IS_ESTIMATION, build_panel
from tasks.models.coarsened import coarsen
from tasks.models.contract import Component
from tasks.models.kind import Watch
from tasks.models.mmm.fitted import MmmFitted
from tasks.models.opening import OpenFit

Array = NDArray[np.float64]


def measure_world(
    name: str, seed: int, sampler: SamplerSpec, model: dict | None, *, plans: bool = True
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
    plans
        Plan too; it takes longer than the fit.
    """
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    hard = generate_hard_world(name, seed, model=model)
    sampling = fit_ours(hard.world, sampler)
    choice = _choose(hard, sampling)
    shapes = choice.chosen
    if shapes:
        spec = hard.world.spec
        chosen = with_shapes(spec.model, shapes, hard.world.inputs.metadata.grain)
        hard = generate_hard_world(name, seed, model=chosen.model_dump(mode="json"))
        first = sum(sampling.seconds.values())
        sampling = fit_ours(hard.world, sampler)
        sampling = sampling._replace(seconds={"first": first, **sampling.seconds})
    draws = sampling.tree["posterior"].to_dataset()
    fitted = MmmFitted(draws, hard.world.inputs)
    measured = convergence(draws)
    return {
        "world": name,
        "seed": seed,
        "shapes": [shape.value for shape in shapes],
        "choice": choice.record.model_dump(mode="json") if choice.record else None,
        "seconds": sum(sampling.seconds.values()),
        "r_hat": _worst(measured["r_hat"], np.nanmax),
        "ess": _worst(measured["ess_bulk"], np.nanmin),
        "divergences": int(sampling.tree["sample_stats"]["diverging"].sum()),
        **_contributions(fitted, hard),
        **_forecast(fitted, hard, seed),
        **(_plan(fitted, hard) if plans else {"follow": False}),
    }


def _choose(hard: HardWorld, sampling: Sampling) -> ShapeChoice:
    """What a first refit, which has no champion, decides on shapes."""
    world = hard.world
    if not open_shapes(world.spec.model):
        return ShapeChoice()
    draws = sampling.tree["posterior"].to_dataset()
    fit = OpenFit(MmmFitted(draws, world.inputs), sampling.tree, world.panel, world.inputs)
    return try_shapes(fit, world.spec, [], Watch(), 0.0)


def _worst(values: Any, reduce: Any) -> float:
    return float(reduce([reduce(v.to_numpy()) for v in values.data_vars.values()]))


def _contributions(fitted: MmmFitted, hard: HardWorld) -> dict[str, Any]:
    """Totals of every channel and of all media, in shares of the KPI."""
    panel = hard.world.panel
    kpi = float(panel["kpi"].sum())
    names = [str(c) for c in panel[CHANNEL_DIM].values]
    draws = np.stack(
        [
            fitted.contribution(Component(n, ComponentKind.CHANNEL), panel).sum(axis=(1, 2)) / kpi
            for n in names
        ]
    )
    truth = hard.world.truth.sum(("entity", "date")).to_numpy() / kpi
    low, high = hdi(draws.T)
    total = draws.sum(axis=0)
    total_low, total_high = hdi(total)
    decided = contraction(fitted)
    held = prior_driven(decided, FitGates())
    window = panel[IS_ESTIMATION].values
    evidence = weigh_evidence(fitted, panel, window, least=FitGates().min_likelihood_ratio)
    shapes = measure_shapes(fitted, panel, window, hard.world.inputs.metadata.channels)
    noted = " ".join(note_shapes(shapes))
    return {
        "carryover_noted": "carryover_assumed" in noted,
        "curve_noted": "steep_curve" in noted,
        "contraction": [decided[n] for n in names],
        "evidence": [evidence[n].log_ratio for n in names],
        "effect": [evidence[n].found is EvidenceClass.EFFECT for n in names],
        "truth": truth.tolist(),
        "mean": draws.mean(axis=1).tolist(),
        "median": np.median(draws, axis=1).tolist(),
        "low": low.tolist(),
        "high": high.tolist(),
        "spend": (panel["spend"].sum(("entity", "date")).to_numpy() / kpi).tolist(),
        "prior_driven": [n in held for n in names],
        "confounded": [n in _confounded(hard) for n in names],
        "total": [float(total.mean()), float(total_low), float(total_high), float(truth.sum())],
    }


def _confounded(hard: HardWorld) -> list[str]:
    """Channels that cannot be told from demand."""
    movement = measure_movement(hard.world.panel, hard.world.inputs.metadata)
    return confounded(movement, FitGates(), [])


def _forecast(fitted: MmmFitted, hard: HardWorld, seed: int) -> dict[str, Any]:
    """Held-out weeks with the media that came: share of weeks inside 90 %, and of their sum."""
    panel = build_panel(hard.rows, hard.world.inputs.metadata)
    n = hard.world.panel.sizes["date"]
    kpi = sample_coming(fitted, panel, n, seed=seed)[1][:, 0]
    actual = panel["kpi"].to_numpy()[0, n:]
    low, high = np.quantile(kpi, (0.05, 0.95), axis=0)
    sum_low, sum_high = np.quantile(kpi.sum(axis=1), (0.05, 0.95))
    return {
        "weeks_inside": float(((low <= actual) & (actual <= high)).mean()),
        "sum_inside": bool(sum_low <= actual.sum() <= sum_high),
    }


def _plan(fitted: MmmFitted, hard: HardWorld) -> dict[str, Any]:
    settings = OptimizerSpec()
    n_draws = min(settings.n_draws, fitted.draws.sizes["chain"] * fitted.draws.sizes["draw"])
    held = prior_driven(contraction(fitted), FitGates())
    window = hard.world.panel[IS_ESTIMATION].values
    evidence = weigh_evidence(
        fitted, hard.world.panel, window, least=FitGates().min_likelihood_ratio
    )
    unclear = [n for n, e in evidence.items() if e.found is EvidenceClass.UNCLEAR]
    coarse = coarsen(
        fitted.draws,
        lambda draws: MmmFitted(draws, hard.world.inputs),
        hard.world.panel,
        power=settings.likelihood_power,
        n_draws=n_draws,
    )
    fit = replace(
        planned_fit(hard.world, coarse.draws, held),
        unclear=unclear,
        confounded=_confounded(hard),
    )
    plan = plan_today(fit, settings)
    names = [str(c) for c in hard.world.panel[CHANNEL_DIM].values]
    money = np.array([plan.channels[n].candidate for n in names])
    recent = float(hard.world.panel["kpi"].to_numpy()[:, -settings.horizon :].sum())
    return {
        "follow": plan.advice is Advice.FOLLOW,
        "reason": plan.reason,
        "prob_gain": plan.prob_gain,
        "gain": [g / recent for g in (plan.gain_mean, plan.gain_low_90, plan.gain_high_90)],
        "moved": sum(plan.channels[n].candidate != plan.channels[n].current for n in names),
        "true_gain": hard.true_gain(money, settings.horizon) / recent,
    }
