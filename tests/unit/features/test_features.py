"""Features of a snapshot: windows, columns, scales and metadata."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from support.worlds import CHANNELS, build_world, log_world, make_rows, make_spec, mmm_world

from schemas.errors import DataContractError
from schemas.spec.run_spec import Grain, Windows
from tasks.features.windows import apply_windows
from tasks.mathematics.seasonality import fourier_terms
from tasks.models.registry import kind_of

ROWS = make_rows(2, 60)
N_WEEKS_OF_MONTHS = {1: 4, 2: 9, 11: 48, 12: 52, 13: 56}
"""52 / 12 weeks a month, rounded."""


def windowed(carryover, estimation, rows=ROWS, grain=Grain.WEEK):
    windows = Windows(carryover_months=carryover, estimation_months=estimation)
    return apply_windows(rows, windows, grain)


def test_without_windows_every_period_is_fitted():
    got = apply_windows(ROWS, None, Grain.WEEK)
    assert len(got) == len(ROWS)
    assert got["is_estimation"].all()


def test_carryover_comes_before_the_estimation_window():
    got = windowed(2, 11)
    one = got[got["entity_id"] == "market_1"]
    assert len(one) == N_WEEKS_OF_MONTHS[2] + N_WEEKS_OF_MONTHS[11]
    assert one["is_estimation"].tolist() == [False] * 9 + [True] * 48
    assert one["period_start"].max() == ROWS["period_start"].max()


def test_a_short_history_shortens_the_carryover_only():
    got = windowed(12, 12)
    one = got[got["entity_id"] == "market_0"]
    assert one["is_estimation"].sum() == 52
    assert (~one["is_estimation"]).sum() == 8


def test_history_as_long_as_the_estimation_window_is_enough():
    got = windowed(
        3, 12, ROWS[ROWS["period_start"] >= ROWS["period_start"].max() - pd.Timedelta(weeks=51)]
    )
    assert got["is_estimation"].all()


def test_a_history_shorter_than_the_estimation_window_is_refused():
    message = "estimation_months = 24 needs 104 periods, the history has 60; shorten the window"
    with pytest.raises(DataContractError, match=message):
        windowed(0, 24)


def test_a_month_is_one_period_of_a_monthly_panel():
    rows = ROWS[ROWS["entity_id"] == "market_0"]
    got = windowed(3, 24, rows, Grain.MONTH)
    assert got["is_estimation"].sum() == 24
    assert len(got) == 27


def test_windows_never_change_the_rows_they_are_given():
    before = ROWS.copy()
    windowed(2, 11)
    pd.testing.assert_frame_equal(ROWS, before)


@pytest.fixture(scope="module")
def mmm():
    return mmm_world(2, carryover_months=2)


@pytest.fixture(scope="module")
def log():
    return log_world(2, windows={"carryover_months": 2, "estimation_months": 11})


def test_columns_of_kind_mmm(mmm):
    added = ["is_estimation", "z_ctrl_price", "trend", "sin_1", "cos_1"]
    assert list(mmm.frame.columns) == [*ROWS.columns, *added]


def test_columns_of_kind_log_student_t(log):
    added = [c for c in log.frame.columns if c not in ROWS.columns]
    inputs = ["act_tv", "spend_search", "act_email", "act_rival"]
    assert added == [
        "is_estimation",
        "z_ctrl_price",
        "trend",
        *("sin_1", "sin_2", "cos_1", "cos_2"),
        *(f"adstock_{c}" for c in inputs),
        *(f"saturated_{c}" for c in inputs),
        *(f"z_{c}" for c in inputs),
    ]
    assert not log.frame.isna().any().any()


@pytest.mark.parametrize("world", ["mmm", "log"])
def test_inputs_stay_in_their_own_units(world, request):
    frame = request.getfixturevalue(world).frame
    kept = ROWS[ROWS["period_start"] >= frame["period_start"].min()].reset_index(drop=True)
    pd.testing.assert_frame_equal(frame[list(ROWS.columns)], kept)


def test_trend_is_standardized_over_the_estimation_window(mmm):
    one = mmm.frame[mmm.frame["entity_id"] == "market_0"]
    t = np.arange(60.0)
    fitted = t[8:]
    np.testing.assert_allclose(one["trend"], (t - fitted.mean()) / fitted.std(), rtol=1e-12)
    inside = one.loc[one["is_estimation"], "trend"]
    assert inside.mean() == pytest.approx(0, abs=1e-12)
    assert inside.std(ddof=0) == pytest.approx(1, rel=1e-12)


def test_trend_of_a_monthly_panel_counts_months():
    rows = make_rows(1, 36)
    rows["period_start"] = pd.date_range("2021-01-01", periods=36, freq="MS")
    world = build_world(rows, make_spec(), grain=Grain.MONTH)
    t = np.arange(36.0)
    np.testing.assert_allclose(world.frame["trend"], (t - t.mean()) / t.std(), rtol=1e-12)


def test_controls_are_z_scores_over_the_estimation_window(mmm):
    fitted = mmm.frame[mmm.frame["is_estimation"]]
    mean, std = fitted["ctrl_price"].mean(), fitted["ctrl_price"].std(ddof=0)
    z = (mmm.frame["ctrl_price"] - mean) / std
    np.testing.assert_allclose(mmm.frame["z_ctrl_price"], z, rtol=1e-10)


def test_fourier_columns_are_those_of_the_dates(log):
    dates = pd.DatetimeIndex(log.frame["period_start"])
    np.testing.assert_allclose(
        log.frame[["sin_1", "sin_2", "cos_1", "cos_2"]], fourier_terms(dates, 2), rtol=1e-13
    )


def test_row_order_does_not_matter(mmm):
    shuffled = build_world(ROWS.sample(frac=1, random_state=9), mmm.spec)
    pd.testing.assert_frame_equal(shuffled.frame, mmm.frame)
    xr.testing.assert_identical(shuffled.inputs.scales, mmm.inputs.scales)


def test_metadata_reports_the_windows(mmm):
    metadata = mmm.metadata
    assert metadata.n_estimation_periods == 52
    assert metadata.n_carryover_periods == 8
    assert metadata.entities == ["market_0", "market_1"]
    fitted = mmm.frame.loc[mmm.frame["is_estimation"], "period_start"]
    assert metadata.estimation_start == fitted.min().date()
    assert metadata.estimation_end == fitted.max().date()
    assert metadata.first_period == mmm.frame["period_start"].min().date()


def test_metadata_names_every_input(mmm):
    metadata = mmm.metadata
    assert metadata.channel_columns == ["act_tv", "spend_search", "act_email", "act_rival"]
    assert metadata.control_columns == ["ctrl_price"]
    assert set(metadata.input_columns) <= set(mmm.frame.columns)
    assert [c.kind for c in metadata.channels] == ["paid", "paid", "owned", "competitor"]
    assert [c.spend_column for c in metadata.channels] == [
        "spend_tv",
        "spend_search",
        None,
        None,
    ]


def test_parameters_of_kind_mmm_are_counted(mmm):
    # 3 channels x (alpha, slope, kappa), a rival's alpha alone
    # + 2 entities x (4 shares + price, trend, sin, cos + level, noise, what lasts of it)
    count = kind_of(mmm.metadata).count_parameters(mmm.metadata)
    assert count == 9 + 1 + 2 * (4 + 4 + 3)
    assert mmm.metadata.n_parameters == 32


def test_parameters_of_kind_log_student_t_are_counted(log):
    # 4 betas + price, trend, 4 Fourier + intercept, sigma_beta, sigma, nu
    assert log.metadata.n_parameters == 4 + 6 + 4


def test_a_fixed_value_per_unit_reaches_the_panel():
    world = mmm_world(kpi={"kind": "count", "value_per_unit": 3.5})
    assert world.metadata.has_unit_value
    np.testing.assert_array_equal(world.panel["unit_value"], 3.5)


def shapes_of(world):
    return {
        c.name: (c.adstock.kind, c.adstock.l_max, c.saturation.kind)
        for c in world.metadata.channels
    }


def test_a_channel_without_shapes_has_the_models_and_a_rival_no_saturation():
    model = {"adstock": {"kind": "delayed", "l_max": 6}, "saturation": {"kind": "tanh"}}
    assert shapes_of(mmm_world(model=model)) == {
        "tv": ("delayed", 6, "tanh"),
        "search": ("delayed", 6, "tanh"),
        "email": ("delayed", 6, "tanh"),
        "rival": ("delayed", 6, "none"),
    }


def test_a_channels_own_shapes_come_first():
    own = {"adstock": {"kind": "binomial", "l_max": 3}, "saturation": {"kind": "root"}}
    channels = [CHANNELS[0] | own, CHANNELS[1], CHANNELS[3] | own]
    world = mmm_world(channels=channels)
    assert shapes_of(world) == {
        "tv": ("binomial", 3, "root"),
        "search": ("geometric", 4, "hill"),
        "rival": ("binomial", 3, "root"),
    }
    # Two each for tv and rival, three for search; 3 shares, 4 linear terms, level, noise, its rest.
    assert world.metadata.n_parameters == 2 + 2 + 3 + 3 + 4 + 3


def test_the_order_of_saturation_and_carryover_reaches_the_metadata():
    world = mmm_world(model={"saturation": {"kind": "hill", "before_adstock": True}})
    assert [c.saturation.before_adstock for c in world.metadata.channels] == [
        *(True, True, True, False)
    ]


def test_forms_of_the_model_reach_the_metadata():
    forms = {"likelihood": "student_t", "non_negative_baseline": True, "time_varying_media": True}
    rich, plain = mmm_world(model=forms).metadata, mmm_world().metadata
    assert {k: getattr(rich, k) for k in forms} == forms
    assert {k: getattr(plain, k) for k in forms} == {
        "likelihood": "normal",
        "non_negative_baseline": False,
        "time_varying_media": False,
    }
    # Student's t has one more parameter: its degrees of freedom.
    assert rich.n_parameters == plain.n_parameters + 1


def test_a_control_in_the_long_form_reaches_the_metadata():
    control = {"name": "ctrl_price", "sign": "negative", "decay": 0.4, "max_lag": 5}
    (got,) = mmm_world(controls=[control]).metadata.controls
    assert got.model_dump() == {
        **control, "name": "price", "column": "ctrl_price", "reference": "mean",
    }  # fmt: skip


def test_bends_and_basis_functions_count_as_parameters():
    plain = mmm_world(2).metadata.n_parameters
    bent = mmm_world(2, model={"trend": {"kind": "piecewise", "changepoints": 3}})
    smooth = mmm_world(2, model={"trend": {"kind": "gp", "basis": 5}})
    assert bent.metadata.n_parameters == plain + 2 * 3
    assert smooth.metadata.n_parameters == plain + 2 * (5 - 1)
