"""One weekly decision on a world whose truth is known: refit, plan, and what the plan truly does.

The true gain is that of noise-free KPI over the horizon and the carryover after it, of the
candidate against the same money in today's mix, which is what a plan's gain is about. It is
computed from the law of the world and the money of the plan alone, with nothing of the optimizer.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from benchmarks.recovery.media_truth import L_MAX, MediaTruth
from benchmarks.recovery.oracle import allocate_on_grid, exchange_search
from benchmarks.recovery.our_core import fit_ours
from benchmarks.recovery.worlds import World
from schemas.documents.plan import Advice, Plan, PlanModel
from schemas.names import CHANNEL_DIM, DATE_DIM, ENTITY_DIM
from schemas.spec.gates import FitGates
from schemas.spec.optimizer import OptimizerSpec, PlanBounds
from schemas.spec.plan_request import PlannedModel, PlanRequest
from schemas.spec.sampler import SamplerSpec
from tasks.diagnose.identifiability import contraction, prior_driven
from tasks.mathematics.draws import convergence
from tasks.models.coarsened import coarsen
from tasks.models.mmm.fitted import MmmFitted
from tasks.optimize.outcome import PlannedFit
from tasks.optimize.planning import make_plan

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Decision:
    """What a plan promised and what is true. Gains are in KPI units."""

    world: str
    size: str
    advised: bool
    prob_gain: float
    gain_mean: float
    gain_low: float
    gain_high: float
    true_gain: float
    oracle_gain: float
    """Of the best plan on the truth, within the plan's bounds."""
    expected_regret: float
    perfect_information: float
    kpi: float
    """Of the reference window, observed."""
    media: float
    """What today's mix truly brings over the horizon and the carryover after it."""
    moved: float
    """Share of the budget that the candidate puts elsewhere."""
    n_prior_driven: int
    n_channels: int
    r_hat_max: float
    n_divergences: int

    @property
    def is_inside(self) -> bool:
        """Whether the 90 % interval holds the true gain."""
        return self.gain_low <= self.true_gain <= self.gain_high

    @property
    def is_good(self) -> bool:
        """Whether the candidate truly gains."""
        return self.true_gain > 0

    def as_row(self) -> dict[str, object]:
        """Every figure by name."""
        return {**asdict(self), "is_inside": self.is_inside, "is_good": self.is_good}


@dataclass(frozen=True)
class TrueHorizon:
    """The law of a world over the periods that a plan decides."""

    media: MediaTruth
    history: Array
    """Spend before the horizon as far as it matters, money, ``(entity, channel, week)``."""
    reference: Array
    """Spend of today's mix in the horizon, money, ``(entity, channel, week)``."""

    @property
    def current(self) -> Array:
        """Money of today's mix, ``(channel,)``."""
        return np.asarray(self.reference.sum(axis=(0, 2)))

    def outcomes(self, money: Array) -> Array:
        """Contribution of horizon and carryover, ``(channel,)``; proportions stay as today."""
        today = self.current
        share = np.divide(money, today, out=np.zeros_like(today), where=today > 0)
        planned = self.reference * share[:, None]
        after = np.zeros((*planned.shape[:2], L_MAX - 1))
        spend = np.concatenate([self.history, planned, after], axis=-1)
        contributed = self.media.contribution(spend)[..., self.history.shape[-1] :]
        return np.asarray(contributed.sum(axis=(0, 2)))

    def gain(self, money: Array) -> float:
        """Gain of a plan against the same money in today's mix."""
        mix = self.current * (money.sum() / self.current.sum())
        return float((self.outcomes(money) - self.outcomes(mix)).sum())

    def best(self, lower: Array, upper: Array) -> Array:
        """Best plan of today's money within bounds, ``(channel,)``."""

        def outcome(channel: int, amounts: Array) -> Array:
            plans = np.repeat(lower[None], len(amounts), axis=0)
            plans[:, channel] = amounts
            return np.array([self.outcomes(plan)[channel] for plan in plans])

        budget = float(self.current.sum())
        coarse = allocate_on_grid(outcome, lower, upper, budget, n_steps=400)
        # What upper bounds between two steps left over goes where there is room.
        room = np.maximum(upper - coarse, 0.0)
        coarse = coarse + room * (max(budget - coarse.sum(), 0.0) / max(room.sum(), 1e-300))
        return exchange_search(self.gain, coarse, lower, upper, seed=1)


def true_horizon(media: MediaTruth, panel: xr.Dataset, horizon: int) -> TrueHorizon:
    """Return the periods after a panel: its last ones are today's mix."""
    spend = panel["spend"].transpose(ENTITY_DIM, CHANNEL_DIM, DATE_DIM).to_numpy()
    return TrueHorizon(media, spend[..., -(L_MAX - 1) :], spend[..., -horizon:])


def fit_plan(
    world: World, sampler: SamplerSpec, settings: OptimizerSpec
) -> tuple[PlannedFit, xr.DataTree]:
    """Sample a world and open it for planning, with the product's rule of what the prior decided.

    Returns
    -------
    tuple
        The fit with the draws that a plan is made of, and everything that was sampled.
    """
    tree = fit_ours(world, sampler).tree
    draws = tree["posterior"].to_dataset()
    held = prior_driven(contraction(MmmFitted(draws, world.inputs)), FitGates())
    coarse = coarsen(
        draws,
        lambda some: MmmFitted(some, world.inputs),
        world.panel,
        power=settings.likelihood_power,
        n_draws=settings.n_draws,
    )
    return planned_fit(world, coarse.draws, held), tree


def planned_fit(world: World, draws: xr.Dataset, held: Sequence[str] = ()) -> PlannedFit:
    """Return draws of a world as the optimizer takes them.

    Parameters
    ----------
    world
        The world as it is known when the decision is made.
    draws
        Published draws, dims ``(chain, draw, ...)``; all are used.
    held
        Channels that the prior decided.
    """
    about = PlanModel(
        dataset_id=world.name, run_id="none", snapshot_id="none", model_version=None, weight=1.0
    )
    return PlannedFit(
        model=MmmFitted(draws, world.inputs),
        panel=world.panel,
        metadata=world.inputs.metadata,
        prior_driven=held,
        about=about,
        bounds=PlanBounds(),
    )


def plan_today(fit: PlannedFit, settings: OptimizerSpec) -> Plan:
    """Plan the weeks after a fit with today's budget, as the product does."""
    request = PlanRequest(models=[PlannedModel(dataset_id=fit.about.dataset_id)])
    now = datetime.now(UTC)
    return make_plan([fit], request, settings, scenario_id="benchmark", created_at=now)


def decide(
    world: World, media: MediaTruth, sampler: SamplerSpec, settings: OptimizerSpec
) -> Decision:
    """Refit, plan, and hold the plan against the truth.

    Parameters
    ----------
    world
        The world as it is known when the decision is made.
    media
        Its true law.
    sampler, settings
        How to sample and how to plan.
    """
    fit, sampled = fit_plan(world, sampler, settings)
    plan = plan_today(fit, settings)
    names = [str(c) for c in world.panel[CHANNEL_DIM].values]
    candidate, low, high = (
        np.array([getattr(plan.channels[name], field) for name in names])
        for field in ("candidate", "low", "high")
    )
    truth = true_horizon(media, world.panel, settings.horizon)
    today = truth.current
    r_hat = convergence(sampled["posterior"].to_dataset())["r_hat"]
    return Decision(
        world=world.name,
        size=world.size,
        advised=plan.advice is Advice.FOLLOW,
        prob_gain=plan.prob_gain,
        gain_mean=plan.gain_mean,
        gain_low=plan.gain_low_90,
        gain_high=plan.gain_high_90,
        true_gain=truth.gain(candidate),
        oracle_gain=truth.gain(truth.best(low, high)),
        expected_regret=plan.expected_regret,
        perfect_information=plan.perfect_information or 0.0,
        kpi=float(world.panel["kpi"].to_numpy()[:, -settings.horizon :].sum()),
        media=float(truth.outcomes(today).sum()),
        moved=float(np.abs(candidate - today).sum() / 2 / today.sum()),
        n_prior_driven=sum(plan.channels[name].prior_driven for name in names),
        n_channels=len(names),
        r_hat_max=float(max(np.nanmax(values.to_numpy()) for values in r_hat.data_vars.values())),
        n_divergences=int(sampled["sample_stats"]["diverging"].sum()),
    )
