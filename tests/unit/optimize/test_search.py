"""Many starts on a world with several optima: the best is found, and the starts agree."""

import numpy as np
import pytest
from support.plans import (
    ask,
    best_on_grid,
    budget_grid,
    planned_fit,
    space_of,
    three_channel_world,
)
from support.worlds import mmm_world, prior_draws

from schemas.errors import SpecError
from schemas.spec.optimizer import Utility
from tasks.optimize.bounds import with_budget
from tasks.optimize.limits import box
from tasks.optimize.methods import METHODS
from tasks.optimize.problem import Problem
from tasks.optimize.response import PanelResponse, tabulate
from tasks.optimize.search import search_plan


def s_shaped_fit():
    """Three channels, each worth little below a threshold: the budget feeds only some of them."""
    world = three_channel_world()
    draws = prior_draws(world, n_draws=20)
    one = np.ones_like(draws["saturation_kappa"])
    draws["saturation_slope"] = draws["saturation_slope"] * 0 + 6.0
    draws["saturation_kappa"] = draws["saturation_kappa"] * 0 + one * np.array([0.9, 1.0, 1.1])
    return planned_fit(world, draws)


@pytest.fixture(scope="module")
def world():
    fit = s_shaped_fit()
    space = space_of(fit)
    lower, upper = 0.02 * space.current, 2.5 * space.current
    budget = 0.8 * float(space.current.sum())
    problem = Problem(
        tabulate(space.pieces, lower, upper), with_budget(box(lower, upper), budget),
        Utility.MEAN, 0.1,
    )  # fmt: skip
    return space, problem, budget


def search(problem, space, **changed):
    given = {"method_name": "slsqp", "n_starts": 24, "seed": 3, **changed}
    return search_plan(problem, space.current, METHODS["slsqp"], **given)


def test_many_starts_find_the_best_of_several_optima_and_few_of_them_agree(world):
    space, problem, budget = world
    limits = problem.limits
    oracle, _ = best_on_grid(
        space, budget_grid(limits.lower, limits.upper, budget, n_points=61), Utility.MEAN
    )
    found = search(problem, space)
    exact = PanelResponse(space.pieces).totals(found.money).mean()
    assert exact >= oracle * (1 - 1e-3)
    certificate = found.certificate
    assert certificate.n_starts == 24
    assert 1 <= certificate.n_agree < 0.95 * 24
    assert certificate.agree_share == certificate.n_agree / 24
    assert certificate.worst_utility < 0.99 * certificate.best_utility


def test_one_start_can_end_at_a_lower_optimum(world):
    space, problem, _ = world
    values = [
        search(problem, space, n_starts=1).certificate.best_utility,
        search(problem, space).certificate.best_utility,
    ]
    assert values[0] <= values[1]


def test_the_same_seed_gives_the_same_plan_bit_for_bit(world):
    space, problem, _ = world
    first, second = (search(problem, space, n_starts=6) for _ in range(2))
    assert first.money.tobytes() == second.money.tobytes()
    assert first.certificate == second.certificate


def test_a_whole_plan_is_the_same_for_the_same_seed():
    fit = planned_fit(mmm_world(1))
    first, second = (ask(fit, utility="cvar", random_seed=9) for _ in range(2))
    assert first == second


def test_on_a_concave_world_all_starts_agree():
    certificate = ask(planned_fit(mmm_world(1, saturation="michaelis_menten"))).certificate
    assert certificate.n_agree == certificate.n_starts == 3
    assert certificate.n_failed == 0


def test_a_target_that_no_plan_reaches_is_refused(world):
    space, problem, _ = world
    unreachable = Problem(
        problem.response, box(problem.limits.lower, problem.limits.upper), Utility.MEAN, 0.1,
        least_return=1e4,
    )  # fmt: skip
    with pytest.raises(SpecError, match="No plan within the bounds reaches a return of 10000"):
        search(unreachable, space, n_starts=2)
