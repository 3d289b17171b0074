"""Scores against closed forms, by hand, and against another library."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymc_marketing.metrics import per_observation_crps
from scipy import stats

from schemas.documents.forecast_scores import Basis
from schemas.names import QUANTILES, ForecastScope
from tasks.forecast.scores import LEVELS, crps_of_draws, crps_of_quantiles, score_rows
from tasks.forecast.summary import summarize_scores


def normal_crps(y, sd=1.0):
    """Gneiting and Raftery (2007), equation 21."""
    z = np.asarray(y) / sd
    return sd * (z * (2 * stats.norm.cdf(z) - 1) + 2 * stats.norm.pdf(z) - 1 / np.sqrt(np.pi))


AT = np.array([-4.0, -1.0, 0.0, 0.3, 2.0, 6.0])


def test_crps_of_many_normal_draws_is_the_closed_form():
    draws = stats.norm.ppf((np.arange(20_000) + 0.5) / 20_000, scale=3)
    got = crps_of_draws(np.tile(draws[:, None], len(AT)), AT)
    np.testing.assert_allclose(got, normal_crps(AT, 3.0), rtol=1e-3)


def test_crps_of_uniform_draws_is_the_closed_form():
    draws = (np.arange(10_000) + 0.5) / 10_000
    y = np.array([0.0, 0.25, 1.0, 1.5, -2.0])
    inside = np.clip(y, 0, 1)
    want = inside**3 / 3 + (1 - inside) ** 3 / 3 + np.abs(y - inside)
    np.testing.assert_allclose(crps_of_draws(np.tile(draws[:, None], 5), y), want, atol=1e-4)


def test_crps_of_one_draw_is_the_absolute_error_and_of_two_by_hand():
    assert crps_of_draws(np.array([[3.0]]), np.array([5.0])) == pytest.approx([2.0])
    # F is 1/2 between 0 and 4: 1/4 * 1 below the KPI of 1 and 1/4 * 3 above it.
    assert crps_of_draws(np.array([[0.0], [4.0]]), np.array([1.0])) == pytest.approx([1.0])


@given(
    st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=30),
    st.floats(-2e6, 2e6),
)
def test_crps_of_draws_agrees_with_pymc_marketing(draws, y):
    table, actual = np.array(draws)[:, None], np.array([y])
    want = per_observation_crps(actual, table)
    np.testing.assert_allclose(crps_of_draws(table, actual), want, rtol=1e-9, atol=1e-6)


def test_quantile_score_integrates_a_fourth_degree_polynomial_exactly():
    """Quantile function u^3: its loss at a KPI beyond it is a polynomial in the level."""
    quantiles = (LEVELS**3)[:, None]
    want = 2 * (1 / 2 * 1.0 - 1 / 5)
    np.testing.assert_allclose(crps_of_quantiles(quantiles, np.array([1.0])), [want], rtol=1e-12)


def test_quantile_score_of_a_calibrated_normal_forecast_is_right_on_average():
    rng = np.random.default_rng(0)
    y = rng.normal(0, 1, 200_000)
    quantiles = np.tile(stats.norm.ppf(LEVELS)[:, None], len(y))
    got = crps_of_quantiles(quantiles, y).mean()
    assert got == pytest.approx(1 / np.sqrt(np.pi), rel=0.005)


@pytest.mark.parametrize("y", AT)
def test_quantile_score_of_one_normal_forecast_is_near(y):
    got = crps_of_quantiles(stats.norm.ppf(LEVELS)[:, None], np.array([y]))
    assert got[0] == pytest.approx(normal_crps(y), rel=0.11)


def test_quantile_score_is_proper():
    """No forecast does better on average than the truth."""
    y = stats.norm.ppf((np.arange(20_000) + 0.5) / 20_000)

    def mean_score(shift, width):
        quantiles = shift + width * stats.norm.ppf(LEVELS)
        return crps_of_quantiles(np.tile(quantiles[:, None], len(y)), y).mean()

    honest = mean_score(0.0, 1.0)
    for shift, width in ((0.3, 1.0), (-0.3, 1.0), (0.0, 0.6), (0.0, 1.6)):
        assert mean_score(shift, width) > honest


def rows_of(actual, naive=None, **facts):
    actual = np.asarray(actual, float)
    naive = np.full(len(actual), np.nan) if naive is None else np.asarray(naive, float)
    return pd.DataFrame({"actual": actual, "naive": naive, **facts})


def test_scores_of_one_period_by_hand():
    quantiles = np.array([[80.0, 95.0, 100.0, 106.0, 120.0]]).T
    row = score_rows(rows_of([110.0], [118.0]), quantiles, np.array([2.5])).iloc[0]
    assert (row["in_50"], row["in_90"]) == (False, True)
    assert (row["kpi_p50"], row["abs_error"], row["naive_error"]) == (100.0, 10.0, 8.0)
    assert row["ape"] == pytest.approx(10 / 110)
    assert row["z"] == pytest.approx(10 / (40 / (2 * stats.norm.ppf(0.95))))


def test_ends_of_an_interval_belong_to_it():
    quantiles = np.array([[80.0, 95.0, 100.0, 106.0, 120.0]] * 4).T
    got = score_rows(rows_of([80, 95, 106, 120]), quantiles, np.zeros(4))
    assert got["in_90"].all()
    assert got["in_50"].tolist() == [False, True, True, False]


def test_what_cannot_be_computed_is_missing():
    quantiles = np.array([[5.0, 5.0, 5.0, 5.0, 5.0]]).T
    row = score_rows(rows_of([0.0]), quantiles, np.array([5.0])).iloc[0]
    assert row[["ape", "naive_error", "z"]].isna().all()


def summary_of(actual, quantiles, naive, *, ahead=1):
    rows = rows_of(actual, naive, scope="all", basis="published", periods_ahead=ahead)
    scores = score_rows(rows, quantiles, crps_of_quantiles(quantiles, rows["actual"].to_numpy()))
    return {s.periods_ahead: s for s in summarize_scores(scores)}


def test_coverage_of_a_calibrated_forecast_is_that_of_its_intervals():
    rng = np.random.default_rng(3)
    mean = rng.normal(500, 50, 4000)
    actual = mean + rng.normal(0, 20, 4000)
    quantiles = mean + 20 * stats.norm.ppf(LEVELS)[:, None]
    reported = summary_of(actual, quantiles, mean)["any"]
    assert reported.coverage_50 == pytest.approx(0.5, abs=0.025)
    assert reported.coverage_90 == pytest.approx(0.9, abs=0.015)
    narrow = summary_of(actual, mean + 10 * stats.norm.ppf(LEVELS)[:, None], mean)["any"]
    assert narrow.coverage_90 < 0.65


def test_skill_is_the_share_of_the_naive_error_that_is_saved():
    actual = np.array([100.0, 200.0])
    quantiles = np.tile(actual, (5, 1)) + np.array([[10.0, -10.0]])
    better = summary_of(actual, quantiles, actual + 40)["any"]
    worse = summary_of(actual, quantiles, actual + 4)["any"]
    unknown = summary_of(actual, quantiles, None)["any"]
    assert (better.skill, worse.skill, unknown.skill) == (0.75, -1.5, None)
    assert better.mape == pytest.approx((0.1 + 0.05) / 2)
    half = summary_of(actual, quantiles, [120.0, np.nan])["any"]
    assert half.skill == 0.5, "both errors over the period that has both"


def test_groups_of_periods_ahead():
    n = 20
    reported = summary_of(
        np.ones(n), np.tile(np.ones(n), (5, 1)), np.ones(n), ahead=np.arange(1, n + 1)
    )
    assert {name: s.n for name, s in reported.items()} == {
        "any": 20, "1": 1, "2-4": 3, "5-13": 9, "14+": 7,
    }  # fmt: skip
    assert reported["1"].basis is Basis.PUBLISHED
    assert reported["1"].scope is ForecastScope.ALL


def test_levels_are_those_that_are_published():
    assert LEVELS.tolist() == list(QUANTILES.values())
