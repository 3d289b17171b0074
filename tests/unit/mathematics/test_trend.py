"""The trend beyond a straight line: hinges by hand, the smooth curve against PyMC's."""

import numpy as np
import pymc as pm
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.graphs import evaluate

from schemas.spec.baseline import TrendKind, TrendSpec
from tasks.mathematics.trend import fix_trend, trend_columns, trend_relative_sds

FITTED = np.arange(8.0, 60.0)
BENT = TrendSpec(kind=TrendKind.PIECEWISE, changepoints=3)
SMOOTH = TrendSpec(kind=TrendKind.GP, length_scale=20, basis=6)


def test_hinges_hand_computed():
    # One changepoint in the middle of 0..4: hinge 0, 0, 0, 1, 2, mean 0.6, variance 1 - 0.36.
    trend = fix_trend(TrendSpec(kind=TrendKind.PIECEWISE, changepoints=1), np.arange(5.0))
    assert trend.knots == [2.0]
    want = (np.array([0, 0, 0, 1, 2]) - 0.6) / 0.8
    np.testing.assert_allclose(trend_columns(np.arange(5.0), trend), [want], rtol=1e-12)


def test_changepoints_are_evenly_spaced_inside_the_fitted_window():
    knots = fix_trend(BENT, FITTED).knots
    np.testing.assert_allclose(knots, 8 + 51 * np.array([0.25, 0.5, 0.75]), rtol=1e-14)


def test_hinges_are_standardized_over_the_fitted_window():
    columns = trend_columns(FITTED, fix_trend(BENT, FITTED))
    np.testing.assert_allclose(columns.mean(axis=-1), 0, atol=1e-12)
    np.testing.assert_allclose(columns.std(axis=-1), 1, rtol=1e-12)


def test_a_trend_goes_on_straight_after_the_last_period():
    trend = fix_trend(BENT, FITTED)
    later = trend_columns(np.arange(55.0, 90.0), trend)
    np.testing.assert_allclose(np.diff(later, n=2), 0, atol=1e-10)


@pytest.mark.parametrize("spec", [BENT, SMOOTH], ids=["piecewise", "gp"])
def test_columns_of_one_date_do_not_depend_on_the_dates_beside_it(spec):
    trend = fix_trend(spec, FITTED)
    whole = trend_columns(np.arange(100.0), trend)
    np.testing.assert_array_equal(trend_columns(np.array([3.0, 77.0]), trend), whole[:, [3, 77]])


def test_bends_together_are_as_wide_as_one_coefficient_of_a_half():
    sds = trend_relative_sds(fix_trend(BENT, FITTED))
    assert len(sds) == 3
    assert np.sum(np.square(sds)) == pytest.approx(0.5**2)


def test_smooth_columns_and_scales_are_those_of_pymc():
    """Both split a draw into basis and scale on their own; the products must agree."""
    trend = fix_trend(SMOOTH, FITTED)
    boundary = trend.boundary
    assert boundary == 51 / 2 + 2 * 20
    theirs = pm.gp.HSGP(m=[6], L=[boundary], cov_func=pm.gp.cov.ExpQuad(1, ls=20.0))
    theirs._X_center = np.array([trend.centre])
    with pm.Model():
        basis, sqrt_density = theirs.prior_linearized(FITTED[:, None])
    want = evaluate(basis) * evaluate(sqrt_density)
    ours = trend_columns(FITTED, trend).T * np.array(trend_relative_sds(trend))
    np.testing.assert_allclose(ours, 0.5 * want, rtol=1e-9, atol=1e-12)


def test_a_smooth_trend_varies_by_half_a_linear_one_where_the_data_are():
    trend = fix_trend(TrendSpec(kind=TrendKind.GP, length_scale=5, basis=40), FITTED)
    variance = np.square(trend_relative_sds(trend)) @ trend_columns(FITTED, trend) ** 2
    np.testing.assert_allclose(np.sqrt(variance), 0.5, rtol=0.02)


@pytest.mark.parametrize("length_scale", [20, 36, 52, 104])
def test_what_comes_is_as_uncertain_as_a_whole_gaussian_process_has_it(length_scale):
    """Given noisy values of the fitted periods, up to a quarter of a year after them."""
    trend = fix_trend(
        TrendSpec(kind=TrendKind.GP, length_scale=length_scale, basis=12), np.arange(130.0)
    )
    dates = np.append(np.arange(130.0), 130.0 + np.array([1, 6, 13]))
    distance = (dates[:, None] - dates) / length_scale
    exact = 0.25 * np.exp(-0.5 * distance**2)
    scaled = trend_columns(dates, trend).T * np.array(trend_relative_sds(trend))
    ours, theirs = (_sds_ahead(covariance, 130) for covariance in (scaled @ scaled.T, exact))
    np.testing.assert_allclose(ours, theirs, rtol=0.05)


def _sds_ahead(covariance, n):
    """Of values after the first ``n``, which are known up to noise of 0.3."""
    seen, across = covariance[:n, :n] + 0.09 * np.eye(n), covariance[n:, :n]
    return np.sqrt(np.diag(covariance[n:, n:] - across @ np.linalg.solve(seen, across.T)))


@pytest.mark.parametrize(("n", "half_width"), [(52, 51 / 2 + 2 * 20), (200, 1.5 * 199 / 2)])
def test_the_domain_is_as_wide_as_window_and_length_scale_ask(n, half_width):
    assert fix_trend(SMOOTH, np.arange(float(n))).boundary == half_width


def test_beyond_its_boundary_a_smooth_trend_stays_at_zero():
    trend = fix_trend(SMOOTH, FITTED)
    far = trend.centre + trend.boundary * np.array([-3.0, 1.0, 1.5, 9.0])
    np.testing.assert_allclose(trend_columns(far, trend), 0, atol=1e-14)


@given(st.floats(0.01, 10_000), st.integers(1, 60))
def test_every_scale_can_be_divided_by(length_scale, basis):
    spec = TrendSpec(kind=TrendKind.GP, length_scale=length_scale, basis=basis)
    sds = trend_relative_sds(fix_trend(spec, FITTED))
    assert len(sds) == basis
    assert all(np.isfinite(sd) and sd >= 1e-4 for sd in sds)


@pytest.mark.parametrize(
    ("kind", "line"), [("none", False), ("linear", True), ("piecewise", True), ("gp", False)]
)
def test_which_trends_have_a_line(kind, line):
    assert fix_trend(TrendSpec(kind=kind), FITTED).has_line is line


@pytest.mark.parametrize("kind", ["none", "linear"])
def test_plain_trends_have_no_further_columns(kind):
    trend = fix_trend(TrendSpec(kind=kind), FITTED)
    assert trend_columns(FITTED, trend).shape == (0, 52)
    assert trend_relative_sds(trend) == []


def test_one_fitted_period_is_no_division_by_zero():
    for spec in (BENT, SMOOTH):
        trend = fix_trend(spec, np.array([5.0]))
        assert np.isfinite(trend_columns(np.array([5.0, 6.0]), trend)).all()
