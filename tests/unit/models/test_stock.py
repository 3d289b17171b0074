"""The published pymc-marketing model against our own evaluation of the same draws."""

import numpy as np
import pymc as pm
import pytest
from pymc_marketing.mmm import MMM
from support.graphs import FAST
from support.worlds import fitted_model, mmm_world, prior_draws

from tasks.models.mmm.stock import estimation_contributions, publish_stock

WORLDS = {
    "panel-hill": lambda: mmm_world(2, carryover_months=2),
    "panel-weibull-tanh": lambda: mmm_world(2, "weibull_pdf", "tanh", carryover_months=2),
    "delayed-michaelis-menten": lambda: mmm_world(1, "delayed", "michaelis_menten"),
    "plain": lambda: mmm_world(
        1, "none", "none", controls=[], model={"trend": False, "yearly_seasonality": 0}
    ),
}


@pytest.fixture(scope="module", params=list(WORLDS))
def case(request):
    world = WORLDS[request.param]()
    draws = prior_draws(world, n_draws=2)
    return world, draws, evaluate_stock(publish_stock(draws, world.panel, world.inputs))


def evaluate_stock(stock):
    """Contributions and expected KPI of the stock graph, in KPI units."""
    with stock.model:
        computed = pm.compute_deterministics(
            stock.idata["posterior"].to_dataset(),
            var_names=["channel_contribution", "mu"],
            progressbar=False,
            compile_kwargs={"mode": FAST},
        )
    scaled = computed * stock.scalers["_target"]
    return scaled.transpose("chain", "draw", "entity", "date", ...)


def test_its_contributions_are_ours(case):
    world, draws, stock = case
    model = fitted_model(world, draws)
    for component in model.components[:4]:
        got = stock["channel_contribution"].sel(channel=component.name).to_numpy()
        want = model.contribution(component, world.panel).reshape(got.shape)
        np.testing.assert_allclose(got, want, rtol=1e-9, atol=1e-9)


def test_its_expected_kpi_is_ours(case):
    world, draws, stock = case
    got = stock["mu"].to_numpy()
    expected = fitted_model(world, draws).expected(world.panel).reshape(got.shape)
    np.testing.assert_allclose(got, expected, rtol=1e-9)


def test_estimation_contributions_leave_the_carryover_window_out():
    world = mmm_world(1, "none", "none", carryover_months=2)
    draws = prior_draws(world, n_draws=2)
    got = estimation_contributions(publish_stock(draws, world.panel, world.inputs), world.panel)
    assert got.sizes["date"] == world.window.sum()
    model = fitted_model(world, draws)
    want = model.contribution(model.components[0], world.panel)[..., world.window]
    tv = got.sel(channel="tv").transpose("chain", "draw", "entity", "date").to_numpy()
    np.testing.assert_allclose(tv, want.reshape(tv.shape), rtol=1e-9)


def test_it_saves_and_loads(tmp_path):
    world = mmm_world(2)
    draws = prior_draws(world, n_draws=2)
    stock = publish_stock(draws, world.panel, world.inputs)
    path = tmp_path / "stock.nc"
    stock.save(str(path))
    loaded = MMM.load(str(path))
    before, after = (s.idata["posterior"].to_dataset() for s in (stock, loaded))
    for name, variable in before.data_vars.items():
        np.testing.assert_array_equal(after[name], variable, err_msg=str(name))
    assert loaded.adstock.l_max == 4
    assert loaded.channel_columns == ["tv", "search", "email", "rival"]
