"""Words about a plan: every branch says its numbers, and the action is what the money does."""

import numpy as np
import pytest

from schemas.documents.plan import Action, Advice, MultiStartAgreement
from schemas.spec.optimizer import OptimizerSpec
from schemas.words import format_number, format_probability, format_ratio
from tasks.optimize.advice import ChannelFacts, act_on, collect_flags, give_advice
from tasks.optimize.gains import Comparison, Gains, return_elsewhere

CURRENT = np.array([100.0, 300.0])
MOVED = np.array([130.0, 270.0])
TODAY = Comparison(CURRENT, 0.0, "the same money in today's mix")
SETTINGS = OptimizerSpec(min_prob_gain=0.9)


def gains_of(draws):
    draws = np.asarray(draws, float)
    return Gains(total=draws + 500, gain=draws, change=draws)


def facts(**changed):
    given = {
        "name": "tv", "current": 100.0, "planned": 130.0, "candidate": 130.0, "low": 70.0,
        "high": 140.0, "mroas_mean": 1.91, "mroas_low": 1.23, "mroas_high": 2.57,
        "mroas_candidate": 1.62, "elsewhere": 0.87, "prior_driven": False,
    }  # fmt: skip
    return ChannelFacts(**given | changed)


def test_a_plan_that_moves_nothing_is_withheld():
    advice, reason = give_advice(gains_of([1.0] * 20), CURRENT * 1.001, TODAY, SETTINGS, kpi=100.0)
    assert advice is Advice.WITHHELD
    assert "nothing is better than the same money in today's mix" in reason


@pytest.mark.parametrize(("n_gain", "expected"), [(17, "withheld"), (18, "follow"), (20, "follow")])
def test_advice_depends_on_how_many_draws_gain(n_gain, expected):
    draws = [50.0] * n_gain + [-10.0] * (20 - n_gain)
    advice, reason = give_advice(gains_of(draws), MOVED, TODAY, SETTINGS, kpi=100.0)
    assert advice == expected
    assert format_number(np.mean(draws)) in reason
    assert format_probability(n_gain / 20) in reason
    assert format_probability(0.9) in reason


def test_a_plan_that_loses_on_average_is_said_to_lose():
    advice, reason = give_advice(gains_of([-10.0] * 20), MOVED, TODAY, SETTINGS, kpi=100.0)
    assert advice is Advice.WITHHELD
    assert "best by mean loses 10 on average" in reason


def test_a_draw_that_gains_nothing_does_not_count_as_a_gain():
    assert (
        give_advice(gains_of([0.0] * 20), MOVED, TODAY, SETTINGS, kpi=100.0)[0] is Advice.WITHHELD
    )


@pytest.mark.parametrize(("kpi", "expected"), [(999.0, "follow"), (1001.0, "withheld")])
def test_a_gain_that_is_next_to_nothing_of_the_kpi_is_not_worth_the_move(kpi, expected):
    settings = OptimizerSpec(min_gain_share=0.05)
    advice, reason = give_advice(gains_of([50.0] * 20), MOVED, TODAY, settings, kpi=kpi)
    assert advice == expected
    assert ("not worth the move" in reason) is (expected == "withheld")
    assert ("5.00%" in reason) is (expected == "withheld")


@pytest.mark.parametrize(
    ("planned", "expected"),
    [(130.0, "INCREASE"), (102.1, "INCREASE"), (102.0, "HOLD"), (98.0, "HOLD"), (97.9, "REDUCE"),
     (0.0, "REDUCE")],
)  # fmt: skip
def test_the_action_follows_planned_against_current_spend(planned, expected):
    assert act_on(facts(planned=planned), Advice.FOLLOW, "ROAS")[0] == expected


def test_spend_on_a_channel_that_is_off_today_is_an_increase():
    off = facts(current=0.0, planned=10.0, mroas_mean=None, mroas_low=None, mroas_high=None)
    action, reason = act_on(off, Advice.FOLLOW, "ROAS")
    assert action is Action.INCREASE
    assert "the plan reopens it" in reason


def test_an_increase_names_its_return_that_elsewhere_and_that_at_the_plan():
    _, reason = act_on(facts(), Advice.FOLLOW, "ROAS")
    for number in (1.91, 1.23, 2.57, 0.87, 1.62):
        assert format_ratio(number) in reason
    assert "mROAS" in reason
    assert "more than" in reason
    assert "bound" not in reason


def test_a_bound_that_decides_is_named():
    up = act_on(facts(planned=140.0, candidate=140.0), Advice.FOLLOW, "ROAS")[1]
    down = act_on(facts(planned=70.0, candidate=70.0), Advice.FOLLOW, "ROAS")[1]
    assert "the upper bound stops it" in up
    assert "the lower bound stops it" in down


def test_a_reduction_of_what_returns_less_says_so():
    low = facts(planned=80.0, candidate=80.0, mroas_mean=0.5)
    action, reason = act_on(low, Advice.FOLLOW, "sales per money")
    assert action is Action.REDUCE
    assert "less than" in reason
    assert "msales per money" in reason


def test_a_channel_that_is_held_says_that_no_move_is_worth_it():
    held = facts(planned=100.0, candidate=100.0)
    action, reason = act_on(held, Advice.FOLLOW, "ROAS")
    assert action is Action.HOLD
    assert "no move is worth it" in reason
    assert format_ratio(0.87) in reason


def test_a_channel_that_the_prior_decided_asks_for_a_lift_test():
    action, reason = act_on(facts(planned=100.0, prior_driven=True), Advice.FOLLOW, "ROAS")
    assert action is Action.HOLD
    assert "lift test" in reason


def test_a_channel_without_evidence_asks_for_a_lift_test_too():
    action, reason = act_on(facts(planned=100.0, unclear=True), Advice.FOLLOW, "ROAS")
    assert action is Action.HOLD
    assert "can be told from none" in reason
    assert "lift test" in reason
    assert flags_of(unclear=["tv"]) == ["Not moved, because no effect can be told from none: tv."]


def test_withheld_advice_says_where_the_plan_leans():
    for candidate, word in ((130.0, "increase"), (70.0, "reduce")):
        action, reason = act_on(facts(planned=100.0, candidate=candidate), Advice.WITHHELD, "ROAS")
        assert action is Action.HOLD
        assert word in reason
        assert format_ratio(1.91) in reason
    level = act_on(facts(planned=100.0, candidate=100.0), Advice.WITHHELD, "ROAS")[1]
    assert "would" not in level


def test_a_hand_written_plan_is_not_recommended_but_reported():
    action, reason = act_on(facts(prior_driven=True), Advice.EVALUATED, "ROAS")
    assert action is Action.INCREASE
    assert format_ratio(1.91) in reason


def flags_of(**changed):
    given = {
        "certificate": None, "beyond": {}, "unmoved": [], "unclear": [], "confounded": [],
        "history_periods": 60, "horizon": 8,
    }  # fmt: skip
    return collect_flags(**given | changed)


def agreement_of(n_agree):
    return MultiStartAgreement(
        method="slsqp", n_starts=20, n_agree=n_agree, agree_share=n_agree / 20, best_utility=2.0,
        worst_utility=1.0, n_failed=0,
    )  # fmt: skip


def test_nothing_to_know_is_no_flag():
    assert flags_of(certificate=agreement_of(19)) == []


def test_starts_that_disagree_are_flagged_with_their_number():
    (flag,) = flags_of(certificate=agreement_of(18))
    assert "18 of 20" in flag


@pytest.mark.parametrize(
    ("ratio", "far"), [(1.5, False), (2.4, True), (0.7, False), (0.3, True), (np.inf, True)]
)
def test_leaving_the_observed_range_is_flagged_and_far_is_said(ratio, far):
    (flag,) = flags_of(beyond={"tv": ratio})
    assert flag.startswith("tv leaves the range")
    assert ("far" in flag) is far
    assert "inf" not in flag


def test_channels_that_were_not_moved_are_listed():
    (flag,) = flags_of(unmoved=["tv", "search"])
    assert "tv, search" in flag


def test_a_short_history_is_flagged_with_both_lengths():
    (flag,) = flags_of(history_periods=10, horizon=13)
    assert "10 periods" in flag
    assert "13" in flag


def test_a_raised_channel_is_compared_with_those_that_pay_for_it():
    marginal = np.array([[1.2], [2.0], [0.5], [0.9]])
    current = np.array([100.0, 50.0, 30.0, 10.0])
    advised = np.array([110.0, 65.0, 20.0, 10.0])
    assert return_elsewhere(marginal, current, advised, 0) == pytest.approx(0.5)
    assert return_elsewhere(marginal, current, advised, 2) == pytest.approx(220 / 150)
    assert return_elsewhere(marginal, current, advised, 3) == pytest.approx(235 / 180)


def test_a_channel_that_may_follow_demand_is_held_and_the_largest_is_named_for_a_test():
    _, reason = act_on(facts(confounded=True), Advice.FOLLOW, "ROAS")
    assert "cannot be told from demand" in reason
    assert "lift test" in reason
    (flag,) = flags_of(confounded=["tv", "search"])
    assert flag.endswith("tv, search. A lift test on tv, which costs most of them, says most.")
