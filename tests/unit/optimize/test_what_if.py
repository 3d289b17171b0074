"""Hand-written plans: what they say is what is evaluated."""

import pytest
from support.plans import ask, planned_fit
from support.worlds import mmm_world

from schemas.documents.plan import Action, Advice
from schemas.errors import SpecError


@pytest.fixture(scope="module")
def fit():
    return planned_fit(mmm_world(2))


@pytest.fixture(scope="module")
def today(fit):
    return ask(fit, what_if=[{"channel": "tv", "change": 0}])


def candidates(plan):
    return {name: channel.candidate for name, channel in plan.channels.items()}


def test_todays_spend_gains_exactly_nothing(today):
    assert (today.gain_mean, today.change_mean, today.prob_gain, today.expected_regret) == (0,) * 4
    assert today.budget == today.current_budget
    assert today.advice is Advice.EVALUATED
    assert today.certificate is None


def test_ten_percent_more_equals_the_same_money_in_euros(fit, today):
    money = today.channels["tv"].current * 1.1
    by_change = ask(fit, what_if=[{"channel": "tv", "change": 0.1}])
    by_money = ask(fit, what_if=[{"channel": "tv", "spend": money}])
    assert candidates(by_change) == pytest.approx(candidates(by_money), rel=1e-12)
    assert by_change.gain_mean == pytest.approx(by_money.gain_mean, rel=1e-9)
    assert by_change.channels["tv"].action is Action.INCREASE
    assert by_change.channels["search"].candidate == by_change.channels["search"].current


def test_more_spend_brings_more_but_is_judged_against_the_same_money_in_todays_mix(fit):
    plan = ask(fit, what_if=[{"channel": "tv", "change": 0.1}])
    assert plan.change_mean > 0
    assert plan.gain_mean != pytest.approx(plan.change_mean, rel=1e-3)
    assert plan.budget == pytest.approx(plan.current_budget + 0.1 * plan.channels["tv"].current)


def test_everything_by_the_same_percent_gains_nothing_and_changes_something(fit):
    rows = [{"channel": name, "change": 0.2} for name in ("tv", "search")]
    plan = ask(fit, what_if=rows)
    assert plan.gain_mean == pytest.approx(0, abs=1e-9 * plan.incremental_mean)
    assert plan.change_mean > 0


def test_a_row_for_one_entity_changes_that_entity_alone(fit):
    plan = ask(fit, what_if=[{"channel": "tv", "entity_id": "market_1", "spend": 100.0}])
    for entity in ("market_0", "market_1"):
        cells = [c for c in plan.allocation if (c.entity_id, c.channel) == (entity, "tv")]
        before, after = (sum(getattr(c, k) for c in cells) for k in ("current", "candidate"))
        assert after == pytest.approx(100.0 if entity == "market_1" else before)


def test_a_row_for_one_period_changes_that_period_alone(fit):
    plan = ask(fit, what_if=[{"channel": "search", "period": 3, "change": -0.5}])
    cells = [c for c in plan.allocation if c.channel == "search"]
    ratios = [c.candidate / c.current for c in cells]
    assert ratios == pytest.approx([1, 1, 0.5, 1, 1, 1, 1, 1])


def test_a_row_for_an_entity_and_a_period_changes_one_cell(fit):
    row = {"channel": "search", "entity_id": "market_0", "period": 2, "spend": 7.0}
    plan = ask(fit, horizon=3, what_if=[row])
    changed = [c for c in plan.allocation if c.candidate != pytest.approx(c.current)]
    assert [(c.entity_id, c.channel, c.period_start) for c in changed] == [
        ("market_0", "search", plan.allocation[1].period_start)
    ]
    assert changed[0].candidate == 7.0


def test_one_evaluation_is_the_same_by_channel_by_entity_and_by_period(fit):
    plain = ask(fit, what_if=[{"channel": "tv", "change": 0.25}])
    entities = [{"channel": "tv", "entity_id": f"market_{n}", "change": 0.25} for n in range(2)]
    periods = [{"channel": "tv", "period": n, "change": 0.25} for n in range(1, 9)]
    for rows in (entities, periods):
        plan = ask(fit, what_if=rows)
        assert candidates(plan) == pytest.approx(candidates(plain))
        assert plan.change_mean == pytest.approx(plain.change_mean, rel=1e-9)


def test_a_channel_can_be_switched_off(fit):
    plan = ask(fit, what_if=[{"channel": "tv", "spend": 0}])
    tv = plan.channels["tv"]
    assert (tv.candidate, tv.planned) == (0, 0)
    assert tv.mroas_candidate_mean is None
    assert tv.incremental_candidate_mean == 0
    assert tv.action is Action.REDUCE


def test_a_hand_written_plan_far_outside_the_data_is_evaluated_and_flagged(fit):
    plan = ask(fit, what_if=[{"channel": "search", "change": 9}])
    assert plan.channels["search"].is_beyond_observed
    assert any("search leaves the range" in flag and "far" in flag for flag in plan.flags)


def test_a_hand_written_plan_may_move_what_the_prior_decided():
    fit = planned_fit(mmm_world(1), prior_driven=["tv"])
    plan = ask(fit, what_if=[{"channel": "tv", "change": 0.5}])
    assert plan.channels["tv"].candidate == pytest.approx(1.5 * plan.channels["tv"].current)
    assert not any("Not moved" in flag for flag in plan.flags)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([{"channel": "serach", "change": 0.1}], r"'serach' in the plan file .* 'search'"),
        ([{"channel": "email", "change": 0.1}], "'email' in the plan file cannot be planned"),
        (
            [{"channel": "tv", "entity_id": "market_7", "change": 0.1}],
            r"Entity 'market_7' .* did you mean 'market_",
        ),
        ([{"channel": "tv", "period": 9, "change": 0.1}], "Period 9 .* the horizon of 8"),
        (
            [{"channel": "tv", "change": 0.1}, {"channel": "tv", "spend": 5}],
            "speaks of 'tv' twice",
        ),
        (
            [
                {"channel": "tv", "period": 2, "change": 0.1},
                {"channel": "tv", "entity_id": "market_0", "change": 0.2},
            ],
            "speaks of 'tv' twice",
        ),
    ],
    ids=["channel", "owned channel", "entity", "period", "twice", "crossing rows"],
)
def test_a_row_that_cannot_be_meant_is_refused(fit, rows, message):
    with pytest.raises(SpecError, match=message):
        ask(fit, what_if=rows)


def test_the_flag_of_several_entities_reports_of_the_one_that_is_furthest_out(fit):
    rows = [
        {"channel": "search", "entity_id": "market_0", "change": 2},
        {"channel": "search", "entity_id": "market_1", "change": 9},
    ]
    plan = ask(fit, what_if=rows)
    furthest = max(
        sum(c.candidate for c in plan.allocation if (c.entity_id, c.channel) == (name, "search"))
        / (8 * float(fit.panel["spend"].sel(entity=name, channel="search").max()))
        for name in ("market_0", "market_1")
    )
    (flag,) = [f for f in plan.flags if f.startswith("search")]
    assert f"{furthest:.1f} times its end" in flag
