"""PSIS-LOO and WAIC of log likelihoods that are known in closed form."""

import numpy as np
import pytest
import xarray as xr
from scipy.stats import norm

from tasks.mathematics.panel import IS_ESTIMATION
from tasks.models.information import compute_loo, measure_information


def log_likelihood(seed: int, data, n_samples: int = 2000):
    """Of a normal mean with known variance 1, draws from its posterior under a flat prior."""
    draws = np.random.default_rng(seed).normal(
        np.mean(data), 1 / np.sqrt(len(data)), size=(n_samples, 1)
    )
    return norm.logpdf(np.asarray(data), draws, 1.0)


def test_it_agrees_with_leave_one_out_worked_out_by_hand():
    data = np.random.default_rng(1).normal(size=30)
    rest = (data.sum() - data) / (len(data) - 1)
    exact = norm.logpdf(data, rest, np.sqrt(1 + 1 / (len(data) - 1))).sum()
    loo = compute_loo(log_likelihood(2, data), ("date",), 4)
    assert float(loo.elpd) == pytest.approx(exact, abs=0.2)


def test_a_large_pareto_k_is_an_answer_not_a_warning():
    data = np.array([0.1, -0.2, 0.3, 12.0])
    loo = compute_loo(log_likelihood(3, data), ("date",), 4)
    assert float(loo.pareto_k.max()) > 0.7


def test_equal_draws_have_no_answer():
    assert compute_loo(np.zeros((8, 3)), ("date",), 2) is None


class OneMean:
    """A fitted normal mean of known variance 1, as far as ``measure_information`` asks."""

    def __init__(self, data, n_samples=4000):
        rng = np.random.default_rng(4)
        self.mu = rng.normal(np.mean(data), 1 / np.sqrt(len(data)), n_samples)
        self.draws = xr.Dataset({"mu": (("chain", "draw"), self.mu.reshape(4, -1))})

    def expected(self, panel):
        shape = (len(self.mu), 1, panel.sizes["date"])
        return np.broadcast_to(self.mu[:, None, None], shape)

    def log_likelihood(self, panel, expected):
        return norm.logpdf(panel["kpi"].to_numpy()[None], expected, 1.0)


def panel_of(data, n_before):
    kpi = np.concatenate([np.full(n_before, 99.0), data])[None]
    window = np.arange(kpi.shape[1]) >= n_before
    return xr.Dataset({"kpi": (("entity", "date"), kpi), IS_ESTIMATION: ("date", window)})


def test_waic_and_loo_agree_on_a_clean_sample_and_count_fitted_periods_alone():
    data = np.random.default_rng(5).normal(size=40)
    found = measure_information(OneMean(data), panel_of(data, n_before=3))
    assert found.n == 40
    assert found.elpd_waic == pytest.approx(found.elpd_loo, abs=0.05)
    # A value's log density varies by (x - mean)^2 / n + 1 / (2 n^2).
    assert found.p_loo == pytest.approx(data.var() + 1 / 80, rel=0.1)
    assert (found.n_bad_k, found.n_bad_variance) == (0, 0)


def test_values_that_decide_the_fit_alone_are_counted():
    data = np.array([0.1, -0.2, 0.3, 12.0])
    found = measure_information(OneMean(data), panel_of(data, n_before=0))
    assert found.n_bad_k >= 1
    assert found.n_bad_variance >= 1
