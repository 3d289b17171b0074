"""Utilities over draws: hand-computed values, finite differences, laws of a risk measure."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats.mstats import hdquantiles

from schemas.spec.optimizer import Utility
from tasks.optimize.utility import compute_utility

ALL = list(Utility)
IN_MONEY = [u for u in ALL if u is not Utility.SHARPE]
MONOTONE = IN_MONEY
DRAWS = arrays(float, st.integers(2, 40), elements=st.floats(-1e3, 1e3))
RISK = st.floats(0.02, 0.49)


def value(totals, utility, risk_level=0.1):
    return compute_utility(np.asarray(totals, float), utility, risk_level=risk_level)[0]


def test_mean_of_four_draws():
    assert value([1, 2, 3, 6], Utility.MEAN) == 3


def test_cvar_is_the_mean_of_the_worst_share_of_draws():
    # A quarter of eight draws are the worst two, whatever their order.
    assert value([9, 1, 8, 3, 7, 6, 5, 4], Utility.CVAR, 0.25) == pytest.approx(2.0)


def test_cvar_takes_the_last_draw_in_part():
    # 0.3 of five draws are one and a half: (1 + 0.5 * 2) / 1.5.
    assert value([5, 4, 3, 2, 1], Utility.CVAR, 0.3) == pytest.approx(2 / 1.5)


def test_cvar_of_few_draws_is_the_worst_of_them():
    assert value([5, 4, 3], Utility.CVAR, 0.1) == 3


def test_var_of_two_draws_by_the_beta_distribution():
    # Harrell and Davis for n = 2, p = 1/3 is Beta(1, 2): P(below 1/2) = 1 - (1/2)^2 = 3/4.
    assert value([0, 1], Utility.VAR, 1 / 3) == pytest.approx(0.25)


@settings(max_examples=30)
@given(DRAWS, RISK)
def test_var_is_the_quantile_of_harrell_and_davis(totals, risk_level):
    expected = float(hdquantiles(totals, prob=[risk_level])[0])
    assert value(totals, Utility.VAR, risk_level) == pytest.approx(expected, rel=1e-8, abs=1e-8)


def test_sharpe_is_mean_over_standard_deviation():
    # Mean 4, deviations -3, -1, 1, 3: variance 5.
    assert value([1, 3, 5, 7], Utility.SHARPE) == pytest.approx(4 / np.sqrt(5))


def test_sharpe_of_what_no_draw_doubts_is_finite():
    got, weights = compute_utility(np.full(5, 3.0), Utility.SHARPE, risk_level=0.1)
    assert np.isfinite(got)
    assert got > 0
    assert np.isfinite(weights).all()


@pytest.mark.parametrize("utility", ALL)
@pytest.mark.parametrize("n_draws", [7, 50])
def test_the_weights_are_the_derivative_by_every_draw(utility, n_draws):
    totals = np.random.default_rng(n_draws).normal(10, 3, n_draws)
    weights = compute_utility(totals, utility, risk_level=0.2)[1]
    step = 1e-6
    for draw in range(n_draws):
        nudge = step * (np.arange(n_draws) == draw)
        slope = (value(totals + nudge, utility, 0.2) - value(totals - nudge, utility, 0.2)) / (
            2 * step
        )
        assert weights[draw] == pytest.approx(slope, rel=1e-5, abs=1e-7)


@pytest.mark.parametrize("utility", MONOTONE)
@settings(max_examples=30)
@given(DRAWS, RISK, st.integers(0, 2**31))
def test_more_in_every_draw_is_never_worse(utility, totals, risk_level, seed):
    more = totals + np.random.default_rng(seed).uniform(0, 50, len(totals))
    before, after = (value(x, utility, risk_level) for x in (totals, more))
    assert after >= before - 1e-9 * max(1.0, np.abs(totals).max())


@pytest.mark.parametrize("utility", IN_MONEY)
@settings(max_examples=30)
@given(DRAWS, RISK, st.floats(-500, 500), st.floats(0.1, 20))
def test_utilities_in_money_shift_and_scale_with_the_outcome(utility, totals, risk, shift, scale):
    expected = shift + scale * value(totals, utility, risk)
    got = value(shift + scale * totals, utility, risk)
    assert got == pytest.approx(expected, rel=1e-9, abs=1e-7)


@settings(max_examples=30)
@given(arrays(float, 12, elements=st.floats(1, 1e3), unique=True), st.floats(0.1, 20))
def test_sharpe_has_no_unit(totals, scale):
    expected = value(totals, Utility.SHARPE)
    assert value(scale * totals, Utility.SHARPE) == pytest.approx(expected, rel=1e-6)


@settings(max_examples=30)
@given(DRAWS, RISK)
def test_the_worst_draws_are_worth_no_more_than_all_of_them(totals, risk_level):
    worst, mean = (value(totals, u, risk_level) for u in (Utility.CVAR, Utility.MEAN))
    assert worst <= mean + 1e-9 * max(1.0, np.abs(totals).max())


@pytest.mark.parametrize("utility", ALL)
def test_the_order_of_draws_does_not_matter(utility):
    rng = np.random.default_rng(0)
    totals = rng.normal(10, 3, 31)
    assert value(rng.permutation(totals), utility) == pytest.approx(value(totals, utility))
