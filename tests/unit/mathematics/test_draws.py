"""Intervals and summaries of draws; ArviZ is the independent route."""

import arviz as az
import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from schemas.names import HDI_PROB
from tasks.mathematics.draws import convergence, hdi, stack_samples, summarize

RNG = np.random.default_rng(8)


@pytest.mark.parametrize("prob", [0.5, HDI_PROB])
@pytest.mark.parametrize("n", [50, 333, 2000])
@pytest.mark.parametrize("family", ["normal", "skewed", "rounded"])
def test_interval_equals_arviz(family, n, prob):
    draws = {
        "normal": RNG.normal(size=n),
        "skewed": RNG.gamma(1.5, 2, n),
        "rounded": RNG.normal(size=n).round(1),
    }[family]
    low, high = hdi(draws, prob=prob)
    np.testing.assert_allclose([low, high], az.hdi(draws, prob=prob), rtol=1e-12)


def test_interval_of_an_array_is_that_of_each_cell():
    draws = RNG.gamma(2, size=(400, 3, 4))
    low, high = hdi(draws)
    assert low.shape == high.shape == (3, 4)
    for at in np.ndindex(3, 4):
        np.testing.assert_allclose(
            [low[at], high[at]], az.hdi(draws[(slice(None), *at)], prob=HDI_PROB), rtol=1e-12
        )


@given(arrays(float, 60, elements=st.floats(-1e6, 1e6)))
def test_interval_holds_its_mass(draws):
    low, high = hdi(draws)
    assert low <= high
    assert ((draws >= low) & (draws <= high)).mean() >= HDI_PROB - 1 / len(draws)


def test_interval_leaves_the_order_of_draws_alone():
    draws = np.array([3.0, 1.0, 2.0])
    hdi(draws)
    np.testing.assert_array_equal(draws, [3.0, 1.0, 2.0])


def test_summary_hand_computed():
    assert summarize(np.full(100, 7.0), "roas") == {
        "roas_mean": 7.0,
        "roas_low": 7.0,
        "roas_high": 7.0,
    }
    # 101 draws of 0..100: the first window of 94 steps.
    got = summarize(np.arange(101.0), "x")
    assert got == {"x_mean": 50.0, "x_low": 0.0, "x_high": 94.0}


def test_samples_are_chains_one_after_the_other():
    draws = xr.Dataset({"a": (("chain", "draw", "channel"), np.arange(12.0).reshape(2, 3, 2))})
    stacked = stack_samples(draws)["a"]
    assert stacked.dims == ("sample", "channel")
    np.testing.assert_array_equal(stacked[:, 0], [0, 2, 4, 6, 8, 10])


def test_convergence_is_arviz_own():
    draws = xr.Dataset({"a": (("chain", "draw"), RNG.normal(size=(4, 200)))})
    got = convergence(draws)
    assert set(got) == {"r_hat", "ess_bulk", "ess_tail"}
    assert float(got["r_hat"]["a"]) == pytest.approx(1, abs=0.03)
    assert 400 < float(got["ess_bulk"]["a"]) < 1600
