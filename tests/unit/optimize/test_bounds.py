"""From what a spec allows to bounds of variables: defaults, money, observed range, groups."""

from dataclasses import replace

import numpy as np
import pytest
from support.plans import planned_fit, space_of
from support.worlds import mmm_world

from schemas.errors import SpecError
from schemas.spec.optimizer import ChannelBounds, GroupBounds, OptimizerSpec, PlanBounds
from tasks.optimize.bounds import build_limits, channel_range, with_budget

SETTINGS = OptimizerSpec(horizon=8)
FREE = OptimizerSpec(horizon=8, beyond_observed=True)


@pytest.fixture(scope="module")
def fit():
    return planned_fit(mmm_world(2))


@pytest.fixture(scope="module")
def space(fit):
    return space_of(fit)


def bounds_of(**channels):
    return PlanBounds(channels={name: ChannelBounds(**b) for name, b in channels.items()})


@pytest.mark.parametrize(
    ("stated", "expected"),
    [
        ({}, (70, 130)),
        ({"low": 0.9}, (90, 130)),
        ({"high": 2}, (70, 200)),
        ({"low": 1.5}, (150, 150)),
        ({"high": 0.5}, (50, 50)),
        ({"min_spend": 20}, (20, 130)),
        ({"min_spend": 20, "max_spend": 500}, (20, 500)),
        ({"low": 0.5, "max_spend": 110}, (50, 110)),
    ],
)
def test_range_of_a_channel_that_costs_a_hundred(stated, expected):
    assert channel_range(ChannelBounds(**stated), 100.0, SETTINGS) == pytest.approx(expected)


def test_a_channel_may_not_go_below_nothing():
    wide = OptimizerSpec(max_change=3)
    assert channel_range(ChannelBounds(), 100.0, wide) == (0.0, 400.0)


def test_without_bounds_every_channel_may_move_by_the_default(space):
    limits = build_limits(space, PlanBounds(), FREE)
    np.testing.assert_allclose(limits.lower, 0.7 * space.current)
    np.testing.assert_allclose(limits.upper, 1.3 * space.current)


def test_a_channel_that_rests_may_be_reopened_with_a_share_of_the_most_it_was_seen_to_spend(space):
    at = space.channels.index("tv")
    current = np.where(space.channel_of == at, 0.0, space.current)
    resting = replace(space, current=current)
    limits = build_limits(resting, PlanBounds(), FREE)
    most = space.observed[1, space.channel_of == at].sum()
    assert limits.lower[space.channel_of == at].sum() == 0
    assert limits.upper[space.channel_of == at].sum() == pytest.approx(0.3 * most)
    closed = build_limits(resting, bounds_of(tv={"max_spend": 0.0}), FREE)
    assert closed.upper[space.channel_of == at].sum() == 0


def test_no_channel_leaves_what_was_observed_unless_asked(space):
    wide = bounds_of(search={"low": 0, "high": 9}, tv={"low": 0, "high": 9})
    limits, free = (build_limits(space, wide, s) for s in (SETTINGS, FREE))
    np.testing.assert_allclose(limits.lower, space.observed[0])
    np.testing.assert_allclose(limits.upper, space.observed[1])
    np.testing.assert_allclose(free.upper, 9 * space.current)


def test_observed_range_is_the_least_and_most_of_a_period_times_the_horizon(fit, space):
    weekly = fit.panel["spend"].sel(channel="search").sum("entity").to_numpy()
    at = space.channels.index("search")
    np.testing.assert_allclose(space.observed[:, at], [weekly.min() * 8, weekly.max() * 8])


def test_bounds_that_lie_outside_what_was_observed_are_refused(space):
    with pytest.raises(SpecError, match=r"tv lie outside what was ever spent .*--beyond-observed"):
        build_limits(space, bounds_of(tv={"low": 50, "high": 60}), SETTINGS)


def test_a_channel_that_the_prior_decided_stays_whatever_its_bounds():
    space = space_of(planned_fit(mmm_world(1), prior_driven=["tv"]))
    limits = build_limits(space, bounds_of(tv={"low": 0, "high": 2}), FREE)
    at = space.channels.index("tv")
    assert limits.lower[at] == limits.upper[at] == space.current[at]


@pytest.mark.parametrize(
    "bounds",
    [
        bounds_of(serach={"low": 0.5}),
        PlanBounds(groups=[GroupBounds(name="g", channels=["tv", "serach"], max_spend=1)]),
    ],
    ids=["channel", "group"],
)
def test_a_name_that_is_not_planned_is_refused_with_the_nearest(space, bounds):
    with pytest.raises(SpecError, match=r"'serach' in the bounds .* did you mean 'search'"):
        build_limits(space, bounds, SETTINGS)


def test_an_owned_channel_has_no_bounds(space):
    with pytest.raises(SpecError, match="'email' in the bounds cannot be planned; planned ch"):
        build_limits(space, bounds_of(email={"low": 0.5}), SETTINGS)


def test_group_money_and_shares_become_rows_that_hold_where_the_group_does(space):
    group = GroupBounds(name="g", channels=["tv"], min_spend=100, max_share=0.5)
    limits = with_budget(build_limits(space, PlanBounds(groups=[group]), FREE), 1000.0)
    tv = space.row(["tv"])
    for in_tv, is_kept in ((90, False), (100, True), (500, True), (510, False)):
        money = np.where(tv > 0, in_tv, 1000.0 - in_tv)
        values = limits.rows @ money
        kept = (values >= limits.row_lower - 1e-9) & (values <= limits.row_upper + 1e-9)
        assert kept.all() == is_kept, in_tv
    assert limits.names[-1] == "The budget"


def test_by_entity_each_entity_may_move_by_the_default(fit):
    space = space_of(fit, by_entity=True)
    limits = build_limits(space, PlanBounds(), FREE)
    np.testing.assert_allclose(limits.upper, 1.3 * space.current)
    assert not len(limits.rows)


def test_by_entity_money_bounds_a_channel_and_not_each_entity(fit):
    # A channel whose sum is fixed can still move money between its entities.
    space = space_of(fit, by_entity=True)
    mine = space.row(["tv"]).astype(bool)
    total = float(space.current[mine].sum())
    fixed = bounds_of(tv={"min_spend": total, "max_spend": total})
    limits = build_limits(space, fixed, FREE)
    np.testing.assert_allclose(limits.lower[mine], 0.7 * space.current[mine])
    np.testing.assert_allclose(limits.upper[mine], 1.3 * space.current[mine])
    assert limits.range_of(mine.astype(float)) == pytest.approx((total, total))


def test_by_entity_money_far_above_today_can_be_reached(fit):
    space = space_of(fit, by_entity=True)
    mine = space.row(["tv"]).astype(bool)
    limits = build_limits(space, bounds_of(tv={"max_spend": 1e6}), FREE)
    assert limits.upper[mine].sum() >= 1e6
    assert limits.range_of(mine.astype(float))[1] == pytest.approx(1e6)


def test_flighting_bounds_the_channel_in_all_and_each_period_by_what_was_observed(fit):
    space = space_of(fit, flighting=True)
    limits = build_limits(space, bounds_of(tv={"low": 0.8, "high": 1.1}), SETTINGS)
    mine = space.row(["tv"])
    total = float(mine @ space.current)
    weekly = fit.panel["spend"].sel(channel="tv").sum("entity").to_numpy()
    np.testing.assert_allclose(limits.lower[mine > 0], weekly.min())
    np.testing.assert_allclose(limits.upper[mine > 0], weekly.max())
    assert limits.range_of(mine) == pytest.approx((0.8 * total, 1.1 * total))


def test_flighting_beyond_what_was_observed_lets_a_period_take_what_the_channel_may(fit):
    space = space_of(fit, flighting=True)
    limits = build_limits(space, bounds_of(search={"high": 3}), FREE)
    mine = space.row(["search"])
    total = float(mine @ space.current)
    assert limits.range_of(mine)[1] == pytest.approx(3 * total)
    assert (limits.upper[mine > 0] >= 3 * total - 1e-6).all()


def test_flighting_holds_every_period_of_a_channel_that_the_prior_decided():
    space = space_of(planned_fit(mmm_world(1), prior_driven=["search"]), flighting=True)
    limits = build_limits(space, PlanBounds(), SETTINGS)
    mine = space.row(["search"]) > 0
    np.testing.assert_array_equal(limits.lower[mine], space.current[mine])
    np.testing.assert_array_equal(limits.upper[mine], space.current[mine])
