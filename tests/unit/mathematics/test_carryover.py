"""Carryover: hand-computed lags and the laws of every kernel."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from schemas.spec.channels import AdstockKind
from tasks.mathematics.carryover import (
    ADSTOCKS,
    adstock_weights,
    carry_back,
    early_level,
    recursive_adstock,
    stack_lags,
)

KERNELS = [kind for kind in AdstockKind if kind is not AdstockKind.NONE]
RANGES = {
    "alpha": st.floats(0.01, 0.99),
    "theta": st.floats(0, 3),
    "lam": st.floats(0.1, 20),
    "k": st.floats(0.1, 8),
}
INPUT = arrays(float, 30, elements=st.floats(0, 1e6))


def parameters(kind, data):
    return {name: np.array(data.draw(RANGES[name], name)) for name in ADSTOCKS[kind].parameters}


def naive_recursion(values, decay):
    out, carried = [], 0.0
    for value in values:
        carried = value + decay * carried
        out.append(carried)
    return np.array(out)


def test_geometric_weights_hand_computed():
    # 1 + .5 + .25 = 1.75
    got = adstock_weights(AdstockKind.GEOMETRIC, {"alpha": np.array(0.5)}, l_max=3)
    np.testing.assert_allclose(got, [1 / 1.75, 0.5 / 1.75, 0.25 / 1.75], rtol=1e-15)


def test_delayed_weights_hand_computed():
    # Peak at lag 1: .5^1, .5^0, .5^1 = .5, 1, .5, sum 2
    p = {"alpha": np.array(0.5), "theta": np.array(1.0)}
    got = adstock_weights(AdstockKind.DELAYED, p, l_max=3)
    np.testing.assert_allclose(got, [0.25, 0.5, 0.25], rtol=1e-15)


def test_weibull_survival_weights_hand_computed():
    # Exponential survival exp(-t): running products of 1, e^-1, e^-2 are 1, e^-1, e^-3.
    p = {"lam": np.array(1.0), "k": np.array(1.0)}
    got = adstock_weights(AdstockKind.WEIBULL_CDF, p, l_max=3)
    raw = np.exp([0.0, -1.0, -3.0])
    np.testing.assert_allclose(got, raw / raw.sum(), rtol=1e-14)


def test_weibull_density_weights_hand_computed():
    # Exponential density exp(-t) at 1, 2, 3, less its least value.
    p = {"lam": np.array(1.0), "k": np.array(1.0)}
    got = adstock_weights(AdstockKind.WEIBULL_PDF, p, l_max=3)
    raw = np.exp([-1.0, -2.0, -3.0]) - np.exp(-3.0)
    np.testing.assert_allclose(got, raw / raw.sum(), rtol=1e-14)


def test_binomial_weights_hand_computed():
    # alpha 0.5 is the power one: 1, 1 - 1/4, 1 - 2/4 = 1, .75, .5, sum 2.25
    got = adstock_weights(AdstockKind.BINOMIAL, {"alpha": np.array(0.5)}, l_max=3)
    np.testing.assert_allclose(got, [1 / 2.25, 0.75 / 2.25, 0.5 / 2.25], rtol=1e-14)


@given(st.floats(0.001, 0.999), st.integers(2, 30))
def test_binomial_carryover_never_grows_with_the_lag(alpha, l_max):
    weights = adstock_weights(AdstockKind.BINOMIAL, {"alpha": np.array(alpha)}, l_max=l_max)
    assert (np.diff(weights) <= 0).all()


@pytest.mark.parametrize("kind", KERNELS)
@given(data=st.data(), l_max=st.integers(1, 30))
def test_weights_are_shares_of_one(kind, data, l_max):
    weights = adstock_weights(kind, parameters(kind, data), l_max=l_max)
    assert weights.shape == (l_max,)
    assert (weights >= 0).all()
    assert weights.sum() == pytest.approx(1, rel=1e-12)


@pytest.mark.parametrize("kind", KERNELS)
def test_one_lag_is_no_carryover(kind):
    p = {name: np.array(0.7) for name in ADSTOCKS[kind].parameters}
    np.testing.assert_array_equal(adstock_weights(kind, p, l_max=1), [1.0])


@pytest.mark.parametrize("kind", KERNELS)
def test_weights_of_many_channels_are_those_of_each(kind):
    p = {name: np.linspace(0.2, 0.8, 6).reshape(2, 3) for name in ADSTOCKS[kind].parameters}
    together = adstock_weights(kind, p, l_max=5)
    assert together.shape == (2, 3, 5)
    for at in np.ndindex(2, 3):
        alone = adstock_weights(kind, {k: v[at] for k, v in p.items()}, l_max=5)
        np.testing.assert_allclose(together[at], alone, rtol=1e-14)


def test_no_carryover_has_no_weights():
    with pytest.raises(ValueError, match="use the input as it is"):
        adstock_weights(AdstockKind.NONE, {}, l_max=3)


def test_lags_hand_computed():
    got = stack_lags(np.array([1.0, 2.0, 3.0]), 3)
    np.testing.assert_array_equal(got, [[1, 2, 3], [0, 1, 2], [0, 0, 1]])


def test_more_lags_than_periods_are_zero():
    got = stack_lags(np.array([[1.0, 2.0]]), 4)
    np.testing.assert_array_equal(got, [[[1, 2], [0, 1], [0, 0], [0, 0]]])


@given(INPUT, st.floats(0.01, 0.95), st.integers(1, 10))
def test_geometric_carryover_keeps_the_mass(values, alpha, l_max):
    # Mass is kept once the last weeks are followed by quiet ones for the carryover to run out.
    padded = np.concatenate([values, np.zeros(l_max)])
    weights = adstock_weights(AdstockKind.GEOMETRIC, {"alpha": np.array(alpha)}, l_max=l_max)
    assert (weights @ stack_lags(padded, l_max)).sum() == pytest.approx(values.sum(), rel=1e-9)


@pytest.mark.parametrize("kind", KERNELS)
@given(data=st.data(), values=INPUT, at=st.integers(1, 29))
def test_future_input_never_changes_the_past(kind, data, values, at):
    weights = adstock_weights(kind, parameters(kind, data), l_max=6)
    shocked = values.copy()
    shocked[at:] += 1e5
    before, after = (weights @ stack_lags(v, 6) for v in (values, shocked))
    np.testing.assert_array_equal(before[:at], after[:at])


def test_recursive_adstock_hand_computed():
    # y2 = 3 + .5*2 + .25*1 = 4.25
    got = recursive_adstock(np.array([1.0, 2.0, 3.0]), decay=0.5, max_lag=13)
    np.testing.assert_allclose(got, [1.0, 2.5, 4.25], rtol=1e-15)


def test_recursive_adstock_is_cut_after_the_last_lag():
    got = recursive_adstock(np.array([1.0, 0.0, 0.0, 0.0]), decay=0.5, max_lag=2)
    np.testing.assert_array_equal(got, [1.0, 0.5, 0.25, 0.0])


@given(INPUT, st.floats(0, 0.99), st.integers(29, 60))
def test_recursive_adstock_is_the_naive_recursion_when_nothing_is_cut(values, decay, max_lag):
    got = recursive_adstock(values, decay=decay, max_lag=max_lag)
    np.testing.assert_allclose(got, naive_recursion(values, decay), rtol=1e-10, atol=1e-6)


@given(INPUT)
def test_recursive_adstock_without_lags_is_the_input(values):
    np.testing.assert_array_equal(recursive_adstock(values, decay=0.5, max_lag=0), values)


@pytest.mark.parametrize(
    ("decay", "max_lag", "message"),
    [
        (1.0, 3, r"decay must be in \[0, 1\), got 1.0"),
        (-0.1, 3, r"decay must be in \[0, 1\)"),
        (float("nan"), 3, "decay must be in"),
        (0.5, -1, "max_lag must be >= 0, got -1"),
    ],
)
def test_recursive_adstock_refuses_what_it_cannot_mean(decay, max_lag, message):
    with pytest.raises(ValueError, match=message):
        recursive_adstock(np.ones(3), decay=decay, max_lag=max_lag)


def test_carrying_back_hand_computed():
    # The input of a period weighs in that period and the next: 1 + 10 * .5, 10 + 100 * .5, 100.
    got = carry_back(np.array([1.0, 10.0, 100.0]), np.array([1.0, 0.5]))
    np.testing.assert_array_equal(got, [6.0, 60.0, 100.0])


@given(INPUT, st.integers(1, 40), st.integers(0, 2**31))
def test_carrying_back_is_the_transpose_of_carryover(values, n_lags, seed):
    rng = np.random.default_rng(seed)
    weights, series = rng.uniform(size=n_lags), rng.normal(size=values.shape)
    carried = weights @ stack_lags(values, n_lags)
    back = carry_back(series, weights)
    assert series @ carried == pytest.approx(back @ values, rel=1e-9, abs=1e-6)


def test_kernels_of_many_draws_carry_back_one_by_one():
    rng = np.random.default_rng(0)
    values, weights = rng.normal(size=(4, 2, 9)), rng.uniform(size=(4, 3))
    got = carry_back(values, weights[:, None])
    for draw in range(4):
        for entity in range(2):
            alone = carry_back(values[draw, entity], weights[draw])
            np.testing.assert_allclose(got[draw, entity], alone, rtol=1e-13)


def test_before_the_first_period_the_series_ran_as_in_its_first_ones():
    values = np.array([[2.0, 4.0, 9.0, 9.0, 9.0], [0.0, 0.0, 5.0, 5.0, 5.0]])
    level = early_level(values, 4)
    np.testing.assert_array_equal(level, [3.0, 0.0])
    stacked = stack_lags(values, 4, level)
    np.testing.assert_array_equal(stacked[0, :, 1], [4.0, 2.0, 3.0, 3.0])
    np.testing.assert_array_equal(stacked[1, 3], [0.0, 0.0, 0.0, 0.0, 0.0])


def test_what_runs_on_as_before_is_carried_in_full_from_the_first_period():
    steady = np.full(30, 7.0)
    weights = adstock_weights(AdstockKind.GEOMETRIC, {"alpha": np.array([0.9])}, l_max=26)[0]
    carried = weights @ stack_lags(steady, 26, early_level(steady, 26))
    np.testing.assert_allclose(carried, 7.0, rtol=1e-12)
