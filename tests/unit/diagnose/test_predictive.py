"""Predictive checks: hand-computed numbers, and a fit that is right or wrong by construction."""

import numpy as np
import pytest
from support.worlds import fitted_model, log_world, mmm_world, prior_draws

from schemas.outcomes import Verdict
from schemas.spec.gates import FitGates
from tasks.diagnose.identifiability import contraction, judge_identifiability, prior_driven
from tasks.diagnose.predictive import (
    PredictiveEvidence,
    durbin_watson,
    evidence_facts,
    judge_predictive,
    measure_predictive,
    two_sided_p,
)
from tasks.models.mmm.prior_draws import draw_prior


@pytest.mark.parametrize(
    ("observed", "p"), [(0.5, 0.0), (1.5, 0.5), (2.5, 1.0), (4.5, 0.0)], ids=str
)
def test_two_sided_p_hand_computed(observed, p):
    # Of 1, 2, 3, 4 three exceed 1.5: 2 * min(3/4, 1/4).
    assert two_sided_p(np.array([1.0, 2.0, 3.0, 4.0]), observed) == p


def test_durbin_watson_hand_computed():
    # (2 - 1)^2 + (-1 - 2)^2 = 10 over 1 + 4 + 1 = 6
    assert durbin_watson(np.array([[1.0, 2.0, -1.0]])) == pytest.approx(10 / 6)
    # averaged with an entity of 4 + 4 over 3
    got = durbin_watson(np.array([[1.0, 2.0, -1.0], [1.0, -1.0, 1.0]]))
    assert got == pytest.approx((10 / 6 + 8 / 3) / 2)


def test_durbin_watson_of_independent_noise_is_about_two():
    noise = np.random.default_rng(6).normal(size=(5, 2000))
    assert durbin_watson(noise) == pytest.approx(2, abs=0.1)
    assert durbin_watson(np.cumsum(noise, axis=1)) < 0.1


def test_durbin_watson_of_a_perfect_fit_is_not_a_number():
    assert np.isnan(durbin_watson(np.zeros((1, 5))))


GOOD = PredictiveEvidence(
    ppc_p_mean=0.5,
    ppc_p_sd=0.5,
    negative_baseline_prob=0.0,
    durbin_watson=2.0,
    coverage_94=0.94,
    elpd_loo=-100.0,
    p_loo=8.0,
    pareto_k_bad_share=0.0,
)


def verdict(gate, **changes):
    outcomes = judge_predictive(GOOD._replace(**changes), FitGates(), n_cells=104)
    return {o.gate: o.verdict for o in outcomes}[gate]


def test_a_good_fit_passes():
    assert {o.verdict for o in judge_predictive(GOOD, FitGates(), n_cells=104)} == {Verdict.PASS}


@pytest.mark.parametrize(
    ("gate", "changes", "expected"),
    [
        ("ppc_p_mean", {"ppc_p_mean": 0.05}, Verdict.PASS),
        ("ppc_p_mean", {"ppc_p_mean": 0.049}, Verdict.REVIEW),
        ("ppc_p_sd", {"ppc_p_sd": 0.009}, Verdict.FAIL),
        ("negative_baseline_prob", {"negative_baseline_prob": 0.2}, Verdict.PASS),
        ("negative_baseline_prob", {"negative_baseline_prob": 0.21}, Verdict.REVIEW),
        ("negative_baseline_prob", {"negative_baseline_prob": 0.81}, Verdict.FAIL),
        ("durbin_watson", {"durbin_watson": 0.9}, Verdict.REVIEW),
        ("durbin_watson_upper", {"durbin_watson": 3.1}, Verdict.REVIEW),
        ("durbin_watson", {"durbin_watson": np.nan}, Verdict.NOT_EVALUATED),
        ("pareto_k_bad_share", {"pareto_k_bad_share": 0.03}, Verdict.REVIEW),
        ("ppc_p_mean", {"ppc_p_mean": np.nan}, Verdict.NOT_EVALUATED),
    ],
)
def test_limits(gate, changes, expected):
    assert verdict(gate, **changes) is expected


def test_in_sample_fit_is_never_judged():
    gates = {o.gate for o in judge_predictive(GOOD, FitGates(), n_cells=104)}
    assert not gates & {"mape", "r2", "rmse", "coverage_94"}


def test_published_facts_have_no_nan():
    facts = evidence_facts(GOOD._replace(durbin_watson=np.nan))
    assert facts["durbin_watson"] is None
    assert facts["ppc_p_mean"] == 0.5


@pytest.fixture(scope="module", params=["mmm", "log"])
def truth(request):
    """A world whose KPI is drawn from the model itself, and draws close to what made it."""
    world = mmm_world(2) if request.param == "mmm" else log_world(2)
    draws = prior_draws(world, n_draws=1, seed=3).isel(chain=[0, 0], draw=[0] * 100)
    rng = np.random.default_rng(1)
    for name in ("intercept_contribution", "intercept"):
        if name in draws:
            draws[name] = draws[name] + 0.002 * rng.normal(size=draws[name].shape)
    model = fitted_model(world, draws)
    kpi = model.sample_kpi(world.panel, model.expected(world.panel), seed=9)[0]
    return world, draws, world.panel.assign(kpi=(("entity", "date"), kpi))


def test_data_from_the_model_are_like_its_replications(truth):
    world, draws, panel = truth
    evidence = measure_predictive(fitted_model(world, draws), panel, world.window, seed=4)
    assert evidence.ppc_p_mean > 0.05
    assert evidence.coverage_94 == pytest.approx(0.94, abs=0.05)
    assert evidence.durbin_watson == pytest.approx(2, abs=0.6)
    assert evidence.pareto_k_bad_share == 0
    assert evidence.negative_baseline_prob == 0
    assert np.isfinite(evidence.elpd_loo)


def test_data_unlike_the_model_are_found_out(truth):
    world, draws, panel = truth
    shifted = panel.assign(kpi=panel["kpi"] * 1.5)
    evidence = measure_predictive(fitted_model(world, draws), shifted, world.window, seed=4)
    assert evidence.ppc_p_mean < 0.01
    assert evidence.coverage_94 < 0.5
    verdicts = {o.gate: o.verdict for o in judge_predictive(evidence, FitGates(), n_cells=104)}
    assert verdicts["ppc_p_mean"] is Verdict.FAIL


def test_media_that_explain_more_than_everything_give_a_negative_baseline():
    world = mmm_world()
    draws = prior_draws(world)
    draws["intercept_contribution"] = draws["intercept_contribution"] * 0 - 1.0
    evidence = measure_predictive(fitted_model(world, draws), world.panel, world.window, seed=4)
    assert evidence.negative_baseline_prob == 1.0


def test_leave_one_out_of_too_few_draws_is_not_evaluated():
    world = mmm_world()
    evidence = measure_predictive(fitted_model(world), world.panel, world.window, seed=4)
    assert np.isnan(evidence.elpd_loo)
    verdicts = {o.gate: o.verdict for o in judge_predictive(evidence, FitGates(), n_cells=104)}
    assert verdicts["pareto_k_bad_share"] is Verdict.NOT_EVALUATED


def test_contraction_hand_computed():
    world = mmm_world(model={"share_spread": 1.0})
    draws = prior_draws(world, n_draws=200)
    model = fitted_model(world, draws)
    got = contraction(model)
    tv = draws["log_share"].sel(channel="tv").to_numpy().ravel()
    assert got["tv"] == pytest.approx(1 - tv.var(ddof=1) / 1.0**2, rel=1e-12)
    assert list(got) == ["tv", "search", "email", "rival"]


@pytest.mark.parametrize("n_entities", [1, 3])
@pytest.mark.parametrize("model", [{}, {"media_share": 0.2}], ids=["returns", "stated"])
def test_prior_draws_do_not_contract(n_entities, model):
    world = mmm_world(n_entities, model=model)
    draws = draw_prior(world.panel, world.inputs, 4000, seed=1)
    for value in contraction(fitted_model(world, draws)).values():
        assert value == pytest.approx(0, abs=0.1)


def test_channels_below_the_limit_are_prior_driven():
    gates = FitGates(max_prior_driven_share=0.5)
    values = {"tv": 0.9, "search": 0.5, "email": 0.499, "rival": -0.2}
    assert prior_driven(values, gates) == ["email", "rival"]
    assert judge_identifiability(values, gates).verdict is Verdict.PASS
    outcome = judge_identifiability(values | {"search": 0.0}, gates)
    assert outcome.verdict is Verdict.REVIEW
    assert "search" in outcome.reason


@pytest.mark.parametrize(
    ("bad", "n_cells", "expected"),
    [
        (1, 48, Verdict.PASS),  # 2.08 %, but of four years of months
        (2, 48, Verdict.REVIEW),
        (2, 104, Verdict.PASS),
        (3, 104, Verdict.REVIEW),
    ],
)
def test_one_period_never_decides_a_fit_however_short_its_history(bad, n_cells, expected):
    evidence = GOOD._replace(pareto_k_bad_share=bad / n_cells)
    outcomes = judge_predictive(evidence, FitGates(), n_cells=n_cells)
    assert {o.gate: o.verdict for o in outcomes}["pareto_k_bad_share"] is expected
