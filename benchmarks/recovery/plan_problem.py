"""A budget plan's problem taken apart, so that its parts can be timed and its optimum checked."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline

from benchmarks.recovery.media_truth import MediaTruth
from benchmarks.recovery.oracle import exchange_search, random_starts
from benchmarks.recovery.worlds import World
from schemas.names import CHANNEL_DIM, ENTITY_DIM
from schemas.spec.optimizer import OptimizerSpec, PlanBounds, Utility
from tasks.optimize.bounds import build_limits, with_budget
from tasks.optimize.limits import Limits
from tasks.optimize.methods import find_method
from tasks.optimize.outcome import PlannedFit, build_horizon
from tasks.optimize.problem import Problem
from tasks.optimize.response import PanelResponse, TabulatedResponse, tabulate
from tasks.optimize.search import Search, search_plan
from tasks.optimize.space import PlanSpace, build_space
from tasks.optimize.utility import compute_utility

Array = NDArray[np.float64]
N_ORACLE_KNOTS = 129
N_GRID = 200


@dataclass(frozen=True)
class PlanProblem:
    """Today's budget within the default bounds, for one fitted model."""

    space: PlanSpace
    limits: Limits
    exact: PanelResponse
    settings: OptimizerSpec

    @property
    def budget(self) -> float:
        """Money over the horizon."""
        return float(self.space.current.sum())

    def utility(self, money: Array, utility: Utility | None = None) -> float:
        """Utility of a plan by the exact response."""
        totals = self.exact.totals(money)
        return self._reduce(totals, utility or self.settings.utility)

    def search(self, table: TabulatedResponse, *, method: str, utility: Utility) -> Search:
        """Run the product's search."""
        problem = Problem(table, self.limits, utility, self.settings.risk_level)
        return search_plan(
            problem,
            self.space.current,
            find_method(method),
            method_name=method,
            n_starts=self.settings.n_starts,
            seed=42,
        )

    def table(self) -> TabulatedResponse:
        """Tabulate the response as the product does before a search."""
        table = tabulate(self.space.pieces, self.limits.lower, self.limits.upper)
        if table is None:
            raise ValueError("the benchmark plans kinds whose curves are separate")
        return table

    def _reduce(self, totals: Array, utility: Utility) -> float:
        return compute_utility(totals, utility, risk_level=self.settings.risk_level)[0]


def take_apart(fit: PlannedFit, settings: OptimizerSpec) -> PlanProblem:
    """Lay out the problem that ``make_plan`` solves for today's budget."""
    name = fit.about.dataset_id
    horizon = build_horizon(fit.model, fit.panel, fit.metadata, horizon=settings.horizon)
    space = build_space(
        {name: horizon},
        {name: fit.prior_driven},
        separate=False,
        by_entity=settings.by_entity,
        flighting=settings.flighting,
    )
    limits = build_limits(space, PlanBounds(), settings)
    limits = with_budget(limits, float(space.current.sum()))
    return PlanProblem(space, limits, PanelResponse(space.pieces), settings)


def search_oracle(problem: PlanProblem, utility: Utility, *, n_starts: int) -> Array:
    """Search an optimum without the product's table, gradient or methods.

    Three channels are seen on a fine grid, more by ``n_starts`` random starts; both climb by
    exchanges from there, on splines with four times the knots of the product's table.

    Parameters
    ----------
    problem
        What to solve.
    utility
        What to make large.
    n_starts
        Number of random starts, today's mix besides.
    """
    lower, upper = problem.limits.lower, problem.limits.upper
    value = _splined_utility(problem, utility)
    starts = [problem.space.current]
    if len(lower) == 3:
        grid = _grid(lower, upper, problem.budget)
        starts.append(grid[int(np.argmax([value(money) for money in grid]))])
    else:
        starts += random_starts(lower, upper, problem.budget, n_starts=n_starts, seed=7)
    ends = [
        exchange_search(value, start, lower, upper, seed=number)
        for number, start in enumerate(starts)
    ]
    return max(ends, key=lambda money: problem.utility(money, utility))


def _splined_utility(problem: PlanProblem, utility: Utility) -> Callable[[Array], float]:
    """Utility by cubic splines through exact outcomes of single variables."""
    lower, upper = problem.limits.lower, problem.limits.upper
    width = np.where(upper > lower, upper - lower, 1.0)
    knots = np.linspace(0.0, 1.0, N_ORACLE_KNOTS)
    table = _outcomes(problem, lower + knots[:, None] * (upper - lower))
    # (4, piece, variable, sample) to (variable, piece, 4, sample).
    coefficients = CubicSpline(knots, table, axis=0).c.transpose(2, 1, 0, 3).copy()
    places = np.arange(len(lower))
    # For draws in order, the weights of a utility that looks at ordered draws.
    in_order = np.arange(table.shape[-1], dtype=float)
    weights = compute_utility(in_order, utility, risk_level=problem.settings.risk_level)[1]

    def value(money: Array) -> float:
        u = np.clip((money - lower) / width, 0.0, 1.0)
        piece = np.minimum((u * (N_ORACLE_KNOTS - 1)).astype(int), N_ORACLE_KNOTS - 2)
        t = (u - knots[piece])[:, None]
        c = coefficients[places, piece]
        totals = (((c[:, 0] * t + c[:, 1]) * t + c[:, 2]) * t + c[:, 3]).sum(axis=0)
        if utility is Utility.MEAN:
            return float(totals.mean())
        if utility is Utility.SHARPE:
            return float(totals.mean() / totals.std())
        return float(np.sort(totals) @ weights)

    return value


def _outcomes(problem: PlanProblem, plans: Array) -> Array:
    """Exact outcome of every variable of plans of one model, ``(plan, variable, sample)``."""
    (piece,) = problem.space.pieces
    spends = np.stack([piece.spend(money) for money in (*plans, np.zeros(plans.shape[1]))])
    outcomes = piece.horizon.channel_outcomes(spends).sum(axis=3)
    return np.asarray(outcomes[:-1] - outcomes[-1])


def _grid(lower: Array, upper: Array, budget: float) -> list[Array]:
    """Every allocation of three variables on a grid of the first two."""
    axes = [np.linspace(lower[i], upper[i], N_GRID) for i in range(2)]
    plans = [np.array([a, b, budget - a - b]) for a, b in product(*axes)]
    return [p for p in plans if lower[2] <= p[2] <= upper[2]]


def truth_as_draws(world: World, media: MediaTruth) -> xr.Dataset:
    """Return the law of a world of one entity as a posterior of one draw.

    Only media: what the rest is, no plan asks.
    """
    if len(media.amplitude) != 1:
        raise ValueError("half-saturations of several entities do not share the product's scale")
    labels = {dim: world.panel[dim].values for dim in (ENTITY_DIM, CHANNEL_DIM)}
    media_scale = world.inputs.scales["media_scale"].sel(labels).transpose(*labels).to_numpy()
    kpi_scale = world.inputs.scales["kpi_scale"].to_numpy()
    leading, by_channel = ("chain", "draw"), ("chain", "draw", CHANNEL_DIM)
    half = media.half_saturation * media.scale[0] / media_scale[0]
    return xr.Dataset(
        {
            "adstock_alpha": (by_channel, media.retention[None, None]),
            "saturation_slope": (by_channel, media.slope[None, None]),
            "saturation_kappa": (by_channel, half[None, None]),
            "saturation_beta": (
                (*leading, ENTITY_DIM, CHANNEL_DIM),
                (media.amplitude / kpi_scale[:, None])[None, None],
            ),
        },
        coords=labels,
    )
