"""Published tables: their columns, their sums, and in-sample fit in its odd corners."""

import numpy as np
import pandas as pd
import pytest
from support.worlds import fitted_model, log_world, mmm_world

from schemas.names import CONTRIBUTION_COLUMNS, FITTED_COLUMNS
from tasks.attribute.contribution import attribute_kpi, measure_fit

WORLDS = {"mmm": lambda: mmm_world(2, carryover_months=2), "log": lambda: log_world(2)}
KEYS = ["entity_id", "period_start"]


@pytest.fixture(scope="module", params=list(WORLDS))
def case(request):
    world = WORLDS[request.param]()
    model = fitted_model(world)
    return world, model, attribute_kpi(model, world.panel, world.window, seed=5)


def test_columns_are_the_published_ones(case):
    _, model, split = case
    assert tuple(split.contributions.columns) == CONTRIBUTION_COLUMNS
    assert tuple(split.fitted.columns) == FITTED_COLUMNS
    assert split.contributions["component"].unique().tolist() == [c.name for c in model.components]


def test_one_row_per_entity_fitted_period_and_component(case):
    world, model, split = case
    n = 2 * int(world.window.sum())
    assert len(split.fitted) == n
    assert len(split.contributions) == n * len(model.components)
    assert not split.contributions.duplicated([*KEYS, "component"]).any()
    fitted = world.frame.loc[world.frame["is_estimation"], KEYS].reset_index(drop=True)
    pd.testing.assert_frame_equal(split.fitted[KEYS], fitted, check_dtype=False)


def test_mean_contributions_add_up_to_the_fitted_mean(case):
    world, model, split = case
    total = split.contributions.groupby(KEYS)["contribution_mean"].sum()
    fitted = split.fitted.set_index(KEYS)["fitted_mean"]
    np.testing.assert_allclose(total.loc[fitted.index], fitted, rtol=1e-9)
    expected = model.expected(world.panel)[..., world.window].mean(axis=0)
    np.testing.assert_allclose(fitted, expected.ravel(), rtol=1e-9)


def test_actual_is_the_kpi(case):
    world, _, split = case
    want = world.frame.loc[world.frame["is_estimation"], "sales"]
    np.testing.assert_array_equal(split.fitted["actual"], want)


def test_intervals_are_ordered(case):
    _, _, split = case
    rows = split.contributions
    assert (rows["contribution_low"] <= rows["contribution_high"]).all()
    assert (split.fitted["fitted_low"] < split.fitted["fitted_high"]).all()


def test_summary_shares_add_up_to_one(case):
    _, _, split = case
    assert sum(row["share_mean"] for row in split.summary.values()) == pytest.approx(1, rel=1e-9)


def test_totals_are_the_sums_of_the_table(case):
    _, _, split = case
    table = split.contributions.groupby("component")["contribution_mean"].sum()
    for name, row in split.summary.items():
        assert row["contribution_mean"] == pytest.approx(table[name], rel=1e-9)


def test_only_channels_have_an_incremental(case):
    _, _, split = case
    with_incremental = [n for n, row in split.summary.items() if "incremental_mean" in row]
    assert with_incremental == ["tv", "search", "email", "rival"]


def frame(actual, fitted):
    return pd.DataFrame({"actual": np.array(actual, float), "fitted_mean": np.array(fitted, float)})


def test_fit_hand_computed():
    got = measure_fit(frame([10, 20, 30], [11, 18, 30]))
    assert got["mape"] == pytest.approx((0.1 + 0.1 + 0) / 3)
    assert got["rmse"] == pytest.approx(np.sqrt(5 / 3))
    assert got["r2"] == pytest.approx(1 - 5 / 200)
    assert got["n_observations"] == 3


def test_periods_without_kpi_have_no_percentage_error():
    assert measure_fit(frame([0, 20], [5, 22]))["mape"] == pytest.approx(0.1)
    assert measure_fit(frame([0, 0], [5, 22]))["mape"] is None


def test_a_constant_kpi_has_no_r_squared():
    got = measure_fit(frame([7, 7], [7, 8]))
    assert got["r2"] is None
    assert got["rmse"] == pytest.approx(np.sqrt(0.5))


def test_a_negative_kpi_has_a_positive_percentage_error():
    assert measure_fit(frame([-10, 10], [-11, 11]))["mape"] == pytest.approx(0.1)
