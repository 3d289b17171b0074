"""Returns that hardly any medium has are doubted, unless an experiment measured them."""

from datetime import date

import numpy as np
import pytest
from support.worlds import build_world, fitted_model, make_rows, make_spec, prior_draws

from schemas.outcomes import Verdict
from schemas.spec.gates import FitGates
from schemas.spec.lift_tests import LiftTest
from tasks.diagnose.plausibility import judge_returns, median_returns, of_interest
from tasks.models.returns import evaluate

GATES = FitGates(max_return=10)


def a_test_of(channel):
    return LiftTest(
        channel=channel, start=date(2026, 1, 5), end=date(2026, 1, 26),
        delta_spend=10.0, delta_kpi=10.0, standard_error=5.0,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("returns", "verdict", "where"),
    [
        ({"tv": 1.5, "search": 10.0}, Verdict.PASS, "search"),
        ({"tv": 1.5, "search": 10.1}, Verdict.REVIEW, "search"),
        ({"tv": 900.0, "search": 16.0}, Verdict.REVIEW, "tv"),
        ({"rival": -2.0}, Verdict.PASS, "rival"),
    ],
)
def test_the_largest_return_is_judged(returns, verdict, where):
    (outcome,) = judge_returns(returns, GATES)
    assert (outcome.gate, outcome.verdict, outcome.where) == ("highest_return", verdict, where)
    assert ("lift test" in outcome.reason) == (verdict is not Verdict.PASS)


def test_without_returns_there_is_nothing_to_judge():
    assert judge_returns({}, GATES) == []


def test_what_a_test_measured_or_no_data_decided_is_left_out():
    returns = {"tv": 20.0, "search": 30.0, "social": 2.0}
    assert of_interest(returns, [a_test_of("tv")], ["search"]) == {"social": 2.0}


def test_the_median_is_that_of_contribution_over_spend():
    world = build_world(make_rows(1), make_spec(kpi={"kind": "revenue"}))
    model = fitted_model(world, prior_draws(world, n_draws=3))
    got = median_returns(model, world.panel, world.metadata)
    channels = evaluate(model, world.panel).channels
    expected = {
        name: float(np.median(totals.contribution.sum(axis=1) / totals.total_spend))
        for name, totals in channels.items()
        if totals.total_spend
    }
    assert got
    assert got == pytest.approx(expected)


def test_a_kpi_without_value_in_money_has_no_returns():
    world = build_world(make_rows(1), make_spec(kpi={"kind": "count"}))
    assert median_returns(fitted_model(world), world.panel, world.metadata) == {}
