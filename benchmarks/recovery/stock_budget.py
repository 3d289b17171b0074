"""Pymc-marketing's budget optimizer on the problem that the product's plan solves.

The product publishes a fit as a stock ``MMM`` (``tasks/models/mmm/stock.py``); its optimizer then
has the same draws, periods, carryover in and out, split over the weeks, bounds and budget. Two
things are adapted. Its money is per period: ours over the number of periods. And its response
counts what earlier spend brings, which differs between draws and would be another risk to average:
a constant per draw is taken off, so that CVaR is that of what the plan brings.
"""

import time
import warnings
from dataclasses import dataclass

import numpy as np
import pytensor.xtensor as ptx
import xarray as xr
from numpy.typing import NDArray
from pymc_marketing.mmm.budget_optimizer import BudgetOptimizer
from pymc_marketing.mmm.utility import average_response, conditional_value_at_risk

from benchmarks.recovery.plan_problem import PlanProblem
from benchmarks.recovery.worlds import World
from schemas.names import CHANNEL_DIM, DATE_DIM, ENTITY_DIM
from schemas.spec.optimizer import Utility
from tasks.models.mmm.stock import publish_stock

Array = NDArray[np.float64]


@dataclass(frozen=True)
class StockPlan:
    """What it found, and the seconds that it took."""

    money: Array
    """``(variable,)`` of the product's plan: an entity's channel, or a channel of one entity."""
    compile: float
    """Building and compiling its function; what its first call takes longer than its second is
    compilation too."""
    allocation: float
    """Of a second call."""
    n_iterations: int


def optimize_stock(
    world: World, draws: xr.Dataset, problem: PlanProblem, utility: Utility
) -> StockPlan:
    """Compile pymc-marketing's optimizer and run it twice, with its defaults.

    Parameters
    ----------
    world, draws
        The world of the fit and the draws that the product's plan has, ``(chain, draw, ...)``.
    problem
        The product's problem: one variable per entity and channel.
    utility
        ``mean`` or ``cvar``: the others are defined differently there.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        stock = publish_stock(draws, world.panel, world.inputs)
        times = [time.perf_counter()]
        optimizer = _compile(stock, draws, problem, utility)
        times.append(time.perf_counter())
        for _ in range(2):
            found = optimizer.allocate_budget(
                total_budget=problem.budget / problem.settings.horizon,
                budget_bounds=_bounds(problem),
            )
            times.append(time.perf_counter())
    built, first, second = np.diff(times).tolist()
    return StockPlan(
        money=_ours(found.budgets, problem),
        compile=built + max(first - second, 0.0),
        allocation=second,
        n_iterations=int(found.scipy_result.nit),
    )


def _compile(
    stock: object, draws: xr.Dataset, problem: PlanProblem, utility: Utility
) -> BudgetOptimizer:
    (piece,) = problem.space.pieces
    starts = piece.horizon.starts
    return stock.budget_optimizer(
        starts[0],
        starts[-1],
        utility_function=_utility(draws, problem, utility),
        budget_distribution_over_period=_distribution(problem),
    )


def _utility(draws: xr.Dataset, problem: PlanProblem, utility: Utility) -> object:
    if utility is Utility.MEAN:
        return average_response
    at_risk = conditional_value_at_risk(1 - problem.settings.risk_level)
    before = ptx.as_xtensor(_brought_before(draws, problem), dims=("sample",))
    return lambda samples, budgets: at_risk(samples - before, budgets)


def _brought_before(draws: xr.Dataset, problem: PlanProblem) -> Array:
    """What the stock model's response counts without any plan, ``(sample,)``.

    Its periods are those of the plan and as many before as carryover lasts, all cold before.
    """
    (piece,) = problem.space.pieces
    horizon = piece.horizon
    nothing = horizon.with_spend(piece.spend(np.zeros(len(problem.space.current))))
    parts = [
        horizon.model.contribution(component, nothing).sum(axis=(1, 2))
        for component in horizon.model.components
        if component.name in horizon.channels
    ]
    if draws.sizes["chain"] * draws.sizes["draw"] != len(parts[0]):
        raise ValueError("the stock model needs the draws of the plan")
    return np.asarray(np.sum(parts, axis=0))


def _distribution(problem: PlanProblem) -> xr.DataArray:
    """Share of every cell's money in each period, ``(date, entity, channel)``."""
    (piece,) = problem.space.pieces
    share = piece.allocation.share.transpose(2, 0, 1)
    labels = _labels(problem)
    dates = np.arange(len(share))
    return xr.DataArray(
        share / share.sum(axis=0),
        dims=(DATE_DIM, ENTITY_DIM, CHANNEL_DIM),
        coords={DATE_DIM: dates, **labels},
    )


def _bounds(problem: PlanProblem) -> xr.DataArray:
    (piece,) = problem.space.pieces
    cells = piece.allocation.variable[:, :, 0]
    ends = np.stack([problem.limits.lower[cells], problem.limits.upper[cells]], axis=-1)
    return xr.DataArray(
        ends / problem.settings.horizon,
        dims=(ENTITY_DIM, CHANNEL_DIM, "bound"),
        coords={**_labels(problem), "bound": ["lower", "upper"]},
    )


def _ours(budgets: xr.DataArray, problem: PlanProblem) -> Array:
    (piece,) = problem.space.pieces
    cells = budgets.sel(_labels(problem)).transpose(ENTITY_DIM, CHANNEL_DIM).to_numpy()
    money = np.zeros(len(problem.space.current))
    money[piece.allocation.variable[:, :, 0]] = cells * problem.settings.horizon
    return money


def _labels(problem: PlanProblem) -> dict[str, list[str]]:
    (piece,) = problem.space.pieces
    return {ENTITY_DIM: list(piece.horizon.entities), CHANNEL_DIM: list(piece.horizon.channels)}
