"""The published pymc-marketing model against our own evaluation of the same draws."""

import logging

import numpy as np
import pymc as pm
import pytest
from pymc_marketing.mmm import MMM
from support.graphs import FAST
from support.worlds import CHANNELS, fitted_model, mmm_world

from schemas.names import Artifact
from tasks.mathematics.panel import IS_ESTIMATION
from tasks.models.lookback import longest_carryover
from tasks.models.mmm.prior_draws import draw_prior
from tasks.models.mmm.stock import publish_stock
from tasks.models.mmm.stock_form import stock_obstacle
from tasks.models.registry import find_kind

PLAIN = {"trend": False, "yearly_seasonality": 0}


def shapes_world(n_entities=1, *, model=None, **by_channel):
    """World whose channels named in ``by_channel`` have shapes of their own."""
    channels = [c | by_channel.get(c["name"], {}) for c in CHANNELS]
    return mmm_world(n_entities, channels=channels, model=model or PLAIN)


def no_carryover_world(kind, saturation="hill"):
    """Three channels with carryover, one without, and a rival that is linear."""
    model = PLAIN | {"adstock": {"kind": kind, "l_max": 4}, "saturation": {"kind": saturation}}
    return shapes_world(model=model, email={"adstock": {"kind": "none"}})


RICH = {
    "trend": {"kind": "piecewise", "changepoints": 2},
    "events": [{"name": "sale", "start": "2022-03-07", "end": "2022-03-18"}],
    "likelihood": "student_t",
}
WORLDS = {
    "panel-hill": lambda: mmm_world(3, carryover_months=2),
    "nothing-before": lambda: mmm_world(2, model={"media_before": False}),
    "saturation-first-nothing-before": lambda: mmm_world(
        1, model={"saturation": {"kind": "hill", "before_adstock": True}, "media_before": False}
    ),
    "panel-weibull-tanh": lambda: mmm_world(3, "weibull_pdf", "tanh", carryover_months=2),
    "delayed-michaelis-menten": lambda: mmm_world(1, "delayed", "michaelis_menten"),
    "plain": lambda: mmm_world(1, "none", "none", controls=[], model=PLAIN),
    "binomial-root": lambda: mmm_world(1, "binomial", "root"),
    "panel-binomial-root": lambda: mmm_world(3, "binomial", "root", model=PLAIN),
    "rich": lambda: mmm_world(1, model=RICH),
    "panel-rich": lambda: mmm_world(
        3, model=RICH, controls=[{"name": "ctrl_price", "sign": "negative"}]
    ),
    "smooth-trend": lambda: mmm_world(1, model={"trend": {"kind": "gp", "basis": 3}}),
    "saturation-first": lambda: mmm_world(
        3, model={"saturation": {"kind": "logistic", "before_adstock": True}}
    ),
    "no-carryover-beside-geometric": lambda: no_carryover_world("geometric", "logistic"),
    "no-carryover-beside-delayed": lambda: no_carryover_world("delayed", "tanh"),
    "no-carryover-beside-weibull-pdf": lambda: no_carryover_world("weibull_pdf"),
    "no-carryover-beside-weibull-cdf": lambda: no_carryover_world("weibull_cdf"),
    "no-carryover-beside-binomial": lambda: no_carryover_world("binomial", "michaelis_menten"),
}


@pytest.fixture(scope="module", params=list(WORLDS))
def case(request):
    world = WORLDS[request.param]()
    draws = draw_prior(world.panel, world.inputs, 2, seed=0)
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


def first_alike(world):
    """Periods that a stock model starts with less carryover: it knows nothing of before them."""
    return longest_carryover(world.metadata) - 1 if world.metadata.media_before else 0


def test_its_contributions_are_ours(case):
    world, draws, stock = case
    model = fitted_model(world, draws)
    for component in model.components[:4]:
        got = stock["channel_contribution"].sel(channel=component.name).to_numpy()
        want = model.contribution(component, world.panel).reshape(got.shape)
        got, want = (values[..., first_alike(world) :] for values in (got, want))
        atol = 1e-9 * max(np.abs(want).max(), 1.0)
        np.testing.assert_allclose(got, want, rtol=1e-9, atol=atol)


def test_its_expected_kpi_is_ours(case):
    world, draws, stock = case
    got = stock["mu"].to_numpy()
    expected = fitted_model(world, draws).expected(world.panel).reshape(got.shape)
    got, expected = (values[..., first_alike(world) :] for values in (got, expected))
    np.testing.assert_allclose(got, expected, rtol=1e-9, atol=1e-9 * np.abs(expected).max())


OTHER = {
    "adstock": lambda: shapes_world(tv={"adstock": {"kind": "geometric", "l_max": 3}}),
    "saturation": lambda: shapes_world(tv={"saturation": {"kind": "tanh"}}),
    "before adstock": lambda: shapes_world(tv={"saturation": {"before_adstock": True}}),
    "over time": lambda: shapes_world(model=PLAIN | {"time_varying_media": True}),
}


@pytest.mark.parametrize("what", list(OTHER))
def test_what_it_cannot_hold_is_not_written_and_named(what, caplog):
    world = OTHER[what]()
    assert what in stock_obstacle(world.metadata)
    with caplog.at_level(logging.INFO):
        assert find_kind("mmm").extra_files(None, world.panel, world.inputs) == {}
    (record,) = caplog.records
    assert what in record.getMessage()
    assert f"{Artifact.PYMC_MARKETING} is not written" in record.getMessage()


def test_a_channel_that_is_a_line_and_has_no_carryover_is_no_obstacle():
    assert stock_obstacle(no_carryover_world("geometric").metadata) is None


def stock_contributions(model, panel):
    """Channel contributions of the stock graph over the fitted periods, in KPI units."""
    posterior = model.idata["posterior"].to_dataset()
    with model.model:
        computed = pm.compute_deterministics(
            posterior, var_names=["channel_contribution"], progressbar=False
        )
    window = panel["date"].values[panel[IS_ESTIMATION].values]
    return computed["channel_contribution"].sel(date=window) * model.scalers["_target"]


def test_the_stock_graph_has_the_contributions_of_the_fitted_periods():
    world = mmm_world(1, "none", "none", carryover_months=2)
    draws = draw_prior(world.panel, world.inputs, 2, seed=0)
    got = stock_contributions(publish_stock(draws, world.panel, world.inputs), world.panel)
    assert got.sizes["date"] == world.window.sum()
    model = fitted_model(world, draws)
    want = model.contribution(model.components[0], world.panel)[..., world.window]
    tv = got.sel(channel="tv").transpose("chain", "draw", "entity", "date").to_numpy()
    np.testing.assert_allclose(tv, want.reshape(tv.shape), rtol=1e-9)


def test_it_saves_and_loads(tmp_path):
    first = {"kind": "hill", "before_adstock": True}
    world = mmm_world(3, model=RICH | {"saturation": first})
    draws = draw_prior(world.panel, world.inputs, 2, seed=0)
    stock = publish_stock(draws, world.panel, world.inputs)
    path = tmp_path / "stock.nc"
    stock.save(str(path))
    loaded = MMM.load(str(path))
    before, after = (s.idata["posterior"].to_dataset() for s in (stock, loaded))
    for name, variable in before.data_vars.items():
        np.testing.assert_array_equal(after[name], variable, err_msg=str(name))
    assert loaded.adstock.l_max == 4
    assert not loaded.adstock_first
    assert "y_nu" in {variable.name for variable in loaded.model.free_RVs}
    assert loaded.channel_columns == ["tv", "search", "email", "rival"]
