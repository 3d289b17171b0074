"""Faults of the newest periods: hand-made columns, and laws that hold for any of them."""

import numpy as np
import pytest

from tasks.mathematics.arrivals import (
    find_cost_fault,
    find_dead_values,
    find_level_fault,
    find_stuck_values,
)

N, WINDOW = 80, 4


def spend(n_entities=1, seed=1):
    return np.random.default_rng(seed).lognormal(6, 0.5, (N, n_entities))


def level(values, max_times=3.0):
    return find_level_fault(values, WINDOW, max_times=max_times)


@pytest.mark.parametrize("times", [100.0, 1000.0, 1 / 1000])
@pytest.mark.parametrize("back", [1, 4])
def test_another_unit_is_seen_in_its_first_week_and_for_three_more(times, back):
    values = spend()
    values[-back] *= times
    found = level(values)
    assert (found.row, found.entity, found.n_entities) == (N - back, 0, 1)
    assert found.times == pytest.approx(values[-back, 0] / np.median(values[:-WINDOW]))


def test_a_fault_that_is_older_than_the_window_belongs_to_the_record():
    values = spend()
    values[-5] *= 100
    assert level(values) is None


def test_the_yearly_peak_of_a_year_before_is_no_fault():
    values = spend()
    values[20] *= 30
    values[-1] = values[20]
    assert level(values) is None


@pytest.mark.parametrize("seed", range(5))
def test_a_unit_of_everything_changes_nothing(seed):
    values = spend(seed=seed)
    values[-1] *= 40
    assert level(values * 1000)._replace(times=None) == level(values)._replace(times=None)


def test_a_control_around_zero_is_judged_by_its_spread():
    values = np.random.default_rng(2).normal(0, 1, (N, 1))
    assert level(values) is None
    values[-1] = 100
    found = level(values)
    assert found.row == N - 1
    assert found.times is None


def test_a_column_that_is_often_silent_may_come_back_small():
    values = spend()
    values[::2] = 0
    values[-1] = values[values > 0].min() / 1000
    assert level(values) is None


def test_one_market_of_forty_is_not_enough_unless_it_is_clear():
    values = spend(40)
    record = values[:-WINDOW, 7].max()
    values[-1, 7] = record * 4
    assert level(values) is None
    values[-1, 7] = record * 100
    assert (level(values).entity, level(values).n_entities) == (7, 1)
    values[-1, :5] = values[:-WINDOW, :5].max(axis=0) * 4
    assert level(values).n_entities == 6


def test_swapped_columns_show_in_what_a_unit_costs():
    money = spend()
    activity = money * 0.7 * np.random.default_rng(3).lognormal(0, 0.05, money.shape)
    assert find_cost_fault(money, activity, WINDOW, max_times=3.0) is None
    activity[-1], money[-1] = 30 * money[-1], activity[-1].copy()
    assert find_cost_fault(money, activity, WINDOW, max_times=3.0).row == N - 1


def test_a_repeated_value_is_stuck_where_values_never_repeat():
    values = spend()
    assert find_stuck_values(values, WINDOW) is None
    values[-1] = values[-2]
    assert find_stuck_values(values, WINDOW).row == N - 1


def test_a_price_that_often_stays_is_stuck_once_it_stays_for_very_long():
    values = np.repeat(10 + np.arange(N / 2) % 7, 2)[:, None]  # every second week repeats
    assert find_stuck_values(values, WINDOW) is None
    values[-10:] = values[-10]  # 0.55 ** 9 < 0.01
    assert find_stuck_values(values, WINDOW) is not None


def test_a_constant_is_never_stuck():
    assert find_stuck_values(np.full((N, 1), 1000.0), WINDOW) is None


def dead(values, present=None):
    present = np.ones(values.shape, bool) if present is None else present
    return find_dead_values(values, present, WINDOW)


@pytest.mark.parametrize("nothing", [0.0, np.nan])
def test_a_column_that_falls_silent_is_seen_at_once_for_four_periods(nothing):
    for back in range(1, 7):
        values = spend()
        values[-back:] = nothing
        assert (dead(values) is not None) == (back <= WINDOW)


def test_a_column_that_paused_for_two_weeks_is_dead_after_four():
    values = spend()
    values[30:32] = 0
    values[-3:] = 0
    assert dead(values) is None
    values[-4:] = 0
    assert dead(values) is not None


def test_a_channel_in_bursts_and_a_market_that_closed_are_not_dead():
    bursts = spend()
    bursts[::3] = 0
    bursts[-3:] = 0
    assert dead(bursts) is None
    closed = spend(2)
    closed[-2:, 1] = np.nan
    present = np.isfinite(closed)
    assert dead(closed, present) is None


def test_a_few_markets_that_pause_are_no_dead_column():
    values = spend(8)
    values[-1, :3] = 0
    assert dead(values) is None
    values[-1, :4] = 0
    assert dead(values).n_entities == 4


def test_a_few_markets_that_stay_silent_are_named_with_the_period_in_which_it_began():
    values = spend(8)
    values[-2:, 2] = 0
    assert dead(values) is None
    values[-3:, 2] = 0
    seen = dead(values)
    assert (seen.row, seen.entity, seen.n_entities, seen.is_local) == (N - 3, 2, 1, True)
    values[30:32, 5] = 0
    values[-4:, 5] = 0  # twice as long as ever before
    values[-3:, 2] = 1 + values[-4, 2] + np.arange(3)
    seen = dead(values)
    assert (seen.row, seen.entity, seen.is_local) == (N - 4, 5, True)


def test_a_few_markets_that_repeat_a_value_for_three_periods_are_named():
    values = spend(8)
    values[-3:, 2] = values[-3, 2]
    assert find_stuck_values(values, WINDOW) is None
    values[-4, 2] = values[-3, 2]
    seen = find_stuck_values(values, WINDOW)
    assert (seen.entity, seen.n_entities, seen.is_local) == (2, 1, True)
    values[-1, 2] = values[-2, 2] + 1
    assert find_stuck_values(values, WINDOW) is None


def test_one_market_alone_is_the_whole_column():
    values = spend()
    values[-3:] = 0
    assert not dead(values).is_local


def test_too_short_a_past_is_not_judged():
    few = spend()[:9]
    few[-1] *= 1000
    assert level(few) is None
    assert find_stuck_values(few, WINDOW) is None
