"""PSIS-LOO of log likelihoods that are known in closed form."""

import numpy as np
import pytest
from scipy.stats import norm

from tasks.diagnose.loo import compute_loo


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
