"""Limits: what is infeasible is named with what can be reached, and the projection is nearest."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from schemas.errors import SpecError
from tasks.optimize.limits import box, require_reachable

LABELS = ("tv", "search", "radio")
ONES = np.ones(3)


def limits_of(lower, upper, budget=None):
    limits = box(np.array(lower, float), np.array(upper, float))
    return limits if budget is None else limits.with_row(ONES, budget, budget, "The budget")


def test_bounds_that_cross_are_named_with_both_ends():
    with pytest.raises(SpecError, match=r"Bounds of search: the least spend 50 .* the most, 20"):
        require_reachable(limits_of([0, 50, 0], [10, 20, 10]), LABELS)


def test_a_budget_beyond_the_bounds_is_named_with_what_they_allow():
    message = r"The budget cannot be met: it asks for 100, the bounds allow 15 to 60"
    with pytest.raises(SpecError, match=message):
        require_reachable(limits_of([5, 5, 5], [20, 20, 20], 100), LABELS)


@pytest.mark.parametrize("budget", [15, 37, 60])
def test_a_budget_at_or_between_the_ends_of_the_bounds_is_reachable(budget):
    require_reachable(limits_of([5, 5, 5], [20, 20, 20], budget), LABELS)


def test_a_group_that_asks_for_too_much_is_named():
    limits = limits_of([0, 0, 0], [20, 20, 20], 40).with_row(
        np.array([1.0, 1.0, 0.0]), 50, np.inf, "The bounds of group 'screens'"
    )
    with pytest.raises(
        SpecError, match=r"'screens' cannot be met: it asks for at least 50, .* 20 t"
    ):
        require_reachable(limits, LABELS)


def test_a_share_that_no_plan_has_is_named_with_the_money_that_is_short():
    # At most 20 of 100 can go to tv; half of 100 would be 50.
    limits = limits_of([0, 0, 0], [20, 60, 60]).with_row(
        np.array([0.5, -0.5, -0.5]), 0, np.inf, "The least share of group 'tv'"
    )
    limits = limits.with_row(ONES, 100, 100, "The budget")
    with pytest.raises(SpecError, match=r"'tv' cannot be met: .* misses it by 30 of spend"):
        require_reachable(limits, LABELS)


def test_two_groups_that_only_together_ask_too_much_are_each_possible_alone():
    limits = limits_of([0, 0, 0], [20, 20, 20])
    for members in ([1.0, 0, 0], [0, 1.0, 0]):
        limits = limits.with_row(np.array(members), 15, np.inf, f"group {members.index(1.0)}")
    limits = limits.with_row(ONES, 20, 20, "The budget")
    with pytest.raises(SpecError, match=r"group 0 cannot be met: .* the bounds allow 0 to 5"):
        require_reachable(limits, LABELS)


def test_limits_that_no_single_row_can_mend_are_listed():
    limits = limits_of([0, 0, 0], [20, 20, 20], 100)
    limits = limits.with_row(np.array([1.0, 0, 0]), 90, np.inf, "The bounds of group 'a'")
    with pytest.raises(SpecError, match="all of The budget, The bounds of group 'a' at once"):
        require_reachable(limits, LABELS)


def test_projection_of_a_plan_that_keeps_all_limits_is_the_plan():
    money = np.array([10.0, 12.0, 8.0])
    np.testing.assert_array_equal(limits_of([0] * 3, [20] * 3, 30).project(money), money)


def test_projection_on_a_budget_spreads_the_excess_evenly():
    # The nearest point of a plane: 15 too much, five off each.
    got = limits_of([0] * 3, [100] * 3, 30).project(np.array([25.0, 15.0, 5.0]))
    np.testing.assert_allclose(got, [20, 10, 0], atol=1e-6)


BOUND = arrays(float, 3, elements=st.floats(1, 500))


@settings(max_examples=25, deadline=None)
@given(BOUND, BOUND, st.floats(0, 1), st.integers(0, 2**31))
def test_projection_is_feasible_idempotent_and_nearest(low, width, fill, seed):
    rng = np.random.default_rng(seed)
    budget = float((low + fill * width).sum())
    limits = limits_of(low, low + width, budget)
    point = rng.uniform(-100, 900, 3)
    got = limits.project(point)
    assert limits.violation(got) <= 1e-9
    np.testing.assert_allclose(limits.project(got), got, atol=1e-6 * max(budget, 1))
    distance = ((got - point) ** 2).sum()
    for _ in range(20):
        # Any other valid plan, between two valid ones, is no nearer.
        other = low + fill * width
        shift = rng.normal(size=3)
        moved = np.clip(other + (shift - shift.mean()) * rng.uniform(0, 200), low, low + width)
        if limits.violation(moved) <= 1e-9:
            assert ((moved - point) ** 2).sum() >= distance * (1 - 1e-6) - 1e-6
    assert ((low + fill * width - point) ** 2).sum() >= distance * (1 - 1e-6) - 1e-6


def test_violation_is_relative_to_the_size_of_a_plan():
    limits = limits_of([0] * 3, [100] * 3, 150)
    assert limits.violation(np.array([50.0, 50.0, 50.0])) == 0
    assert limits.violation(np.array([50.0, 50.0, 53.0])) == pytest.approx(3 / 300)
    assert limits.violation(np.array([-6.0, 100.0, 56.0])) == pytest.approx(6 / 300)


def test_equalities_and_inequalities_go_to_scipy_apart():
    limits = limits_of([0] * 3, [10] * 3, 15).with_row(np.array([1.0, 0, 0]), 2, 8, "group")
    fixed, free = limits.constraint()
    assert fixed.lb.tolist() == fixed.ub.tolist() == [1.5]
    assert (free.lb.tolist(), free.ub.tolist()) == ([0.2], [0.8])
    assert limits_of([0] * 3, [10] * 3).constraint() == []


def test_the_range_of_a_channel_is_its_bounds_or_a_tighter_row_of_exactly_its_variables():
    limits = limits_of([1, 2, 3], [10, 20, 30], 40)
    assert limits.range_of(np.array([1.0, 1.0, 0.0])) == (3, 30)
    tighter = limits.with_row(np.array([1.0, 1.0, 0.0]), 5, 12, "The bounds of tv")
    assert tighter.range_of(np.array([1.0, 1.0, 0.0])) == (5, 12)
    assert tighter.range_of(np.array([0.0, 1.0, 0.0])) == (2, 20)
