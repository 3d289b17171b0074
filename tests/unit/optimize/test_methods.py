"""Methods against a grid that the models evaluate, and within limits of any kind."""

from importlib.metadata import EntryPoint, EntryPoints

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.plans import (
    best_on_grid,
    budget_grid,
    halve_everything,
    planned_fit,
    three_channel_world,
)
from support.plans import space_of as lay_out
from support.worlds import mmm_world, prior_draws

from schemas.errors import SpecError
from schemas.spec.optimizer import OptimizerSpec, PlanBounds, Utility
from tasks.optimize.bounds import build_limits, with_budget
from tasks.optimize.limits import box
from tasks.optimize.methods import METHODS, Solution, find_method
from tasks.optimize.problem import Problem
from tasks.optimize.response import PanelResponse, tabulate
from tasks.optimize.search import search_plan

WIDE = OptimizerSpec(horizon=4, max_change=0.6, beyond_observed=True)
TOLERANCE = {"slsqp": 1e-3, "trust-constr": 1e-2, "l-bfgs-b": 1e-2}
WORLDS = {
    "two channels": (lambda: mmm_world(2), 241),
    "three channels": (lambda: three_channel_world(), 31),
}


class Known:
    """A known world with its space, limits, table and grid of plans."""

    def __init__(self, name):
        make, n_points = WORLDS[name]
        world = make()
        self.space = lay_out(planned_fit(world, prior_draws(world, n_draws=25)), horizon=4)
        self.budget = float(self.space.current.sum())
        limits = build_limits(self.space, PlanBounds(), WIDE)
        self.limits = with_budget(limits, self.budget)
        self.table = tabulate(self.space.pieces, limits.lower, limits.upper)
        self.exact = PanelResponse(self.space.pieces)
        self.grid = budget_grid(limits.lower, limits.upper, self.budget, n_points=n_points)

    def problem(self, utility, response=None):
        return Problem(response or self.table, self.limits, utility, risk_level=0.2)


@pytest.fixture(scope="module", params=list(WORLDS))
def known(request):
    return Known(request.param)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("utility", list(Utility))
def test_every_method_comes_near_the_best_plan_of_a_grid(known, method, utility):
    oracle, _ = best_on_grid(known.space, known.grid, utility, risk_level=0.2)
    search = search_plan(
        known.problem(utility), known.space.current, METHODS[method],
        method_name=method, n_starts=1, seed=0,
    )  # fmt: skip
    judged = known.problem(utility, known.exact)
    found = judged.value(search.money)[0]
    assert found >= oracle - TOLERANCE[method] * abs(oracle)
    assert oracle > judged.value(known.space.current)[0]
    assert search.money.sum() == pytest.approx(known.budget, rel=1e-6)
    assert (search.money >= known.limits.lower * (1 - 1e-9)).all()
    assert (search.money <= known.limits.upper * (1 + 1e-9)).all()


class Roots:
    """Outcome ``sum effect * sqrt(money)`` per draw: concave, with a known gradient."""

    def __init__(self, effect):
        self.effect = effect

    def totals(self, money):
        return self.effect @ np.sqrt(money)

    def pull(self, money, weights):
        return (weights @ self.effect) * 0.5 / np.sqrt(np.maximum(money, 1e-9))


FILLS = {"slsqp": [0.0, 0.01, 0.4, 1.0], "l-bfgs-b": [0.0, 0.01, 0.4, 1.0], "trust-constr": [0.4]}
"""Where between the bounds the budget is; an interior point needs an interior."""
EXAMPLES = {"slsqp": 20, "l-bfgs-b": 8, "trust-constr": 2}


@st.composite
def problems(draw, method):
    n = draw(st.integers(2, 5))
    rng = np.random.default_rng(draw(st.integers(0, 2**31)))
    lower = rng.uniform(1, 1000, n) * draw(st.sampled_from([1.0, 1e4]))
    upper = lower * rng.uniform(1, 5, n)
    if draw(st.booleans()):
        upper[0] = lower[0]
    fill = draw(st.sampled_from(FILLS[method]))
    limits = with_budget(box(lower, upper), float((lower + fill * (upper - lower)).sum()))
    if draw(st.booleans()):
        share = lower[0] / limits.row_upper[0]
        row = np.where(np.arange(n) == 0, 1.0, 0.0) - share * 0.5
        limits = limits.with_row(row, 0.0, np.inf, "a share")
    effect = rng.gamma(4, 1, (60, n))
    smooth = [Utility.MEAN, Utility.SHARPE]  # an interior point is slow at the kinks of few draws
    utilities = smooth if method == "trust-constr" else list(Utility)
    return Problem(Roots(effect), limits, draw(st.sampled_from(utilities)), 0.2)


@pytest.mark.parametrize("method", METHODS)
def test_budget_and_bounds_are_kept_whatever_they_are(method):
    @settings(max_examples=EXAMPLES[method], deadline=None, derandomize=True)
    @given(problem=problems(method), seed=st.integers(0, 100))
    def kept(problem, seed):
        require_kept(method, problem, seed)

    kept()


def require_kept(method, problem, seed):
    limits = problem.limits
    today = np.random.default_rng(seed).uniform(0.5, 1.5, len(limits.lower)) * limits.upper
    money = search_plan(
        problem, today, METHODS[method], method_name=method, n_starts=1, seed=seed
    ).money
    assert money.sum() == pytest.approx(limits.row_upper[0], rel=1e-6)
    assert (money >= limits.lower).all()
    assert (money <= limits.upper).all()
    values = limits.rows @ money
    size = limits.upper.sum()
    assert (values >= limits.row_lower - 1e-6 * size).all()
    assert (values <= limits.row_upper + 1e-6 * size).all()


@pytest.mark.parametrize("method", METHODS)
def test_the_mean_of_roots_is_split_by_the_squares_of_their_effects(method):
    # Equal marginal returns a / sqrt(x) on a budget of 500: shares 1 to 4.
    effect = np.array([[1.0, 2.0]])
    limits = with_budget(box(np.array([1.0, 1.0]), np.array([500.0, 500.0])), 500.0)
    problem = Problem(Roots(effect), limits, Utility.MEAN, 0.1)
    solution = METHODS[method](problem, np.array([250.0, 250.0]))
    np.testing.assert_allclose(solution.money, [100, 400], rtol=1e-3)


@pytest.mark.parametrize("method", METHODS)
def test_a_target_return_is_met_and_the_mean_is_as_large_as_it_allows(method):
    # Mean 10 sqrt(x) on x is 10 / sqrt(x): at least 2 up to x = 25.
    problem = Problem(
        Roots(np.array([[10.0]])), box(np.array([1.0]), np.array([400.0])), Utility.MEAN, 0.1,
        least_return=2.0,
    )  # fmt: skip
    solution = METHODS[method](problem, np.array([4.0]))
    assert solution.money[0] == pytest.approx(25, rel=1e-3)


@pytest.mark.parametrize("method", METHODS)
def test_with_a_price_of_money_the_last_unit_returns_it(method):
    # 5 / sqrt(x) = 0.5 at x = 100.
    problem = Problem(
        Roots(np.array([[10.0]])), box(np.array([1.0]), np.array([400.0])), Utility.MEAN, 0.1,
        price=0.5,
    )  # fmt: skip
    solution = METHODS[method](problem, np.array([4.0]))
    assert solution.money[0] == pytest.approx(100, rel=2e-3)


def add_methods(monkeypatch, **added):
    points = EntryPoints(
        EntryPoint(name, value, "steady_mmm.optimizers") for name, value in added.items()
    )
    monkeypatch.setattr(
        "tasks.optimize.methods.entry_points", lambda *, group: points.select(group=group)
    )


def test_a_method_of_another_package_is_found_and_kept_within_the_limits(monkeypatch):
    add_methods(monkeypatch, halve="support.plans:halve_everything")
    method = find_method("halve")
    assert method is halve_everything
    limits = with_budget(box(np.array([10.0, 10.0]), np.array([90.0, 90.0])), 100.0)
    problem = Problem(Roots(np.array([[1.0, 2.0]])), limits, Utility.MEAN, 0.1)
    search = search_plan(
        problem, np.array([80.0, 20.0]), method, method_name="halve", n_starts=3, seed=1
    )
    assert search.money.sum() == pytest.approx(100, rel=1e-9)
    assert search.certificate.method == "halve"
    assert search.certificate.n_failed == 0


def test_no_package_can_replace_a_method_of_this_one(monkeypatch):
    add_methods(monkeypatch, slsqp="support.plans:halve_everything")
    assert find_method("slsqp") is METHODS["slsqp"]


def test_an_unknown_method_is_refused_with_those_there_are(monkeypatch):
    add_methods(monkeypatch, halve="support.plans:halve_everything")
    message = "optimizer.method: 'cobyla' is not one of slsqp, trust-constr, l-bfgs-b, halve"
    with pytest.raises(SpecError, match=message):
        find_method("cobyla")


def test_a_method_that_ends_at_no_number_is_reported_and_never_chosen():
    def lost(problem, start):
        return Solution(start * np.nan, has_converged=True)

    limits = with_budget(box(np.array([10.0, 10.0]), np.array([90.0, 90.0])), 100.0)
    problem = Problem(Roots(np.array([[1.0, 2.0]])), limits, Utility.MEAN, 0.1)
    with pytest.raises(SpecError, match="Method 'lost' found no plan within the bounds"):
        search_plan(problem, limits.upper, lost, method_name="lost", n_starts=2, seed=0)

    def sometimes(problem, start):
        money = start if start[0] > 50 else start * np.nan
        return Solution(money, has_converged=True)

    certificate = search_plan(
        problem, np.array([80.0, 20.0]), sometimes, method_name="x", n_starts=8, seed=0
    ).certificate
    assert 0 < certificate.n_failed < 8
