"""Response curves in the steady state, and share and ROAS as quantiles of the same draws."""

import json

import numpy as np
import pytest
import xarray as xr
from support.worlds import fitted_model, log_world, mmm_world, prior_draws

from schemas.names import ComponentKind
from tasks.attribute.curves import measure_channels, measure_curves, thin_tree
from tasks.attribute.roas import measure_roas
from tasks.mmm.draws import stack_samples
from tasks.models.contract import Component


@pytest.fixture(scope="module")
def world():
    return mmm_world(2, "geometric", "michaelis_menten", carryover_months=1)


def test_a_curve_is_the_saturation_of_a_constant_input(world):
    """Independent route: weights add up to one, so a constant input is its own carryover."""
    draws = prior_draws(world)
    curve = measure_curves(fitted_model(world, draws), world.panel, world.metadata)["search"]
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
    curves = measure_curves(fitted_model(world), world.panel, world.metadata)
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
    assert "email" not in measure_curves(fitted_model(world), silent, world.metadata)


def test_a_model_that_is_not_additive_has_no_curves():
    world = log_world(2)
    assert measure_curves(fitted_model(world), world.panel, world.metadata) == {}


def test_quantiles_are_those_of_the_contributions(world):
    draws = prior_draws(world, n_draws=50)
    model = fitted_model(world, draws)
    rows = measure_channels(model, world.panel, world.metadata)
    tv = Component("tv", ComponentKind.CHANNEL)
    share = model.contribution(tv, world.panel)[:, :, world.window]
    share = share.sum(axis=(1, 2)) / float(world.panel["kpi"].values[:, world.window].sum())
    assert rows["tv"]["share_median"] == pytest.approx(np.median(share))
    assert rows["tv"]["share_low_90"] == pytest.approx(np.quantile(share, 0.05))
    returns = measure_roas(model, world.panel, world.window, world.metadata, [])
    assert rows["tv"]["roas_low_90"] < returns["tv"]["roas_mean"] < rows["tv"]["roas_high_90"]
    assert rows["email"]["roas_median"] is None


def test_thinning_keeps_every_chain():
    draws = xr.Dataset({"a": (("chain", "draw"), np.arange(4000.0).reshape(2, 2000))})
    tree = thin_tree(xr.DataTree.from_dict({"posterior": draws}))
    assert dict(tree["posterior"].sizes) == {"chain": 2, "draw": 250}
    assert dict(thin_tree(tree)["posterior"].sizes) == {"chain": 2, "draw": 250}
