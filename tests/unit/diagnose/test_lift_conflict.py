"""Lift tests against the model: the sign and size of a conflict, with and without the test."""

import numpy as np
import pytest
import xarray as xr
from support.worlds import fitted_model, mmm_world, prior_draws

from schemas.documents.diagnostics import LeftOutBy
from schemas.outcomes import Verdict
from schemas.spec.gates import FitGates
from schemas.spec.lift_tests import LiftTest
from schemas.spec.sampler import SamplerSpec
from tasks.diagnose.lift_conflict import (
    conflict_score,
    judge_lift,
    lift_rows,
    measure_lift,
)
from tasks.diagnose.without_test import make_refit
from tasks.mathematics.draws import stack_samples
from tasks.models.kind import Watch
from tasks.models.mmm.lift import expected_lift, lift_design
from tasks.models.mmm.prior_draws import draw_prior
from tasks.models.mmm.unit_response import sampled_multiplier
from tasks.models.opening import OpenFit

GATES = FitGates()


def make_test(delta_kpi, standard_error=50.0, channel="tv"):
    return LiftTest(
        channel=channel,
        start="2022-06-06",
        end="2022-07-03",
        delta_spend=500.0,
        delta_kpi=delta_kpi,
        standard_error=standard_error,
    )


@pytest.fixture(scope="module")
def world():
    return mmm_world(2)


@pytest.fixture(scope="module")
def draws(world):
    return prior_draws(world, n_draws=2000)


def expected(world, draws, test):
    return expected_lift(stack_samples(draws), lift_design(world.panel, world.inputs, [test]))[:, 0]


def test_a_score_by_hand():
    # (10 - 4) / sqrt(3^2 + 4^2) = 1.2
    score = conflict_score(*(np.array([x]) for x in (10.0, 3.0, 4.0, 16.0)))
    assert score == [pytest.approx(1.2)]


def test_a_media_curve_counts_in_what_is_expected():
    varying = mmm_world(1, model={"time_varying_media": True})
    prior = draw_prior(varying.panel, varying.inputs, 200, seed=1)
    test = make_test(100.0)
    samples = stack_samples(prior)
    design = lift_design(varying.panel, varying.inputs, [test])
    multiplier = sampled_multiplier(samples, varying.panel, varying.metadata)
    known = expected_lift(samples, design, multiplier=multiplier).mean()
    flat = expected_lift(samples, design).mean()
    evidence = measure_lift(fitted_model(varying, prior), varying.panel, [test])[0]
    assert evidence.expected_mean == pytest.approx(known, rel=1e-12)
    assert evidence.expected_mean != pytest.approx(flat, rel=1e-3)


@pytest.mark.parametrize("side", [-1, 1])
def test_a_biased_test_is_a_conflict_on_its_side(world, draws, side):
    lift = expected(world, draws, make_test(0.0))
    biased = make_test(float(lift.mean() + side * 8 * lift.std()), float(lift.std()))
    evidence = measure_lift(fitted_model(world, draws), world.panel, [biased])
    assert np.sign(evidence[0].conflict_score) == side
    outcome = judge_lift(evidence, GATES)[0]
    assert outcome.verdict is Verdict.REVIEW
    assert outcome.where == "tv, 2022-06-06 to 2022-07-03"
    assert "Check the test's dates" in outcome.reason
    assert lift_rows(evidence, GATES)[0]["conflict"] is True


def test_a_test_that_agrees_is_no_conflict(world, draws):
    lift = expected(world, draws, make_test(0.0))
    evidence = measure_lift(
        fitted_model(world, draws), world.panel, [make_test(float(lift.mean()), float(lift.std()))]
    )
    assert abs(evidence[0].posterior_score) < 1e-9
    assert judge_lift(evidence, GATES)[0].verdict is Verdict.PASS
    row = lift_rows(evidence, GATES)[0]
    assert row["conflict"] is False
    assert row["expected_low"] < row["expected_mean"] < row["expected_high"]
    assert {"channel", "entity", "start", "end", "observed", "standard_error"} <= set(row)


@pytest.mark.parametrize(
    ("prior_sd", "observed", "error"),
    [(20.0, 150.0, 25.0), (20.0, 200.0, 10.0), (20.0, 20.0, 12.0), (60.0, 130.0, 20.0)],
    ids=["weak test", "strong test that disagrees", "below", "test that decides"],
)
def test_leaving_a_test_out_gives_back_what_was_believed_without_it(
    world, draws, monkeypatch, prior_sd, observed, error
):
    """Independent route: for normal beliefs the posterior with and without a test is known."""
    rng = np.random.default_rng(3)
    prior_mean = 100.0
    precision = prior_sd**-2 + error**-2
    mean = (prior_mean * prior_sd**-2 + observed * error**-2) / precision
    posterior = rng.normal(mean, precision**-0.5, (4000, 1))
    model = fitted_model(world, draws)
    monkeypatch.setattr(model, "expected_lift", lambda *_: posterior)
    evidence = measure_lift(model, world.panel, [make_test(observed, error)])[0]
    assert evidence.expected_without == pytest.approx(prior_mean, abs=0.2 * prior_sd)
    z = (observed - prior_mean) / np.hypot(error, prior_sd)
    assert evidence.conflict_score == pytest.approx(z, abs=0.25)
    assert abs(evidence.posterior_score) < abs(evidence.conflict_score)


def test_without_tests_nothing_is_measured_or_judged(world, draws):
    assert measure_lift(fitted_model(world, draws), world.panel, []) == []
    assert judge_lift([], GATES) == []


def test_what_cannot_be_computed_is_no_pass(world):
    draws = prior_draws(world, n_draws=1)
    stuck = xr.concat([draws] * 10, dim="draw")
    stuck = stuck.assign(saturation_beta=stuck["saturation_beta"] * np.nan)
    evidence = measure_lift(fitted_model(world, stuck), world.panel, [make_test(100.0)])
    assert judge_lift(evidence, GATES)[0].verdict is Verdict.NOT_EVALUATED
    row = lift_rows(evidence, GATES)[0]
    assert (row["expected_mean"], row["conflict_score"], row["conflict"]) == (None, None, False)


def test_the_limit_is_the_specs(world, draws):
    lift = expected(world, draws, make_test(0.0))
    test = make_test(float(lift.mean() + 3 * lift.std()), float(lift.std()))
    evidence = measure_lift(fitted_model(world, draws), world.panel, [test])
    assert judge_lift(evidence, FitGates(max_lift_conflict=20))[0].verdict is Verdict.PASS


def dominated(world, draws, monkeypatch):
    """A fit that a test has decided: draws lie where it is, and hold nothing of before."""
    model = fitted_model(world, draws)
    lift = np.random.default_rng(1).normal(500.0, 9.0, (4000, 1))
    monkeypatch.setattr(model, "expected_lift", lambda *_: lift)
    return measure_lift, model, make_test(500.0, 10.0)


@pytest.mark.parametrize(
    ("refitted", "known_by", "conflict", "words"),
    [
        (np.array([[90.0, 110.0]] * 50).ravel(), LeftOutBy.FIT, True, "from a fit without it"),
        (np.array([[480.0, 510.0]] * 50).ravel(), LeftOutBy.FIT, False, "they agree"),
        (None, LeftOutBy.NORMAL, False, "understates a conflict"),
    ],
    ids=["disagrees", "agrees", "no-fit"],
)
def test_where_a_test_dominates_a_fit_without_it_decides(
    world, draws, monkeypatch, refitted, known_by, conflict, words
):
    measure, model, test = dominated(world, draws, monkeypatch)
    (evidence,) = measure(model, world.panel, [test], lambda _: refitted)
    assert evidence.pareto_k > 0.7
    assert evidence.left_out_by is known_by
    (row,) = lift_rows([evidence], GATES)
    assert row["conflict"] is conflict
    assert words in row["sentence"]
    if refitted is not None:
        # 400 over the root of 200, and 5 over the root of 325.
        by_hand = (500 - refitted.mean()) / np.hypot(10.0, refitted.std())
        assert evidence.conflict_score == pytest.approx(by_hand)


def test_a_weak_test_costs_no_further_fit(world, draws):
    lift = expected(world, draws, make_test(0.0))
    test = make_test(float(lift.mean()), float(20 * lift.std()))
    asked = []
    (evidence,) = measure_lift(fitted_model(world, draws), world.panel, [test], asked.append)
    assert evidence.left_out_by is LeftOutBy.WEIGHTS
    assert asked == []


def test_a_fit_without_one_test_keeps_the_others_and_forgets_this_one():
    """Independent route: it is the fit of a spec that never had the test."""
    kept = make_test(300.0, 100.0, channel="search")
    bold = make_test(5000.0, 1.0)
    sampler = SamplerSpec(chains=2, tune=150, draws=150)
    tested = mmm_world(1, lift_tests=[kept, bold])
    never = mmm_world(1, lift_tests=[kept])
    tree = xr.DataTree.from_dict({"posterior": prior_draws(tested)})
    fit = OpenFit(fitted_model(tested), tree, tested.panel, tested.inputs)
    lift = make_refit(fit, sampler, Watch(1), 1.0)(1)
    sampled = fit.kind.fit(never.panel, never.inputs, sampler, Watch(1)).tree["posterior"]
    model = fit.kind.open(sampled.to_dataset(), never.inputs)
    np.testing.assert_allclose(lift, model.expected_lift(never.panel, [bold])[:, 0], rtol=1e-9)


def test_without_time_there_is_no_further_fit(world):
    tree = xr.DataTree.from_dict({"posterior": prior_draws(world)})
    fit = OpenFit(fitted_model(world), tree, world.panel, world.inputs)
    assert make_refit(fit, SamplerSpec(), Watch(1), 301.0)(0) is None
