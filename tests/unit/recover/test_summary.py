"""What is made of refits: collinearity, lift tests, answers, and plans held against the truth."""

import numpy as np
import pytest
from support.plan_documents import channel_plan, forged_plan

from schemas.answers.recovery import (
    Answer,
    ChannelScore,
    ExperimentValue,
    TrueResponse,
    WorldKind,
    WorldScore,
)
from schemas.documents.plan import Advice
from schemas.outcomes import Verdict
from tasks.recover.score import measure_collinearity, value_test
from tasks.recover.summary import (
    JudgedAdvice,
    ScoredWorld,
    choose_experiment,
    summarize_advice,
    summarize_channel,
    summarize_kind,
)
from tasks.recover.truth import TrueGain, TrueOutcome, judge_plan

LIKE = WorldKind.AS_ASSUMED


def experiment(width_left=0.5, periods=8):
    return ExperimentValue(
        periods=periods, lift=10.0, standard_error=5.0, width_left=width_left, needed_error=None
    )


def score(truth, low, high, *, shows=True, flagged=False, tests=()):
    return ChannelScore(
        truth=truth, mean=(low + high) / 2, low=low, high=high, shows_effect=shows,
        is_flagged=flagged, collinearity=1.5, experiments=list(tests),
    )  # fmt: skip


def refit(kind=LIKE, silent=(), verdict=Verdict.PASS, **channels):
    return ScoredWorld(kind, silent, WorldScore(channels=channels, verdict=verdict))


def test_draws_that_move_against_each_other_cost_what_their_correlation_says():
    rng = np.random.default_rng(1)
    a, noise = rng.standard_normal((2, 200_000))
    b = -0.8 * a + 0.6 * noise
    costs = measure_collinearity({"a": a, "b": b, "alone": rng.standard_normal(200_000)})
    # sd over conditional sd = 1 / sqrt(1 - 0.8^2)
    assert costs["a"] == pytest.approx(1 / 0.6, rel=0.01)
    assert costs["alone"] == pytest.approx(1.0, abs=0.01)


def test_a_channel_whose_draws_do_not_move_has_no_cost_of_collinearity():
    assert measure_collinearity({"a": np.ones(9), "b": np.zeros(9)}) == {"a": None, "b": None}


def test_a_lift_test_of_the_whole_effect_updates_it_as_two_normals_do():
    draws = np.random.default_rng(2).normal(50, 10, 400_000)
    value = value_test(8, draws, draws, 10.0)
    # equal precision of what was known and what is measured halves the variance
    assert value.width_left == pytest.approx(np.sqrt(0.5), rel=1e-3)
    # a quarter of the variance takes three times the precision
    assert value.needed_error == pytest.approx(10 / np.sqrt(3), rel=0.01)
    apart = np.random.default_rng(3).normal(5, 1, 400_000)
    assert value_test(8, draws, apart, 1.0).needed_error is None


def test_where_the_model_holds_and_where_it_does_not_are_kept_apart():
    worlds = [
        refit(tv=score(100, 90, 130)),
        refit(tv=score(100, 60, 90)),
        refit(WorldKind.STEP, tv=score(100, 200, 300)),
        refit(silent=["tv"], tv=score(0, 0, 20, shows=True)),
        refit(silent=["tv"], tv=score(0, 0, 20, shows=False)),
    ]
    row = summarize_channel("tv", worlds)
    assert (row.n_effect, row.n_silent) == (3, 2)
    assert row.bias == pytest.approx((110 + 75) / 200 - 1)
    assert (row.coverage, row.coverage_unlike, row.false_effect) == (0.5, 0.0, 0.5)
    assert row.width == pytest.approx(0.35)
    assert row.answer is Answer.YES


@pytest.mark.parametrize(
    ("low", "high", "answer"),
    [(60, 140, Answer.YES), (20, 200, Answer.ROUGHLY), (0, 300, Answer.NO), (220, 240, Answer.NO)],
    ids=["narrow", "as wide as itself", "wider", "narrow and wrong"],
)
def test_the_answer_asks_for_a_narrow_interval_in_the_right_place(low, high, answer):
    assert summarize_channel("tv", [refit(tv=score(100, low, high))]).answer is answer


def test_a_channel_that_never_had_an_effect_where_the_model_holds_is_no_yes():
    row = summarize_channel("tv", [refit(silent=["tv"], tv=score(0, 0, 1))])
    assert (row.answer, row.bias, row.width, row.found) == (Answer.NO, None, None, None)


def test_confidently_wrong_is_a_miss_without_a_flag():
    worlds = [
        refit(tv=score(100, 1, 2), radio=score(100, 1, 2, flagged=True)),
        refit(WorldKind.STEP, tv=score(100, 1, 2), radio=score(5, 1, 9)),
        refit(verdict=Verdict.REVIEW, tv=score(100, 90, 110), radio=score(5, 1, 9)),
    ]
    row = summarize_kind(LIKE, worlds)
    assert (row.n, row.n_accepted) == (2, 1)
    assert row.confident_wrong == 0.25
    assert row.coverage == 0.5


def test_the_best_test_is_the_one_that_takes_most_off_in_kpi_units():
    worlds = [
        refit(
            tv=score(100, 0, 1000, tests=[experiment(0.9, 4), experiment(0.8, 13)]),
            radio=score(10, 9, 12, tests=[experiment(0.1)]),
        )
    ]
    channels = {name: summarize_channel(name, worlds) for name in ("tv", "radio")}
    best = choose_experiment(channels, worlds)
    assert (best.channel, best.value.periods, best.value.width_left) == ("tv", 13, 0.8)


def test_without_spend_there_is_no_test_and_without_plans_no_advice():
    worlds = [refit(tv=score(1, 0, 2))]
    assert choose_experiment({"tv": summarize_channel("tv", worlds)}, worlds) is None
    assert summarize_advice([]) is None


def responses(**slopes):
    money = [0.0, 50.0, 100.0, 150.0, 200.0]
    return {
        name: TrueResponse(money=money, outcome=[slope * m for m in money])
        for name, slope in slopes.items()
    }


def plan(advice, planned):
    rows = {
        name: channel_plan(current=100.0, candidate=money, low=70.0, high=130.0)
        for name, money in planned.items()
    }
    return forged_plan(channels=tuple(rows), advice=advice).model_copy(
        update={"channels": rows, "budget": 200.0}
    )


def test_regret_is_what_the_best_plan_within_bounds_would_have_brought():
    truth = responses(tv=2.0, search=1.0)
    right = judge_plan(plan(Advice.FOLLOW, {"tv": 130.0, "search": 70.0}), truth)
    assert right.gain == pytest.approx(30.0)
    assert right.regret == pytest.approx(0.0, abs=1e-3)
    wrong = judge_plan(plan(Advice.FOLLOW, {"tv": 70.0, "search": 130.0}), truth)
    assert wrong.gain == pytest.approx(-30.0)
    assert wrong.regret == pytest.approx(60.0, rel=1e-4)
    stay = judge_plan(plan(Advice.WITHHELD, {"tv": 70.0, "search": 130.0}), truth)
    assert (stay.gain, stay.regret) == (pytest.approx(0.0), pytest.approx(30.0, rel=1e-4))


def test_money_beyond_what_is_known_brings_no_more():
    outcome = TrueOutcome(responses(tv=2.0))
    assert outcome.of({"tv": 900.0}) == outcome.of({"tv": 200.0})


def test_advice_counts_followed_plans_that_lose():
    judged = [
        JudgedAdvice(True, TrueGain(10.0, 1.0), 100.0),
        JudgedAdvice(True, TrueGain(-5.0, 20.0), 100.0),
        JudgedAdvice(False, TrueGain(0.0, 6.0), 100.0),
    ]
    found = summarize_advice(judged)
    assert (found.n, found.n_followed, found.n_losing) == (3, 2, 1)
    assert found.gain == pytest.approx(0.025)
    assert found.regret == pytest.approx(0.09)
