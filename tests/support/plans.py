"""Plans from forged draws: a fitted model as the optimizer takes it, and a grid to judge it by."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
import xarray as xr
from support.worlds import World, build_world, fitted_model, make_rows, make_spec, prior_draws

from schemas.documents.plan import Plan, PlanModel
from schemas.spec.optimizer import OptimizerSpec, PlanBounds, Utility
from schemas.spec.plan_request import PlannedModel, PlanRequest
from tasks.optimize.methods import Solution
from tasks.optimize.outcome import Horizon, PlannedFit, build_horizon
from tasks.optimize.planning import make_plan
from tasks.optimize.problem import Problem
from tasks.optimize.space import PlanSpace, build_space
from tasks.optimize.utility import compute_utility

NOW = datetime(2026, 1, 5, tzinfo=UTC)
THREE_PAID = [
    {"name": "tv", "activity": "act_tv", "spend": "spend_tv"},
    {"name": "search", "spend": "spend_search"},
    {"name": "email", "spend": "spend_email"},
]


def three_channel_world(n_entities: int = 1, **settings: Any) -> World:
    """World of kind ``mmm`` in which three channels cost money."""
    rows = make_rows(n_entities)
    rows["spend_email"] = 2 * rows["act_email"]
    return build_world(rows, make_spec(channels=THREE_PAID, **settings))


def planned_fit(
    world: World,
    draws: xr.Dataset | None = None,
    *,
    dataset_id: str = "world",
    weight: float = 1.0,
    prior_driven: Sequence[str] = (),
    bounds: PlanBounds | None = None,
) -> PlannedFit:
    """A fit as ``tasks.optimize.task`` opens it; 2 x 50 prior draws where none are given."""
    draws = prior_draws(world, n_draws=50) if draws is None else draws
    return PlannedFit(
        model=fitted_model(world, draws),
        panel=world.panel,
        metadata=world.metadata,
        prior_driven=prior_driven,
        about=PlanModel(
            dataset_id=dataset_id,
            run_id=f"{dataset_id}-run",
            snapshot_id="0" * 16,
            model_version=1,
            weight=weight,
        ),
        bounds=bounds or PlanBounds(),
    )


def ask(fits: PlannedFit | Iterable[PlannedFit], **asked: Any) -> Plan:
    """Plan; arguments that are settings of the optimizer go there, the others to the request."""
    fits = [fits] if isinstance(fits, PlannedFit) else list(fits)
    given = {"horizon": 8, "n_starts": 3, **asked}
    settings = {name: given.pop(name) for name in OptimizerSpec.model_fields if name in given}
    models = [PlannedModel(dataset_id=f.about.dataset_id, weight=f.about.weight) for f in fits]
    request = PlanRequest(models=models, **given)
    return make_plan(fits, request, OptimizerSpec(**settings), scenario_id="s", created_at=NOW)


def horizon_of(fit: PlannedFit, *, horizon: int = 8) -> Horizon:
    return build_horizon(
        fit.model, fit.panel, fit.metadata, horizon=horizon, weight=fit.about.weight
    )


def space_of(
    fit: PlannedFit, *, horizon: int = 8, by_entity: bool = False, flighting: bool = False
) -> PlanSpace:
    return build_space(
        {fit.about.dataset_id: horizon_of(fit, horizon=horizon)},
        {fit.about.dataset_id: fit.prior_driven},
        separate=False,
        by_entity=by_entity,
        flighting=flighting,
    )


def budget_grid(
    lower: np.ndarray, upper: np.ndarray, budget: float, *, n_points: int
) -> np.ndarray:
    """Plans that spend a budget within bounds, ``(plan, channel)``; the last channel balances."""
    axes = [np.linspace(a, b, n_points) for a, b in zip(lower[:-1], upper[:-1], strict=True)]
    free = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, len(axes))
    last = budget - free.sum(axis=1)
    slack = 1e-9 * budget
    kept = (last >= lower[-1] - slack) & (last <= upper[-1] + slack)
    return np.column_stack([free, last])[kept]


def best_on_grid(
    space: PlanSpace, plans: np.ndarray, utility: Utility, *, risk_level: float = 0.1
) -> tuple[float, np.ndarray]:
    """The best plan of a grid by the models themselves: no table, no solver."""
    horizon = space.pieces[0].horizon
    spends = np.stack([space.pieces[0].spend(money) for money in [*plans, 0 * plans[0]]])
    totals = horizon.channel_outcomes(spends).sum(axis=(1, 3))
    values = [
        compute_utility(row - totals[-1], utility, risk_level=risk_level)[0] for row in totals[:-1]
    ]
    best = int(np.argmax(values))
    return float(values[best]), plans[best]


def halve_everything(problem: Problem, start: np.ndarray) -> Solution:
    """A method as another package might add it; it ends outside the limits."""
    return Solution(start / 2, has_converged=True)
