"""The PyTensor graph of kind ``mmm`` against the NumPy evaluation of its draws."""

import numpy as np
import pymc as pm
import pytest
from scipy import stats
from support.graphs import FAST, evaluate_graph, random_points
from support.worlds import mmm_world

from tasks.models.mmm.fitted import MmmFitted
from tasks.models.mmm.geometry import Estimates, centering, pooled_normal
from tasks.models.mmm.graph import build_graph

WORLDS = {
    "one-entity": lambda: mmm_world(carryover_months=2),
    "three-entities": lambda: mmm_world(3, carryover_months=2),
    "delayed-tanh": lambda: mmm_world(2, "delayed", "tanh"),
    "weibull-michaelis-menten": lambda: mmm_world(1, "weibull_pdf", "michaelis_menten"),
    "weibull-logistic": lambda: mmm_world(1, "weibull_cdf", "logistic"),
    "plain": lambda: mmm_world(
        2, "none", "none", controls=[], model={"trend": False, "yearly_seasonality": 0}
    ),
}


@pytest.fixture(scope="module", params=list(WORLDS))
def case(request):
    world = WORLDS[request.param]()
    model = build_graph(world.panel, world.inputs)
    draws, mu = evaluate_graph(model)
    return world, model, draws, mu


def in_kpi_units(world, mu):
    return mu * world.inputs.scales["kpi_scale"].to_numpy()[:, None]


def test_expected_kpi_is_the_graphs_own_mean(case):
    world, _, draws, mu = case
    got = MmmFitted(draws, world.inputs).expected(world.panel)[..., world.window]
    np.testing.assert_allclose(got, in_kpi_units(world, mu), rtol=1e-11)


def test_share_is_mean_contribution_over_mean_kpi(case):
    world, _, draws, _ = case
    model = MmmFitted(draws, world.inputs)
    mean_kpi = world.panel["kpi"].to_numpy()[:, world.window].mean(axis=-1)
    for component in model.components[:4]:
        contribution = model.contribution(component, world.panel)[..., world.window].mean(axis=-1)
        log_share = draws["log_share"].sel(channel=component.name).to_numpy()[0]
        share = np.broadcast_to(np.exp(log_share).reshape(4, -1), contribution.shape).copy()
        off = world.panel["media"].sel(channel=component.name).sum("date").to_numpy() == 0
        share[:, off] = 0.0
        sign = -1 if component.name == "rival" else 1
        np.testing.assert_allclose(contribution / mean_kpi, sign * share, rtol=1e-9)


def test_log_density_and_gradient_are_finite_away_from_the_start(case):
    _, model, _, _ = case
    log_density = model.compile_logp(mode=FAST)
    gradient = model.compile_dlogp(mode=FAST)
    for point in random_points(model, n_points=2, seed=5, jitter=1.0):
        assert np.isfinite(log_density(point))
        assert np.isfinite(gradient(point)).all()


def test_log_density_is_the_priors_and_the_normal_likelihood():
    world = mmm_world(1, "none", "none", controls=[], model={"yearly_seasonality": 0})
    model = build_graph(world.panel, world.inputs)
    draws, mu = evaluate_graph(model, n_points=1)
    fitted = MmmFitted(draws, world.inputs)
    scale = float(world.inputs.scales["kpi_scale"][0])
    point = random_points(model, n_points=1, seed=0)[0]
    got = model.compile_logp(vars=[model["y"]], mode=FAST)(point)
    # In KPI units every observation is wider by the scale.
    density = fitted.log_likelihood(world.panel, fitted.expected(world.panel))
    by_hand = density.sum() + mu.size * np.log(scale)
    assert got == pytest.approx(by_hand, rel=1e-10)


def test_published_names_and_dims():
    world = mmm_world(3)
    model = build_graph(world.panel, world.inputs)
    dims = model.named_vars_to_dims
    assert dims["saturation_beta"] == ("entity", "channel")
    assert dims["intercept_contribution"] == ("entity",)
    assert dims["gamma_linear"] == ("entity", "term")
    assert dims["log_share"] == ("channel", "entity")
    assert dims["adstock_alpha"] == ("channel",)
    assert dims["y_sigma"] == ("entity",)


@pytest.mark.parametrize("weight", [0.0, 0.5, 1.0], ids=["non-centered", "half", "centered"])
def test_centering_never_changes_the_prior(weight):
    # x = mean + spread^(1-w) (z - w mean); log p(z) = log Normal(x) + (1-w) log spread
    mean, spread, n = -2.0, 0.3, 5
    rng = np.random.default_rng(2)
    z = rng.normal(size=(1, n))
    weights = np.full((1, n), weight)
    with pm.Model(coords={"a": [0], "b": range(n)}) as model:
        pooled_normal("x", mean=mean, spread=np.array([[spread]]), weight=weights, dims=("a", "b"))
    log_z = model.compile_logp(mode=FAST)({"x_z": z})
    x = model["x"].eval({model["x_z"]: z}, mode=FAST)
    by_hand = stats.norm.logpdf(x, mean, spread) + (1 - weight) * np.log(spread)
    assert log_z == pytest.approx(by_hand.sum(), rel=1e-12)


def test_centering_weighs_what_an_entity_knows():
    estimates = Estimates(
        values=np.array([[1.0, 1.4, 0.6, 0.0]]), errors=np.array([[0.01, 0.3, 3.0, np.inf]])
    )
    weight = centering(estimates, 0.3)[0]
    assert weight[0] > 0.95
    assert weight[0] > weight[1] > weight[2] > weight[3]
    assert weight[3] == 0.0
