"""A desk judges plans by hand as ``make_plan`` does, only at once."""

import numpy as np
import pytest
from support.plans import ask, planned_fit, three_channel_world

from schemas.errors import SpecError
from schemas.spec.optimizer import OptimizerSpec, Utility
from schemas.spec.plan_request import DeskRequest, PlannedModel, PlanRequest, SpendRow
from tasks.optimize.desk import judge_by_hand, open_desk


@pytest.fixture(scope="module")
def fit():
    return planned_fit(three_channel_world())


@pytest.fixture(scope="module")
def desk(fit):
    request = PlanRequest(models=[PlannedModel(dataset_id="world")])
    return open_desk([fit], request, OptimizerSpec(horizon=8))


def judge(desk, *rows, utility=Utility.MEAN):
    return judge_by_hand(desk, [SpendRow(**row) for row in rows], utility, 0.1)


def test_it_says_what_a_saved_plan_says(fit, desk):
    rows = [{"channel": "tv", "change": 0.2}, {"channel": "email", "change": -0.5}]
    judged, plan = judge(desk, *rows), ask(fit, what_if=rows)
    for name in ("gain", "change", "incremental"):
        for end in ("mean", "low", "high"):
            field = f"{name}_{end}"
            assert getattr(judged, field) == pytest.approx(getattr(plan, field), rel=1e-4), field
    assert judged.prob_gain == plan.prob_gain
    assert judged.budget == pytest.approx(plan.budget)
    for name, row in plan.channels.items():
        mine = judged.channels[name]
        assert mine.brings_mean == pytest.approx(row.incremental_candidate_mean, rel=1e-4)
        assert mine.brings_today == pytest.approx(row.incremental_current_mean, rel=1e-4)
        assert mine.is_beyond_observed == row.is_beyond_observed
        assert desk.facts.channels[name].low == pytest.approx(row.low)
        assert desk.facts.channels[name].high == pytest.approx(row.high)


def test_business_as_usual_gains_nothing(desk):
    judged = judge(desk)
    assert (judged.gain_mean, judged.prob_gain, judged.change_mean) == (0.0, 0.0, 0.0)
    assert judged.budget == judged.current_budget


def test_far_beyond_the_table_the_model_itself_answers(fit, desk):
    rows = [{"channel": "tv", "spend": 4 * desk.facts.channels["tv"].most}]
    judged, plan = judge(desk, *rows), ask(fit, what_if=rows)
    assert judged.gain_mean == pytest.approx(plan.gain_mean, rel=1e-9)
    assert judged.channels["tv"].brings_mean is None
    assert judged.channels["tv"].is_beyond_observed


def test_utilities_order_as_they_must(desk):
    row = {"channel": "tv", "change": 0.2}
    by = {each: judge(desk, row, utility=each).utility_value for each in Utility}
    assert by[Utility.CVAR] <= by[Utility.VAR] <= by[Utility.MEAN]
    assert np.isfinite(by[Utility.SHARPE])


def test_a_channel_that_is_not_planned_is_named(desk):
    with pytest.raises(SpecError, match="did you mean 'tv'"):
        judge(desk, {"channel": "tvv", "change": 0.1})
    with pytest.raises(SpecError, match="twice"):
        judge(desk, {"channel": "tv", "change": 0.1}, {"channel": "tv", "spend": 1.0})


def test_a_desk_speaks_of_whole_channels():
    with pytest.raises(ValueError, match="whole channels"):
        DeskRequest(dataset_id="d", rows=[SpendRow(channel="tv", change=0.1, period=1)])
