"""Our plan and pymc-marketing's of one posterior: ``python -m benchmarks.recovery.budget_cell``."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.recovery.decision import fit_plan, plan_today
from benchmarks.recovery.generator import Shape, generate_world
from benchmarks.recovery.plan_problem import PlanProblem, take_apart
from benchmarks.recovery.process import answer
from benchmarks.recovery.sets import load_set
from benchmarks.recovery.worlds import World, leave_out_last
from schemas.spec.optimizer import OptimizerSpec, Utility
from schemas.spec.sampler import SamplerSpec

OWN = "own"
OWN_WORLD = (9501, Shape(n_weeks=130, n_entities=1, n_channels=8))


@dataclass(frozen=True)
class BudgetCell:
    """What to plan."""

    dataset: str
    """``OWN``, or the name of a recovery set in ``folder``."""
    folder: str
    utility: str
    """``mean`` or ``cvar``."""
    weeks_left_out: int = 0


def measure(cell: BudgetCell) -> dict[str, Any]:
    """Fit, then plan by both ways.

    Returns
    -------
    dict
        Seconds: of ours ``ours_plan`` the whole warm call, of it ``ours_table`` and
        ``ours_search``; of theirs ``stock_compile`` and ``stock_optimize``. ``gap`` how far ours is
        below theirs in utility, as a share, negative where it is above; ``gap_of_gain`` the same as
        a share of what theirs gains over today; ``distance`` between the two plans as a share of
        the budget; budget errors.
    """
    # Imports pymc-marketing, which whoever only names a cell does not need.
    from benchmarks.recovery.stock_budget import optimize_stock

    world, utility = _load(cell), Utility(cell.utility)
    settings = OptimizerSpec(utility=utility, by_entity=_n_entities(world) > 1)
    fit, _ = fit_plan(world, SamplerSpec(), settings)
    problem = take_apart(fit, settings)
    plan_today(fit, settings)
    ours_plan, _ = _timed(lambda: plan_today(fit, settings))
    ours_table, table = _timed(problem.table)
    ours_search, found = _timed(
        lambda: problem.search(table, method=settings.method, utility=utility)
    )
    stock = optimize_stock(world, fit.model.draws, problem, utility)
    return {
        "size": world.size,
        "n_variables": len(problem.space.current),
        "n_draws": problem.exact.n_draws,
        "ours_plan": ours_plan,
        "ours_table": ours_table,
        "ours_search": ours_search,
        "agree": found.certificate.agree_share,
        "stock_compile": stock.compile,
        "stock_optimize": stock.allocation,
        **_compare(problem, found.money, stock.money),
    }


def _compare(problem: PlanProblem, ours: np.ndarray, theirs: np.ndarray) -> dict[str, float]:
    value, other, today = (problem.utility(m) for m in (ours, theirs, problem.space.current))
    return {
        "utility_ours": value,
        "utility_stock": other,
        "gap": (other - value) / abs(other),
        "gap_of_gain": (other - value) / (other - today),
        "distance": float(np.abs(ours - theirs).sum() / 2 / problem.budget),
        "budget_error": abs(ours.sum() / problem.budget - 1),
        "stock_budget_error": abs(theirs.sum() / problem.budget - 1),
    }


def _timed(work: Callable[[], Any]) -> tuple[float, Any]:
    started = time.perf_counter()
    done = work()
    return time.perf_counter() - started, done


def _load(cell: BudgetCell) -> World:
    world = (
        generate_world(*OWN_WORLD)
        if cell.dataset == OWN
        else load_set(cell.dataset, Path(cell.folder))
    )
    return leave_out_last(world, cell.weeks_left_out)


def _n_entities(world: World) -> int:
    return int(world.truth.shape[0])


if __name__ == "__main__":
    answer(lambda cell: measure(BudgetCell(**cell)))
