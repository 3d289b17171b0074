"""The coming periods from draws whose answer is known without the code under test."""

from datetime import date
from functools import partial

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy import stats
from support.forms import FORMS
from support.worlds import (
    build_world,
    fitted_model,
    log_world,
    make_rows,
    make_spec,
    mmm_world,
    prior_draws,
)

from schemas.names import FORECAST_COLUMNS, QUANTILES, ComponentKind
from schemas.spec.run_spec import Grain
from tasks.forecast.forecast import forecast_kpi
from tasks.mathematics.horizon_panel import extend_panel
from tasks.mathematics.panel import build_panel, observed_of
from tasks.models.mmm.prior_draws import draw_prior

KPI = ["expected_mean", "kpi_mean", *QUANTILES]
BARE = {"trend": False, "yearly_seasonality": 0}
TV = {"name": "tv", "activity": "act_tv", "spend": "spend_tv"}


def forecast(world, draws=None, *, horizon=13, seed=3):
    model = fitted_model(world, draws)
    return forecast_kpi(model, world.panel, world.metadata, horizon=horizon, seed=seed)


def of_scope(table, scope):
    return table[table["scope"] == scope].reset_index(drop=True)


def many(draws: xr.Dataset, n_draws: int) -> xr.Dataset:
    """One draw over and over: all that is left to vary is noise."""
    return draws.isel(chain=[0], draw=[0] * n_draws)


class Told:
    """A model that says what it is reported: noise of the first entity is made up by the second."""

    def expected(self, panel):
        return np.broadcast_to([[30.0], [70.0]], (400, 2, panel.sizes["date"]))

    def sample_kpi(self, panel, expected, *, seed, before=None):
        del before
        noise = np.random.default_rng(seed).normal(0, 10, (400, 1, panel.sizes["date"]))
        return expected + noise * [[[1.0], [-1.0]]]


def test_one_row_per_entity_and_coming_period_then_one_per_period_for_all():
    table = forecast(mmm_world(2), horizon=3)
    assert tuple(table.columns) == FORECAST_COLUMNS
    assert table["entity_id"].tolist() == ["market_0"] * 3 + ["market_1"] * 3 + ["all"] * 3
    assert table["scope"].tolist() == ["entity"] * 6 + ["all"] * 3
    assert table["periods_ahead"].tolist() == [1, 2, 3] * 3
    coming = pd.to_datetime(["2023-02-27", "2023-03-06", "2023-03-13"])
    assert table["period_start"].tolist() == list(coming) * 3
    assert table[KPI].notna().all(axis=None)


def test_all_of_one_entity_is_that_entity():
    table = forecast(mmm_world(1))
    one, everything = of_scope(table, "entity"), of_scope(table, "all")
    pd.testing.assert_frame_equal(one[KPI], everything[KPI])


def test_draws_are_summed_over_entities_before_quantiles_are_taken():
    world = mmm_world(2)
    table = forecast_kpi(Told(), world.panel, world.metadata, horizon=4, seed=1)
    np.testing.assert_allclose(of_scope(table, "all")[KPI], 100.0, rtol=1e-12)
    parts = of_scope(table, "entity").groupby("period_start")["kpi_p95"].sum()
    assert (parts > 125).all(), "the sum of quantiles is another number"


def test_a_constant_world_stays_as_it_is():
    rows = make_rows(2).drop(columns="ctrl_price").assign(act_tv=40.0, spend_tv=100.0)
    rows = rows.assign(spend_search=30.0, act_email=12.0, act_rival=8.0, sales=900.0)
    world = build_world(rows, make_spec(model=BARE))
    draws = prior_draws(world, n_draws=1).isel(chain=[0])
    draws["y_sigma"], draws["y_rho"] = 0 * draws["y_sigma"], 0 * draws["y_rho"]
    today = fitted_model(world, draws).expected(world.panel)[0, :, -1]
    table = forecast(world, draws)
    want = np.repeat([*today, today.sum()], 13)
    np.testing.assert_allclose(table[KPI], np.repeat(want[:, None], len(KPI), axis=1), rtol=1e-12)


def test_quantiles_are_those_of_the_noise():
    world = mmm_world(2)
    draws = many(prior_draws(world), 40_000)
    draws["y_rho"] = 0 * draws["y_rho"]
    table = forecast(world, draws, horizon=2)
    scale = world.inputs.scales["kpi_scale"].to_numpy()
    sd = draws["y_sigma"].to_numpy()[0, 0] * scale
    for row in table.itertuples():
        index = {"market_0": 0, "market_1": 1}.get(row.entity_id)
        width = np.sqrt((sd**2).sum()) if index is None else sd[index]
        assert row.kpi_mean == pytest.approx(row.expected_mean, abs=0.03 * width)
        for name, share in QUANTILES.items():
            want = row.expected_mean + width * stats.norm.ppf(share)
            assert getattr(row, name) == pytest.approx(want, abs=0.05 * width)


def test_one_wild_draw_does_not_move_the_mean_of_a_heavy_tailed_logarithm():
    world = log_world()
    draws = many(prior_draws(world), 2000)
    draws["nu"] = 0 * draws["nu"] + 1.0
    row = of_scope(forecast(world, draws, horizon=1), "entity").iloc[0]
    sampled = fitted_model(world, draws).sample_kpi(
        world.panel, fitted_model(world, draws).expected(world.panel), seed=3
    )
    assert sampled.mean() > 1e6 * row["kpi_mean"], "such a draw is among them"
    assert row["kpi_p25"] < row["kpi_mean"] < row["kpi_p75"]
    assert row["kpi_p50"] == pytest.approx(row["expected_mean"], rel=0.02)


def test_carryover_of_the_last_observed_period_is_in_the_first_coming_one():
    spec = make_spec(
        channels=[TV],
        controls=[],
        model=BARE | {"adstock": {"l_max": 2}, "saturation": {"kind": "none"}},
    )
    rows = make_rows(1)
    rows.loc[rows.index[-2:], ["act_tv", "spend_tv"]] = [[0.0, 0.0], [90.0, 225.0]]
    world = build_world(rows, spec)
    draws = prior_draws(world, n_draws=1).isel(chain=[0])
    alpha, beta = (float(draws[n].squeeze()) for n in ("adstock_alpha", "saturation_beta"))
    level = float(draws["intercept_contribution"].squeeze())
    kpi_scale, media_scale = (
        world.inputs.scales[name].item() for name in ("kpi_scale", "media_scale")
    )
    # Weights of two lags are 1 / (1 + alpha) and alpha / (1 + alpha); coming media are 0, 90.
    burst = beta * 90.0 / media_scale / (1 + alpha)
    assert alpha * burst > 0.02
    want = [(level + alpha * burst) * kpi_scale, (level + burst) * kpi_scale]
    got = of_scope(forecast(world, draws, horizon=2), "entity")["expected_mean"]
    np.testing.assert_allclose(got, want, rtol=1e-12)


@pytest.mark.parametrize("make", [partial(mmm_world, 2), partial(log_world, 2)], ids=["mmm", "log"])
def test_a_forecast_is_what_the_model_says_once_its_assumption_has_come_true(make):
    world = make()
    table = of_scope(forecast(world, horizon=6), "entity")
    later = extend_panel(world.panel, Grain.WEEK, 6, like_last=6)
    names = {"act_tv": ("media", 0), "spend_search": ("media", 1), "act_email": ("media", 2)}
    names |= {"act_rival": ("media", 3), "ctrl_price": ("controls", 0)}
    frame = later[["kpi"]].to_dataframe().reset_index().assign(sales=1.0, spend_tv=0.0)
    frame = frame.rename(columns={"entity": "entity_id", "date": "period_start"})
    for column, (block, index) in names.items():
        frame[column] = later[block].to_numpy()[:, index].ravel()
    happened = build_panel(frame, world.metadata)
    want = fitted_model(world).expected(happened)[..., -6:].mean(axis=0).ravel()
    np.testing.assert_allclose(table["expected_mean"], want, rtol=1e-12)


@pytest.mark.parametrize("make", [partial(mmm_world, 2), partial(log_world, 2)], ids=["mmm", "log"])
def test_a_forecast_never_reads_what_came_after_its_panel(make):
    world = make()
    columns = ["media", "spend", "controls", "kpi"]
    changed = world.panel.copy(deep=True)
    for name in columns:
        changed[name][..., 45:] = 7.0 + 3 * changed[name][..., 45:]
    model = fitted_model(world)
    one, other = (
        forecast_kpi(model, panel.isel(date=slice(45)), world.metadata, horizon=8, seed=1)
        for panel in (world.panel, changed)
    )
    pd.testing.assert_frame_equal(one, other)
    whole = forecast_kpi(model, changed, world.metadata, horizon=8, seed=1)
    assert not np.allclose(whole["expected_mean"], one["expected_mean"])


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_the_model_forecasts_two_years(form):
    world = FORMS[form]()
    if world.spec.model.holidays:
        assert any(event.known_until for event in world.metadata.events)
    table = forecast(world, draw_prior(world.panel, world.inputs, 20, seed=1), horizon=104)
    assert np.isfinite(table[KPI]).all(axis=None)
    still_open = int(observed_of(world.panel)[:, -1].sum())
    assert len(table) == 104 * (still_open + 1)
    assert (np.diff(table[list(QUANTILES)], axis=1) >= 0).all()


def quiet_world(**model):
    """Media that do not change, so that only time moves the KPI; 60 weeks."""
    rows = make_rows(1).assign(act_tv=40.0, spend_tv=100.0)
    return build_world(rows, make_spec(channels=[TV], controls=[], model=BARE | model))


def expected_of(world, draws, horizon):
    return of_scope(forecast(world, draws, horizon=horizon), "entity")["expected_mean"].to_numpy()


def test_a_line_goes_on_as_it_was():
    world = quiet_world(trend=True)
    draws = prior_draws(world, n_draws=1)
    fitted = fitted_model(world, draws).expected(world.panel)[:, 0].mean(axis=0)
    steps = np.diff(expected_of(world, draws, 60))
    np.testing.assert_allclose(steps, fitted[-1] - fitted[-2], rtol=1e-9)
    assert abs(steps[0]) > 1e-3


def test_a_trend_with_bends_goes_on_along_its_last_piece():
    world = quiet_world(trend={"kind": "piecewise", "changepoints": 4})
    draws = prior_draws(world, n_draws=1)
    fitted = fitted_model(world, draws).expected(world.panel)[:, 0].mean(axis=0)
    assert fitted[-1] - fitted[-2] != pytest.approx(fitted[6] - fitted[5], rel=0.01)
    steps = np.diff(expected_of(world, draws, 60))
    np.testing.assert_allclose(steps, fitted[-1] - fitted[-2], rtol=1e-9)


@pytest.mark.parametrize(
    "model", [{"trend": "gp"}, {"time_varying_media": True}], ids=["trend", "media"]
)
def test_a_smooth_curve_is_back_at_its_average_two_length_scales_after_the_window(model):
    world = quiet_world(media_before=False, **model)
    draws = draw_prior(world.panel, world.inputs, 9, seed=5).isel(draw=[3])
    got = expected_of(world, draws, 120)
    assert np.ptp(got[90:103]) > 0, "a length scale of 52 weeks: 104 to go"
    np.testing.assert_allclose(got[104:], got[-1], rtol=1e-9)
    fitted = fitted_model(world, draws)
    without = fitted.expected(world.panel)[0, 0]
    for component in fitted.components:
        if component.kind is ComponentKind.TREND:
            without = without - fitted.contribution(component, world.panel)[0, 0]
    assert without.min() - 1e-9 <= got[-1] <= without.max() + 1e-9


def test_recent_media_decide_and_what_is_older_than_carryover_and_horizon_does_not():
    world = mmm_world(1, model=BARE)
    doubled = world.panel.copy(deep=True)
    doubled["media"][..., -13:] *= 2
    model = fitted_model(world)
    one, other = (
        forecast_kpi(model, panel, world.metadata, horizon=13, seed=1)
        for panel in (world.panel, doubled)
    )
    assert not np.allclose(one["expected_mean"], other["expected_mean"])
    earlier = world.panel.copy(deep=True)
    earlier["media"][..., :-20] *= 2
    same = forecast_kpi(model, earlier, world.metadata, horizon=13, seed=1)
    pd.testing.assert_frame_equal(one, same)


def test_public_holidays_of_coming_weeks_count():
    world = quiet_world(holidays="US")
    draws = prior_draws(world, n_draws=1).isel(chain=[0])
    got = pd.Series(
        expected_of(world, draws, 52),
        index=pd.date_range("2023-02-27", periods=52, freq="7D"),
    )
    odd = got[~np.isclose(got, got.median())].index
    # Memorial Day; Independence Day; Labor Day; Thanksgiving and Christmas among others.
    for week in ("2023-05-29", "2023-07-03", "2023-09-04", "2023-11-20", "2023-12-25"):
        assert pd.Timestamp(week) in odd
    assert pd.Timestamp("2023-08-07") not in odd


@pytest.mark.parametrize(("known_until", "n_periods"), [("2023-03-19", 3), ("2023-02-27", 0)])
def test_a_forecast_ends_where_holidays_are_not_known_any_more(known_until, n_periods):
    world = quiet_world(holidays="US")
    metadata = world.metadata
    until = date.fromisoformat(known_until)
    event = metadata.events[0].model_copy(update={"known_until": until})
    metadata = metadata.model_copy(update={"events": [event]})
    table = forecast_kpi(fitted_model(world), world.panel, metadata, horizon=13, seed=1)
    assert table["periods_ahead"].tolist() == [*range(1, n_periods + 1)] * 2


def test_months_go_on_as_months():
    rows = make_rows(1).assign(period_start=pd.date_range("2019-01-01", periods=60, freq="MS"))
    world = build_world(rows, make_spec(), grain=Grain.MONTH)
    table = of_scope(forecast(world, horizon=4), "entity")
    want = pd.date_range("2024-01-01", periods=4, freq="MS")
    assert table["period_start"].tolist() == list(want)


def test_the_same_seed_gives_the_same_forecast_and_another_seed_other_noise():
    world = mmm_world(1)
    one, same, other = (forecast(world, seed=seed) for seed in (1, 1, 2))
    pd.testing.assert_frame_equal(one, same)
    np.testing.assert_array_equal(one["expected_mean"], other["expected_mean"])
    assert not np.allclose(one["kpi_p50"], other["kpi_p50"])
