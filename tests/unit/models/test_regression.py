"""The least-squares look at the data that lays out the sampler's coordinates."""

import numpy as np
import pytest

from tasks.models.regression import regress

RNG = np.random.default_rng(0)


def test_estimates_and_errors_are_those_of_least_squares():
    columns = RNG.normal(size=(400, 2)) * [1.0, 50.0]
    kpi = 7 + columns @ [2.0, -0.1] + RNG.normal(size=400)
    estimates, errors = regress(columns, kpi)
    design = np.column_stack([np.ones(400), columns])
    want, residual = np.linalg.lstsq(design, kpi)[:2]
    covariance = np.linalg.inv(design.T @ design) * residual[0] / (400 - 3)
    # The little ridge moves both by a thousandth.
    np.testing.assert_allclose(estimates, want[1:], rtol=5e-3)
    np.testing.assert_allclose(errors, np.sqrt(np.diag(covariance))[1:], rtol=5e-3)


def test_a_column_without_variation_is_not_resolved():
    columns = np.column_stack([RNG.normal(size=50), np.full(50, 3.0)])
    estimates, errors = regress(columns, columns[:, 0])
    assert estimates[1] == 0
    assert errors[1] == np.inf
    assert estimates[0] == pytest.approx(1, rel=5e-3)


def test_collinear_columns_stay_finite():
    x = RNG.normal(size=50)
    estimates, errors = regress(np.column_stack([x, x]), x)
    assert np.isfinite(estimates).all()
    assert np.isfinite(errors).all()
