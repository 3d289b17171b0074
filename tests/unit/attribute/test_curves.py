"""Response curves in the steady state, and what they say of the next money."""

import json

import numpy as np
import pytest
import xarray as xr
from support.worlds import (
    build_world,
    fitted_model,
    log_world,
    make_rows,
    make_spec,
    mmm_world,
    prior_draws,
)

from tasks.attribute.curves import measure_curves, thin
from tasks.mathematics.draws import stack_samples


def curves_of(world, draws=None, *, panel=None, target=1.0, horizon=1000):
    """Curves whose today is the whole fitted window, unless a horizon is given."""
    panel = world.panel if panel is None else panel
    model = fitted_model(world, draws)
    return measure_curves(model, panel, world.metadata, target_return=target, horizon=horizon)


@pytest.fixture(scope="module")
def world():
    return mmm_world(2, "geometric", "michaelis_menten", carryover_months=1)


def test_a_curve_is_the_saturation_of_a_constant_input(world):
    """Independent route: weights add up to one, so a constant input is its own carryover."""
    draws = prior_draws(world)
    curve = curves_of(world, draws)["search"]
    samples = stack_samples(draws).sel(channel="search")
    mean = world.panel.isel(date=world.window)["media"].sel(channel="search").mean("date")
    scales = world.inputs.scales
    by_hand = []
    for x in curve["x"]:
        scaled = mean * (x / curve["current"]) / scales["media_scale"].sel(channel="search")
        shape = scaled / (samples["saturation_lam"].sel(saturation_lam_channel="search") + scaled)
        lift = samples["saturation_beta"] * shape * scales["kpi_scale"]
        by_hand.append(float(lift.sum("entity").median()))
    np.testing.assert_allclose(curve["median"], by_hand, rtol=1e-9)


def test_axes_of_a_curve(world):
    curves = curves_of(world)
    window = world.panel.isel(date=world.window)
    spend = window["spend"].sel(channel="tv").sum("entity")
    tv = curves["tv"]
    assert (tv["unit"], curves["email"]["unit"]) == ("spend", "input")
    assert tv["current"] == pytest.approx(float(spend.mean()))
    assert (tv["observed_low"], tv["observed_high"]) == (float(spend.min()), float(spend.max()))
    assert tv["x"][-1] > tv["observed_high"]
    assert tv["median"][0] == 0
    assert (np.diff(tv["median"]) > 0).all()
    assert (np.array(tv["low_90"]) <= tv["high_90"]).all()
    assert (np.array(curves["rival"]["median"]) <= 0).all()
    json.dumps(curves, allow_nan=False)


def test_a_channel_without_input_has_no_curve(world):
    silent = world.panel.copy(deep=True)
    silent["media"].loc[{"channel": "email"}] = 0
    assert "email" not in curves_of(world, panel=silent)


def one_draw(world):
    return prior_draws(world, n_draws=1).isel(chain=[0])


def test_a_steady_input_fills_the_carryover_by_hand():
    """One draw, weights and Hill curve written out: nothing of the model's code but its draws."""
    world = mmm_world(1, "delayed", "hill", l_max=4, carryover_months=1)
    draws = one_draw(world)
    curve = curves_of(world, draws)["tv"]
    at = {"channel": 0, "entity": 0}
    flat = {str(k): v.to_numpy().ravel() for k, v in draws.isel(at, missing_dims="ignore").items()}
    slope, kappa = flat["saturation_slope"][0], flat["saturation_kappa"][0]
    mean = world.panel["media"].values[0, 0, world.window].mean()
    scaled = mean / float(world.inputs.scales["media_scale"][0, 0])
    by_hand = []
    for x in curve["x"]:
        level = (scaled * x / curve["current"]) ** slope
        by_hand.append(level / (level + kappa**slope))
    by_hand *= flat["saturation_beta"][0] * world.inputs.scales["kpi_scale"].to_numpy()
    np.testing.assert_allclose(curve["median"], by_hand, rtol=1e-9)
    np.testing.assert_allclose(curve["low_90"], curve["high_90"], rtol=1e-12)


@pytest.mark.parametrize("entities", [1, 2])
def test_a_model_that_multiplies_has_the_difference_that_a_channel_makes(entities):
    """Independent route: a long panel of constant media, with and without the channel."""
    world = log_world(entities)
    model, curve = fitted_model(world), curves_of(world)["search"]
    long = world.panel.copy(deep=True)
    mean = world.panel["media"].isel(date=world.window).mean("date")
    long["media"][:] = mean
    long["media"].loc[{"channel": "search"}] = 0
    without = model.expected(long)[:, :, -1].sum(axis=1)
    for x, median in list(zip(curve["x"], curve["median"], strict=True))[::10]:
        long["media"].loc[{"channel": "search"}] = mean.sel(channel="search") * x / curve["current"]
        added = model.expected(long)[:, :, -1].sum(axis=1) - without
        assert median == pytest.approx(np.median(added), rel=1e-9, abs=1e-9)


def test_a_history_shorter_than_the_carryover_is_filled_up():
    """Independent route: the mean of six periods, held through a panel of sixty."""
    world = mmm_world(1, "delayed", "michaelis_menten", l_max=13)
    short, long = world.panel.isel(date=slice(-6, None)), world.panel.copy(deep=True)
    curve = curves_of(world, panel=short)["tv"]
    long["media"][:] = short["media"].mean("date") * curve["x"][-1] / curve["current"]
    model = fitted_model(world)
    component = next(c for c in model.components if c.name == "tv")
    last = model.contribution(component, long)[:, 0, -1]
    assert curve["median"][-1] == pytest.approx(np.median(last), rel=1e-9)


@pytest.mark.parametrize("make", [mmm_world, log_world])
def test_curves_rise_from_zero_and_have_current_spend_as_a_point(make):
    world = make(2)
    for name, curve in curves_of(world).items():
        x, median = np.array(curve["x"]), np.array(curve["median"])
        assert (x[0], median[0]) == (0, 0)
        assert (np.diff(x) > 0).all()
        assert curve["current"] in curve["x"]
        sign = -1 if name == "rival" and make is mmm_world else 1
        assert (np.diff(sign * median) >= 0).all()


@pytest.mark.parametrize("make", [mmm_world, log_world])
def test_the_marginal_return_is_the_finite_difference(make):
    """Independent route: all entities 0.1 % up and down in a long panel of constant media."""
    world = make(2)
    model, got = fitted_model(world), curves_of(world)["tv"]
    mean = world.panel["media"].isel(date=world.window).mean("date")
    long = world.panel.copy(deep=True)
    ends = []
    for factor in (1.001, 0.999):
        long["media"][:] = mean
        long["media"].loc[{"channel": "tv"}] *= factor
        ends.append(model.expected(long)[:, :, -1].sum(axis=1))
    marginal = (ends[0] - ends[1]) / (0.002 * got["current"])
    assert got["mroas_mean"] == pytest.approx(marginal.mean(), rel=5e-3)
    assert got["mroas_low"] == pytest.approx(np.quantile(marginal, 0.05), rel=5e-3)
    assert got["mroas_high"] == pytest.approx(np.quantile(marginal, 0.95), rel=5e-3)


def test_breakeven_of_one_michaelis_menten_curve_in_closed_form():
    """``b x / (k + x)`` returns 1 for the next unit at ``sqrt(b k) - k``."""
    world = mmm_world(1, "geometric", "michaelis_menten", carryover_months=1)
    draws = one_draw(world)
    start = curves_of(world, draws)["search"]
    x, y = np.array(start["x"][1:]), np.array(start["median"][1:])
    inverse = np.polyfit(1 / x, 1 / y, 1)
    height, half = 1 / inverse[1], inverse[0] / inverse[1]
    target = height * half / (half + 1.5 * start["current"]) ** 2
    got = curves_of(world, draws, target=target)["search"]
    assert got["breakeven_where"] == "inside"
    assert got["breakeven"] == pytest.approx(1.5 * got["current"], rel=2e-3)
    assert got["headroom"] == pytest.approx(0.5 * got["current"], rel=6e-3)
    assert got["breakeven_low"] == got["breakeven"] == got["breakeven_high"]
    assert got["mroas_mean"] == pytest.approx(
        height * half / (half + got["current"]) ** 2, rel=1e-3
    )


def test_a_target_out_of_reach_is_below_and_one_that_is_always_met_is_beyond(world):
    never, always = (curves_of(world, target=target)["tv"] for target in (1e9, 1e-9))
    assert (never["breakeven_where"], never["breakeven"]) == ("below", 0)
    assert never["headroom"] == -never["current"]
    assert (always["breakeven_where"], always["breakeven"]) == ("beyond", None)
    assert always["headroom"] is always["breakeven_low"] is always["breakeven_high"] is None
    assert always["target_return"] == 1e-9


def test_channels_without_spend_have_no_economics():
    curves = curves_of(mmm_world(2))
    for name in ("email", "rival"):
        for key in ("mroas_mean", "target_return", "breakeven", "breakeven_where", "return_unit"):
            assert curves[name][key] is None
        assert all(e["mroas_mean"] is None for e in curves[name]["entities"].values())


def test_returns_are_money_where_the_kpi_has_a_value():
    plain = curves_of(mmm_world(2, kpi={"kind": "count"}))["tv"]
    valued = curves_of(mmm_world(2, kpi={"kind": "count", "value_per_unit": 4.0}))["tv"]
    assert (plain["return_unit"], valued["return_unit"]) == ("kpi", "money")
    assert valued["mroas_mean"] == pytest.approx(4 * plain["mroas_mean"], rel=1e-12)
    assert valued["median"] == plain["median"]


@pytest.mark.parametrize("make", [mmm_world, log_world])
def test_entities_add_up_to_the_channel_at_current_spend(make):
    world = make(3)
    for curve in curves_of(world, one_draw(world)).values():
        entities = curve["entities"].values()
        here = curve["x"].index(curve["current"])
        assert sum(e["current"] for e in entities) == pytest.approx(curve["current"], rel=1e-12)
        assert sum(e["median"][here] for e in entities) == pytest.approx(curve["median"][here])
        if curve["mroas_mean"] is not None:
            raised = sum(e["mroas_mean"] * e["current"] for e in entities)
            assert raised == pytest.approx(curve["mroas_mean"] * curve["current"])
        assert all(e["x"][here] == pytest.approx(e["current"]) for e in entities)


def test_an_entity_has_a_curve_where_it_has_the_channel():
    world = mmm_world(3)
    curves = curves_of(world)
    assert list(curves["tv"]["entities"]) == ["market_0", "market_1", "market_2"]
    assert list(curves["email"]["entities"]) == ["market_0", "market_1"]
    assert "entities" not in curves_of(mmm_world())["tv"]
    spend = world.panel["spend"].sel(channel="tv", entity="market_1")
    got = curves["tv"]["entities"]["market_1"]
    assert got["current"] == pytest.approx(float(spend.mean()))
    assert (got["observed_low"], got["observed_high"]) == (float(spend.min()), float(spend.max()))


def test_the_curve_of_an_entity_is_that_of_the_entity_alone():
    """Independent route: every other entity taken out of the panel."""
    world = mmm_world(2)
    together = curves_of(world)["tv"]["entities"]["market_1"]
    model, mean = fitted_model(world), world.panel["media"].mean("date")
    long = world.panel.copy(deep=True)
    long["media"][:] = 0
    factor = together["x"][-1] / together["current"]
    long["media"].loc[{"entity": "market_1"}] = factor * mean.sel(entity="market_1")
    component = next(c for c in model.components if c.name == "tv")
    last = model.contribution(component, long)[:, 1, -1]
    assert together["median"][-1] == pytest.approx(np.median(last), rel=1e-9)


def test_the_value_of_a_unit_weighs_entities():
    rows = make_rows(2)
    rows["value_per_unit"] = np.where(rows["entity_id"] == "market_0", 2.0, 5.0)
    kpi = {"kind": "count", "value_per_unit": "value_per_unit"}
    valued = curves_of(build_world(rows, make_spec(kpi=kpi)))["tv"]["entities"]
    plain = curves_of(build_world(rows, make_spec(kpi={"kind": "count"})))["tv"]["entities"]
    for name, worth in (("market_0", 2), ("market_1", 5)):
        want = worth * plain[name]["mroas_mean"]
        assert valued[name]["mroas_mean"] == pytest.approx(want, rel=1e-12)


def test_thinning_keeps_every_chain():
    draws = xr.Dataset({"a": (("chain", "draw"), np.arange(4000.0).reshape(2, 2000))})
    thinned = thin(draws)
    assert dict(thinned.sizes) == {"chain": 2, "draw": 250}
    assert dict(thin(thinned).sizes) == {"chain": 2, "draw": 250}


def test_today_is_the_last_horizon(world):
    """Independent route: the same curve of a panel in which the last horizon is all there is."""
    draws = one_draw(world)
    got = curves_of(world, draws, horizon=5)["tv"]
    spend = world.panel.isel(date=world.window)["spend"].sel(channel="tv").sum("entity")
    assert got["current"] == pytest.approx(float(spend[-5:].mean()))
    assert got["observed_high"] == float(spend.max())
    at = got["x"].index(got["current"])
    model = fitted_model(world, draws)
    long = world.panel.copy(deep=True)
    long["media"][:] = world.panel["media"].isel(date=slice(-5, None)).mean("date")
    component = next(c for c in model.components if c.name == "tv")
    last = model.contribution(component, long)[:, :, -1].sum(axis=1)
    assert got["median"][at] == pytest.approx(float(last[0]), rel=1e-9)


def test_a_channel_that_rests_today_has_a_curve_and_no_next_unit(world):
    silent = world.panel.copy(deep=True)
    silent["media"].loc[{"channel": "tv", "date": silent["date"][-5:]}] = 0
    silent["spend"].loc[{"channel": "tv", "date": silent["date"][-5:]}] = 0
    got = curves_of(world, panel=silent, horizon=5)["tv"]
    assert (got["current"], got["mroas_mean"]) == (0.0, None)
    assert got["headroom"] == got["breakeven"]
    assert got["median"][-1] > 0
    json.dumps(got, allow_nan=False)


def test_the_wider_band_is_the_highest_density_interval(world):
    got = curves_of(world)["search"]
    assert (np.array(got["low_94"]) <= got["median"]).all()
    assert (np.array(got["high_94"]) >= got["median"]).all()
