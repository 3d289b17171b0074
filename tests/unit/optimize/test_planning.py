"""Whole plans: no worse than today, honest about what is not known, and true to its words."""

import numpy as np
import pytest
from support.plans import ask, planned_fit, space_of, three_channel_world
from support.worlds import build_world, log_world, make_rows, make_spec, mmm_world, prior_draws

from schemas.documents.plan import Action, Advice, Plan
from schemas.errors import SpecError
from schemas.names import DATE_DIM
from schemas.spec.optimizer import ChannelBounds, GroupBounds, PlanBounds, Utility
from tasks.optimize.gains import todays_mix
from tasks.optimize.methods import METHODS, Solution
from tasks.optimize.response import PanelResponse
from tasks.optimize.utility import compute_utility


@pytest.fixture(scope="module")
def fit():
    return planned_fit(mmm_world(1))


@pytest.fixture(scope="module")
def panel_fit():
    return planned_fit(mmm_world(2))


@pytest.fixture(scope="module")
def sure_fit():
    """A fit that knows for certain: all draws are nearly one, so any gain is a sure gain."""
    world = mmm_world(1)
    draws = prior_draws(world, n_draws=50)
    one = draws.isel(chain=[0] * 2, draw=[3] * 50)
    jitter = 1 + 0.01 * np.random.default_rng(0).normal(size=(2, 50, 1, 4))
    one["saturation_beta"] = one["saturation_beta"] * jitter
    return planned_fit(world, one)


@pytest.fixture(scope="module")
def plain(fit):
    """Eight periods at today's budget, nothing else asked."""
    return ask(fit)


@pytest.fixture(scope="module")
def free(fit):
    """The same within bounds that groups then narrow."""
    return ask(fit, max_change=0.5, beyond_observed=True, n_starts=2)


def money_of(plan, space):
    """Candidate as variables, one per channel."""
    return np.array([plan.channels[name].candidate for name in space.channels])


@pytest.mark.parametrize("utility", list(Utility))
@pytest.mark.parametrize("budget", [None, 1300.0, 1700.0])
def test_the_candidate_is_no_worse_than_todays_mix_on_its_own_utility(fit, utility, budget):
    plan = ask(fit, utility=utility, budget=budget, n_starts=2)
    space = space_of(fit)
    exact = PanelResponse(space.pieces)
    mix = todays_mix(space, plan.budget)
    mine, todays = (
        compute_utility(exact.totals(m), utility, risk_level=0.1)[0]
        for m in (money_of(plan, space), mix)
    )
    assert mine >= todays - 1e-9 * abs(todays)
    assert plan.budget == pytest.approx(budget or plan.current_budget, rel=1e-6)
    for channel in plan.channels.values():
        assert channel.low * (1 - 1e-9) <= channel.candidate <= channel.high * (1 + 1e-9)


def test_gains_are_those_of_the_models_themselves(fit):
    plan = ask(fit, budget=1600.0)
    space = space_of(fit)
    exact = PanelResponse(space.pieces)
    total = exact.totals(money_of(plan, space))
    gain = total - exact.totals(todays_mix(space, 1600.0))
    change = total - exact.totals(space.current)
    assert plan.gain_mean == pytest.approx(gain.mean(), rel=1e-9)
    assert plan.prob_gain == (gain > 0).mean()
    assert plan.expected_regret == pytest.approx(np.maximum(-gain, 0).mean(), rel=1e-9)
    assert (plan.gain_low_90, plan.gain_high_90) == pytest.approx(np.quantile(gain, [0.05, 0.95]))
    assert plan.change_mean == pytest.approx(change.mean(), rel=1e-9)
    assert plan.incremental_mean == pytest.approx(total.mean(), rel=1e-9)
    assert plan.return_mean == pytest.approx(total.mean() / 1600.0, rel=1e-6)
    assert plan.gain_low <= plan.gain_mean <= plan.gain_high


def test_at_todays_budget_gain_and_change_are_the_same(plain):
    plan = plain
    assert plan.change_mean == pytest.approx(plan.gain_mean, rel=1e-9)


def test_advice_is_withheld_below_the_threshold_and_planned_is_todays_spend(plain):
    plan = plain
    assert plan.prob_gain < 0.9
    assert plan.advice is Advice.WITHHELD
    for channel in plan.channels.values():
        assert channel.planned == pytest.approx(channel.current, rel=1e-12)
        assert channel.action is Action.HOLD
    assert any(c.candidate != pytest.approx(c.current, rel=0.02) for c in plan.channels.values())


def test_withheld_at_another_budget_todays_mix_is_planned_at_that_budget(fit):
    plan = ask(fit, budget=1600.0, min_prob_gain=0.99)
    assert plan.advice is Advice.WITHHELD
    for channel in plan.channels.values():
        assert channel.planned == pytest.approx(channel.current * 1600 / plan.current_budget)
    assert sum(c.planned for c in plan.channels.values()) == pytest.approx(1600.0)


def test_advice_is_given_at_the_threshold_and_planned_is_the_candidate(sure_fit):
    plan = ask(sure_fit)
    assert plan.prob_gain >= 0.9
    assert plan.advice is Advice.FOLLOW
    for channel in plan.channels.values():
        assert channel.planned == channel.candidate
        moved = channel.planned / channel.current - 1
        wanted = (
            Action.HOLD if abs(moved) <= 0.02 else Action.INCREASE if moved > 0 else Action.REDUCE
        )
        assert channel.action is wanted
    assert {Action.INCREASE, Action.REDUCE} <= {c.action for c in plan.channels.values()}


def test_money_moves_to_the_channel_whose_next_percent_returns_more(sure_fit):
    channels = ask(sure_fit, max_change=0.05).channels.values()
    up = [c for c in channels if c.action is Action.INCREASE]
    down = [c for c in channels if c.action is Action.REDUCE]
    assert up[0].mroas_mean > down[0].mroas_mean


def test_nothing_to_move_is_said_and_changes_nothing():
    world = mmm_world(1)
    plan = ask(planned_fit(world, prior_driven=["tv", "search"]))
    assert plan.advice is Advice.WITHHELD
    assert plan.gain_mean == 0
    assert all(c.candidate == c.current for c in plan.channels.values())


def test_a_channel_that_the_prior_decided_is_not_moved():
    fit = planned_fit(three_channel_world(), prior_driven=["search"])
    plan = ask(fit, max_change=0.5)
    search = plan.channels["search"]
    assert search.prior_driven
    assert search.candidate == pytest.approx(search.current, rel=1e-9)
    assert search.action is Action.HOLD
    assert "search" in " ".join(plan.flags)
    others = [c for name, c in plan.channels.items() if name != "search"]
    assert all(c.candidate != pytest.approx(c.current, rel=1e-3) for c in others)


def test_marginal_and_incremental_returns_are_counterfactuals_of_the_models(fit, plain):
    plan, space = plain, space_of(fit)
    exact = PanelResponse(space.pieces)
    for place, name in enumerate(space.channels):
        one = (np.arange(len(space.channels)) == place).astype(float)
        up = exact.totals(space.current * (1 + 0.01 * one)) - exact.totals(space.current)
        expected = up.mean() / (0.01 * space.current[place])
        assert plan.channels[name].mroas_mean == pytest.approx(expected, rel=1e-6)
        without = exact.totals(space.current) - exact.totals(space.current * (1 - one))
        assert plan.channels[name].incremental_current_mean == pytest.approx(without.mean())


def test_the_last_money_is_one_percent_more_of_everything(fit, plain):
    """Independent route: all channels raised at once, where the plan averages one by one."""
    plan, space = plain, space_of(fit)
    exact = PanelResponse(space.pieces)
    up = exact.totals(1.001 * space.current) - exact.totals(space.current)
    expected = up.mean() / (0.001 * space.current.sum())
    assert plan.last_money_mean == pytest.approx(expected, rel=5e-3)
    assert plan.last_money_low <= plan.last_money_mean <= plan.last_money_high


def wide(fit, **asked):
    return ask(fit, beyond_observed=True, max_change=4, **asked)


def test_with_a_target_mroas_the_last_money_of_every_interior_channel_returns_it(fit):
    plan, space = wide(fit, target_mroas=0.45), space_of(fit)
    exact = PanelResponse(space.pieces)
    money = money_of(plan, space)
    interior = [
        place
        for place, name in enumerate(space.channels)
        if plan.channels[name].low * 1.01 + 1 < money[place] < plan.channels[name].high * 0.99
    ]
    assert interior
    for place in interior:
        nudge = 1e-4 * money[place] * (np.arange(len(money)) == place)
        slope = (exact.totals(money + nudge) - exact.totals(money - nudge)).mean() / 2 / nudge.sum()
        assert slope == pytest.approx(0.45, rel=5e-3)
    assert plan.target == "mROAS = 0.45"


def test_with_a_target_roas_all_money_returns_it_on_average(fit):
    plan = wide(fit, target_roas=0.9)
    assert plan.return_mean >= 0.9 * (1 - 1e-5)
    assert plan.return_mean == pytest.approx(0.9, rel=1e-3)
    assert plan.budget != pytest.approx(plan.current_budget, rel=1e-3)
    assert plan.target == "ROAS >= 0.9"


def test_a_target_roas_that_nobody_reaches_is_refused(fit):
    with pytest.raises(SpecError, match="No plan within the bounds reaches a return of 500"):
        ask(fit, target_roas=500.0)


def test_with_a_target_the_gain_is_against_today_and_extra_money_has_to_earn_it(fit):
    plan = wide(fit, target_mroas=0.45)
    extra = plan.budget - plan.current_budget
    assert extra != pytest.approx(0.0, abs=1.0)
    assert plan.gain_mean == pytest.approx(plan.change_mean - 0.45 * extra)
    assert plan.gain_mean > 0, "today's spend is one of the plans it could have chosen"
    assert "0.45" in plan.gain_against


def test_a_plan_by_hand_is_judged_although_its_bounds_exclude_it(fit):
    never = PlanBounds(channels={"tv": ChannelBounds(min_spend=1e9, max_spend=2e9)})
    plan = ask(fit, bounds=never, what_if=[{"channel": "tv", "change": 0.1}])
    assert plan.advice is Advice.EVALUATED


def test_a_target_mroas_needs_a_utility_in_money(fit):
    with pytest.raises(SpecError, match=r"'sharpe' is a ratio .* use mean, var or cvar"):
        ask(fit, target_mroas=1.0, utility="sharpe")


def test_a_budget_out_of_reach_is_refused_with_what_is_within_reach(fit):
    with pytest.raises(SpecError, match=r"The budget cannot be met: it asks for 9,000, .* to 1,9"):
        ask(fit, budget=9000.0)


@pytest.mark.parametrize(
    "group",
    [
        {"min_spend": 900.0},
        {"max_spend": 700.0},
        {"min_share": 0.62},
        {"max_share": 0.5},
        {"min_share": 0.55, "max_spend": 850.0},
    ],
)
def test_groups_are_kept(fit, free, group):
    bounds = PlanBounds(groups=[GroupBounds(name="screens", channels=["tv"], **group)])
    plan = ask(fit, bounds=bounds, max_change=0.5, beyond_observed=True, n_starts=2)
    tv = plan.channels["tv"].candidate
    assert plan.groups[0].candidate == pytest.approx(tv)
    slack = 1e-6 * plan.budget
    assert tv >= group.get("min_spend", 0) - slack
    assert tv <= group.get("max_spend", np.inf) + slack
    assert tv >= group.get("min_share", 0) * plan.budget - slack
    assert tv <= group.get("max_share", 1) * plan.budget + slack
    assert free.gain_mean >= plan.gain_mean - 1e-6 * abs(free.gain_mean)


def test_a_share_out_of_reach_says_by_how_much(fit):
    bounds = PlanBounds(groups=[GroupBounds(name="screens", channels=["tv"], min_share=0.95)])
    with pytest.raises(
        SpecError, match=r"least share of group 'screens' .* misses it by 370.5 of sp"
    ):
        ask(fit, bounds=bounds)


def test_bounds_of_channels_hold_in_money_and_as_multiples(fit):
    bounds = PlanBounds(
        channels={
            "tv": ChannelBounds(min_spend=800, max_spend=810),
            "search": ChannelBounds(low=0.9, high=1.4),
        }
    )
    plan = ask(fit, bounds=bounds)
    tv, search = plan.channels["tv"], plan.channels["search"]
    assert (tv.low, tv.high) == (800, 810)
    assert (search.low, search.high) == pytest.approx((0.9 * search.current, 1.4 * search.current))
    assert 800 - 1e-6 <= tv.candidate <= 810 + 1e-6


def test_bounds_of_the_run_are_used_unless_the_request_has_its_own():
    stated = PlanBounds(channels={"tv": ChannelBounds(min_spend=800, max_spend=810)})
    fit = planned_fit(mmm_world(1), bounds=stated)
    assert ask(fit).channels["tv"].high == 810
    own = PlanBounds(channels={"tv": ChannelBounds(max_spend=900)})
    assert ask(fit, bounds=own).channels["tv"].high == 900


def test_no_channel_leaves_its_observed_range_unless_asked_and_then_it_is_flagged(fit):
    bounds = PlanBounds(channels={"search": ChannelBounds(low=2.9, high=3.0)})
    with pytest.raises(SpecError, match="search lie outside what was ever spent"):
        ask(fit, bounds=bounds, budget=2600.0)
    plan = ask(fit, bounds=bounds, budget=2600.0, beyond_observed=True)
    search = plan.channels["search"]
    assert search.candidate > search.observed_high
    assert search.is_beyond_observed
    assert any(flag.startswith("search leaves the range") for flag in plan.flags)
    assert not plan.channels["tv"].is_beyond_observed


def test_planning_every_entity_is_at_least_as_good(panel_fit):
    whole, by_entity = ask(panel_fit), ask(panel_fit, by_entity=True)
    assert by_entity.gain_mean >= whole.gain_mean - 1e-6 * abs(whole.gain_mean)
    assert {cell.entity_id for cell in by_entity.allocation} == {"market_0", "market_1"}
    assert {cell.entity_id for cell in whole.allocation} == {"all"}


def test_planning_every_period_is_at_least_as_good_and_keeps_channel_totals(fit):
    whole, flights = (ask(fit, horizon=4, n_starts=1, flighting=f) for f in (False, True))
    assert flights.gain_mean >= whole.gain_mean - 1e-6 * abs(whole.gain_mean)
    for name, channel in flights.channels.items():
        assert channel.low == pytest.approx(whole.channels[name].low)
        assert channel.high == pytest.approx(whole.channels[name].high)
        slack = 1e-6 * flights.budget
        assert channel.low - slack <= channel.candidate <= channel.high + slack
    weekly = fit.panel["spend"].sel(channel="tv").to_numpy()
    cells = [c.candidate for c in flights.allocation if c.channel == "tv"]
    assert weekly.min() - 1e-6 <= min(cells)
    assert max(cells) <= weekly.max() + 1e-6


def test_a_model_that_multiplies_plans_too():
    fit = planned_fit(log_world(1))
    plan, space = ask(fit, n_starts=2), space_of(fit)
    exact = PanelResponse(space.pieces)
    mine, todays = (exact.totals(m).mean() for m in (money_of(plan, space), space.current))
    assert mine >= todays
    assert plan.budget == pytest.approx(plan.current_budget, rel=1e-6)
    assert plan.perfect_information is None
    assert all(c.prob_raise is None for c in plan.channels.values())


def test_a_dataset_without_spend_is_refused_with_the_reason():
    owned = [{"name": "email", "kind": "owned", "activity": "act_email"}]
    fit = planned_fit(mmm_world(1, channels=owned))
    with pytest.raises(SpecError, match="world has no channel with spend"):
        ask(fit)


def test_channels_that_cannot_be_planned_are_listed_with_the_reason(plain):
    reasons = plain.not_planned
    assert set(reasons) == {"email", "rival"}
    assert "no spend" in reasons["email"]
    assert "competitor" in reasons["rival"]


def no_spend_lately():
    rows = make_rows(1)
    rows.loc[rows.index[-10:], ["act_tv", "spend_tv", "spend_search"]] = 0.0
    return planned_fit(build_world(rows, make_spec()))


def tv_off_lately():
    rows = make_rows(1)
    rows.loc[rows.index[-10:], ["act_tv", "spend_tv"]] = 0.0
    return planned_fit(build_world(rows, make_spec()))


ASKED = {
    "plain": (lambda: planned_fit(mmm_world(1)), {}),
    "panel by entity": (lambda: planned_fit(mmm_world(3)), {"by_entity": True}),
    "by period": (
        lambda: planned_fit(mmm_world(1)), {"flighting": True, "horizon": 3, "n_starts": 1},
    ),
    "sharpe": (lambda: planned_fit(mmm_world(1)), {"utility": "sharpe"}),
    "target": (lambda: planned_fit(mmm_world(1)), {"target_mroas": 0.5}),
    "log": (lambda: planned_fit(log_world(2)), {"n_starts": 1}),
    "nothing spent lately": (no_spend_lately, {}),
    "a channel switched on": (
        tv_off_lately,
        {"budget": 900.0, "bounds": PlanBounds(channels={"tv": ChannelBounds(max_spend=400)})},
    ),
    "hand-written": (tv_off_lately, {"what_if": [{"channel": "tv", "spend": 300.0}]}),
}  # fmt: skip


@pytest.mark.parametrize("name", ASKED)
def test_every_plan_is_finite_survives_json_and_adds_up(name):
    make, asked = ASKED[name]
    plan = ask(make(), **asked)
    document = plan.model_dump_json()
    assert Plan.model_validate_json(document) == plan
    assert "NaN" not in document
    assert "Infinity" not in document
    numbers = list(numbers_of(plan.model_dump()))
    assert np.isfinite(numbers).all()
    add_up(plan)


def numbers_of(value):
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from numbers_of(item)
    elif isinstance(value, float):
        yield value


def add_up(plan):
    """Cells add up to channels, channels to the budget."""
    for kind in ("current", "planned", "candidate"):
        for name, channel in plan.channels.items():
            cells = [getattr(c, kind) for c in plan.allocation if c.channel == name]
            assert sum(cells) == pytest.approx(getattr(channel, kind), rel=1e-9, abs=1e-6)
    total = sum(channel.candidate for channel in plan.channels.values())
    assert total == pytest.approx(plan.budget, rel=1e-9, abs=1e-9)
    assert list(plan.channels) == sorted(
        plan.channels, key=lambda c: plan.channels[c].current, reverse=True
    )


def test_own_plans_of_draws_report_how_often_a_channel_would_be_raised(plain):
    plan = plain
    shares = [c.prob_raise for c in plan.channels.values()]
    assert all(0 <= share <= 1 for share in shares)
    # A fixed budget over two channels: whoever raises one reduces the other.
    assert sum(shares) <= 1 + 1e-9
    assert plan.perfect_information >= 0


def test_without_doubt_perfect_information_is_worth_nothing(sure_fit):
    plan = ask(sure_fit, max_change=0.1)
    assert plan.perfect_information <= 0.01 * abs(plan.gain_mean)


def test_a_horizon_longer_than_history_is_flagged(fit):
    plan = ask(fit, horizon=70, n_starts=1)
    assert any(flag.startswith("Today's spend is that of 60 periods") for flag in plan.flags)
    assert fit.panel.sizes[DATE_DIM] == 60


def test_a_reference_window_that_reaches_into_the_carryover_window_is_not_repeated():
    world = mmm_world(1, n_periods=65, carryover_months=3)
    horizon = int(world.window.sum()) + 2
    assert horizon < world.panel.sizes[DATE_DIM]
    plan = ask(planned_fit(world), horizon=horizon, n_starts=1)
    assert not any("repeated" in flag for flag in plan.flags)


def test_at_another_budget_a_mix_that_cannot_be_bettered_is_said_to_be_todays(fit):
    # Bounds that leave nothing but today's proportions.
    plan = ask(fit, budget=1600.0, max_change=0.0, bounds=proportional(fit, 1600.0))
    assert plan.advice is Advice.WITHHELD
    assert "nothing is better than the same money in today's mix" in plan.reason
    assert plan.gain_mean == pytest.approx(0, abs=1e-3 * plan.incremental_mean)


def proportional(fit, budget):
    space = space_of(fit)
    mix = todays_mix(space, budget)
    return PlanBounds(
        channels={
            name: ChannelBounds(min_spend=float(money), max_spend=float(money))
            for name, money in zip(space.channels, mix, strict=True)
        }
    )


def worst_end(problem, start):
    """A method that ends at the worse of the two ends that a budget over two channels has."""
    far = 1e6 * np.eye(2) - 5e5
    ends = [problem.limits.project(start + shift) for shift in far]
    return Solution(min(ends, key=lambda money: problem.value(money)[0]), has_converged=True)


@pytest.mark.parametrize("budget", [None, 1500.0])
def test_where_a_method_ends_below_todays_mix_the_mix_is_kept(fit, monkeypatch, budget):
    monkeypatch.setitem(METHODS, "worst", worst_end)
    plan = ask(fit, method="worst", n_starts=1, budget=budget)
    for channel in plan.channels.values():
        share = channel.current / plan.current_budget
        assert channel.candidate == pytest.approx(share * plan.budget, rel=1e-9)
    assert plan.gain_mean == pytest.approx(0, abs=1e-9 * plan.incremental_mean)
    assert plan.advice is Advice.WITHHELD
