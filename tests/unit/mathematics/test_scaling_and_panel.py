"""The panel's shape and the scales that give parameters their meaning."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from support.worlds import build_world, make_rows, make_spec, mmm_world

from schemas.documents.features import FeatureScaler
from schemas.errors import DataContractError
from schemas.spec.baseline import ControlSpec
from tasks.mathematics.panel import build_panel, estimation_window
from tasks.mathematics.scaling import (
    carry_controls,
    compute_scales,
    scale_controls,
    scale_media,
    scale_of_entities,
    scales_from_json,
    scales_to_json,
)


def assert_holds_closely(scale, maximum):
    """A scale is not below the maximum, and at most a tenth above it."""
    assert (scale >= maximum * (1 - 1e-12)).all()
    assert (scale <= maximum * 1.1).all()


@pytest.fixture(scope="module")
def world():
    return mmm_world(3, carryover_months=2)


def test_scales_hand_computed(world):
    window = world.panel["kpi"].to_numpy()[:, world.window]
    scales = world.inputs.scales
    assert_holds_closely(scales["kpi_scale"].to_numpy(), window.max(axis=1))
    largest = world.panel["media"].to_numpy().max(axis=-1)
    assert_holds_closely(scales["media_scale"][0].to_numpy(), largest[0])
    price = world.panel["controls"].to_numpy()[:, 0, world.window]
    assert float(scales["control_mean"][0]) == pytest.approx(price.mean(), rel=1e-12)
    assert float(scales["control_std"][0]) == pytest.approx(price.std(), rel=1e-12)


def test_a_channel_that_is_off_is_divided_by_one(world):
    off = world.inputs.scales["media_scale"].sel(entity="market_2", channel="email")
    assert float(off) == 1.0
    np.testing.assert_array_equal(scale_media(world.panel, world.inputs.scales)[2, 2], 0.0)


@pytest.mark.parametrize("markets", [[0, 1, 2], [2, 0], [1]])
def test_markets_of_a_panel_are_scaled_by_their_own_scale_in_any_order(world, markets):
    some, scales = world.panel.isel(entity=markets), world.inputs.scales
    media = scale_media(world.panel, scales)[markets]
    np.testing.assert_array_equal(scale_media(some, scales), media)
    controls = scale_controls(world.panel, scales)[markets]
    np.testing.assert_array_equal(scale_controls(some, scales), controls)
    by_hand = (world.panel["controls"] - scales["control_mean"]) / scales["control_std"]
    np.testing.assert_array_equal(controls, by_hand.to_numpy()[markets])
    kpi = scale_of_entities(scales, "kpi_scale", some)
    np.testing.assert_array_equal(kpi, scales["kpi_scale"].to_numpy()[markets])


def test_a_market_that_was_not_fitted_has_no_scale(world):
    renamed = world.panel.assign_coords(entity=["market_0", "market_1", "elsewhere"])
    with pytest.raises(KeyError, match="not all values found"):
        scale_of_entities(world.inputs.scales, "kpi_scale", renamed)


def test_scaled_media_peak_just_below_one(world):
    scaled = scale_media(world.panel, world.inputs.scales)
    assert scaled.shape == (3, 4, world.panel.sizes["date"])
    peaks = scaled.max(axis=-1)
    assert ((peaks == 0) | ((peaks > 0.9) & (peaks <= 1))).all()
    assert scaled.min() == 0.0


@pytest.mark.parametrize(
    ("largest", "scale"),
    [(8.0, 8.0), (8.01, 8.1), (0.3, 0.3), (1187.3, 1200.0), (0.0999, 0.1), (1e-7, 1e-7), (0.0, 1)],
)
def test_a_scale_is_the_maximum_rounded_up_to_two_digits(world, largest, scale):
    scales = compute_scales(world.panel.assign(media=world.panel["media"] * 0 + largest))
    np.testing.assert_allclose(scales["media_scale"], scale, rtol=1e-12)


def test_a_record_week_does_not_move_the_meaning_of_a_parameter(world):
    largest = world.panel["media"].max("date")
    up_to_the_scale = world.inputs.scales["media_scale"] / largest.where(largest > 0, 1.0)
    grown = compute_scales(world.panel.assign(media=world.panel["media"] * up_to_the_scale))
    xr.testing.assert_allclose(grown["media_scale"], world.inputs.scales["media_scale"])


def test_a_controls_stated_carryover_comes_before_its_z_score(world):
    # Hand-computed: 1, then half of it, a quarter, and nothing after the last lag.
    pulse = xr.zeros_like(world.panel["controls"])
    pulse[{"date": 10}] = 1.0
    controls = [ControlSpec(name="price", decay=0.5, max_lag=2)]
    carried = carry_controls(world.panel.assign(controls=pulse), controls)["controls"]
    np.testing.assert_array_equal(carried[1, 0, 9:15], [0, 1, 0.5, 0.25, 0, 0])


def test_a_control_without_carryover_stays_as_it_is(world):
    controls = [ControlSpec(name="price", decay=0.0, max_lag=8)]
    assert carry_controls(world.panel, controls) is world.panel


def test_scales_survive_json_bit_for_bit(world):
    scales = world.inputs.scales
    back = scales_from_json(
        FeatureScaler.model_validate_json(scales_to_json(scales).model_dump_json())
    )
    xr.testing.assert_identical(back, scales.drop_attrs())
    for name, variable in scales.data_vars.items():
        assert back[name].to_numpy().tobytes() == variable.to_numpy().tobytes(), name


@given(arrays(float, (3, 1, 60), elements=st.floats(-1e9, 1e9)))
def test_scaled_controls_are_z_scores(world, values):
    panel = world.panel.assign(controls=(("entity", "control", "date"), values))
    scales = world.inputs.scales
    mean, spread = (scales[n].to_numpy()[:, None] for n in ("control_mean", "control_std"))
    back = scale_controls(panel, scales) * spread + mean
    np.testing.assert_allclose(back, values, rtol=1e-12, atol=1e-12 * max(1, abs(values).max()))


def test_constant_controls_and_kpi_get_a_scale_of_one(world):
    flat = world.panel.assign(
        controls=xr.full_like(world.panel["controls"], 5.0), kpi=xr.zeros_like(world.panel["kpi"])
    )
    scales = compute_scales(flat)
    assert float(scales["control_std"][0]) == 1.0
    assert scales["kpi_scale"].values.tolist() == [1.0, 1.0, 1.0]


def test_row_order_does_not_matter(world):
    shuffled = world.frame.sample(frac=1, random_state=4)
    xr.testing.assert_identical(build_panel(shuffled, world.metadata), world.panel)


def test_panel_keeps_every_number_in_its_place(world):
    row = world.frame[world.frame["entity_id"] == "market_1"].iloc[7]
    cell = world.panel.sel(entity="market_1", date=row["period_start"])
    assert float(cell["kpi"]) == row["sales"]
    assert float(cell["media"].sel(channel="tv")) == row["act_tv"]
    assert float(cell["spend"].sel(channel="tv")) == row["spend_tv"]
    assert float(cell["controls"].sel(control="price")) == row["ctrl_price"]
    assert np.isnan(float(cell["spend"].sel(channel="email")))


def test_a_market_that_opened_a_period_later_has_zeros_and_no_kpi_there(world):
    panel = build_panel(world.frame.iloc[1:], world.metadata)
    first = panel.isel(entity=0, date=0)
    assert not first["is_observed"]
    assert np.isnan(first["kpi"])
    assert (first["media"].values == 0).all()
    assert panel["is_observed"].values.sum() == 3 * 60 - 1


def test_a_gap_or_a_repeat_in_a_market_is_refused(world):
    for broken in (world.frame.drop(index=7), pd.concat([world.frame, world.frame.iloc[[7]]])):
        with pytest.raises(DataContractError, match="gaps or repeats"):
            build_panel(broken, world.metadata)


def test_periods_to_predict_have_no_kpi(world):
    panel = build_panel(world.frame.drop(columns=["sales", "is_estimation"]), world.metadata)
    assert np.isnan(panel["kpi"].values).all()
    assert panel["is_estimation"].values.all()


def test_estimation_window_drops_the_carryover(world):
    window = estimation_window(world.panel)
    assert window.sizes["date"] == 52
    assert pd.Timestamp(window["date"].values[-1]) == world.frame["period_start"].max()


def test_a_control_of_a_market_that_was_not_open_is_no_data_of_its_scale():
    rows = make_rows(2, 60)
    late = (rows["entity_id"] == "market_1") & (
        rows["period_start"] < rows["period_start"].iloc[40]
    )
    rows.loc[rows["entity_id"] == "market_1", "ctrl_price"] += 50.0
    ragged = build_world(rows[~late], make_spec())
    own = rows.loc[~late, "ctrl_price"]
    scales = ragged.inputs.scales
    assert float(scales["control_mean"].sel(control="price")) == pytest.approx(own.mean())
    assert float(scales["control_std"].sel(control="price")) == pytest.approx(own.std(ddof=0))
