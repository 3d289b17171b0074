"""The PyTensor graph of kind ``mmm`` against the NumPy evaluation of its draws."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats
from support.forms import FORMS
from support.graphs import FAST, evaluate_graph, flat_points, random_points
from support.worlds import mmm_world

from tasks.models.mmm.constants import fit_constants
from tasks.models.mmm.derive import publish_points
from tasks.models.mmm.fitted import MmmFitted
from tasks.models.mmm.geometry import Estimates, centering
from tasks.models.mmm.graph import build_graph, graph_of
from tasks.models.mmm.parameters import PooledParameter, contrasts

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


SOON = {"one-entity", "three-entities", "plain"}
"""Compiling a graph takes seconds, so the rest is slow; each curve by itself is not."""


@pytest.fixture(
    scope="module",
    params=[pytest.param(name, marks=[] if name in SOON else pytest.mark.slow) for name in WORLDS],
)
def case(request):
    world = WORLDS[request.param]()
    model = build_graph(world.panel, world.inputs)
    draws, mu = evaluate_graph(model)
    return world, model, draws, mu


def in_kpi_units(world, mu):
    return mu * world.inputs.scales["kpi_scale"].to_numpy()[:, None]


def given_the_past(world, draws):
    """Expected KPI of fitted periods given the one before, as AR(1) noise has it, by hand."""
    expected = MmmFitted(draws, world.inputs).expected(world.panel)[..., world.window]
    residual = world.panel["kpi"].to_numpy()[:, world.window] - expected
    rho = draws["y_rho"].to_numpy()[0][..., None]
    expected[..., 1:] += rho * residual[..., :-1]
    return expected


def test_expected_kpi_is_the_graphs_own_mean(case):
    world, _, draws, mu = case
    np.testing.assert_allclose(given_the_past(world, draws), in_kpi_units(world, mu), rtol=1e-11)


def test_without_memory_the_past_does_not_count():
    world = mmm_world(2, model={"autocorrelated_noise": False})
    draws, mu = evaluate_graph(build_graph(world.panel, world.inputs))
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
    both = model.logp_dlogp_function(ravel_inputs=True, mode=FAST)
    both.set_extra_values({})
    for point in flat_points(model, n_points=2, seed=5, jitter=1.0):
        log_density, gradient = both(point)
        assert np.isfinite(log_density)
        assert np.isfinite(gradient).all()


def test_log_density_is_the_priors_and_the_normal_likelihood():
    world = mmm_world(
        1, "none", "none", controls=[], carryover_months=2, model={"yearly_seasonality": 0}
    )
    model = build_graph(world.panel, world.inputs)
    draws, mu = evaluate_graph(model, n_points=1)
    fitted = MmmFitted(draws, world.inputs)
    scale = float(world.inputs.scales["kpi_scale"][0])
    point = random_points(model, n_points=1, seed=0)[0]
    got = model.compile_logp(vars=[model["y"]], mode=FAST)(point)
    # In KPI units every observation is wider by the scale.
    density = fitted.log_likelihood(world.panel, fitted.expected(world.panel))[..., world.window]
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


RICHER = [
    "mixed-entities",
    "saturated-first",
    "saturated-first-entities",
    "signed",
    "signed-entities",
    "student-t-entities",
    "time-varying",
    "time-varying-entities",
    "coefficient-entities",
    "lift-window",
    "rich-entities",
]


@pytest.fixture(scope="module", params=RICHER)
def richer_case(request):
    world = FORMS[request.param]()
    model = build_graph(world.panel, world.inputs)
    draws, mu = evaluate_graph(model)
    return world, model, draws, mu


def test_expected_kpi_of_richer_forms_is_the_graphs_own_mean(richer_case):
    world, _, draws, mu = richer_case
    np.testing.assert_allclose(given_the_past(world, draws), in_kpi_units(world, mu), rtol=1e-10)


def require_published_like_the_graph(world, model, draws):
    """Every variable that the kernel's points are turned into is the graph's at the same point."""
    points = flat_points(model, n_points=4, seed=0)
    constants = fit_constants(world.panel, world.inputs)
    published = publish_points(points[None], constants)
    scratch = {e.z_name for e in constants.table.entries if isinstance(e, PooledParameter)}
    assert set(published.data_vars) == set(draws.data_vars) - scratch
    for name, variable in published.data_vars.items():
        assert variable.dims == draws[name].dims, name
        for dim in variable.dims[2:]:
            np.testing.assert_array_equal(variable[dim].astype(str), draws[name][dim].astype(str))
        np.testing.assert_allclose(variable, draws[name], rtol=1e-9, atol=1e-12, err_msg=str(name))


def test_published_draws_are_the_graphs_variables(case):
    world, model, draws, _ = case
    require_published_like_the_graph(world, model, draws)


def test_published_draws_of_richer_forms_are_the_graphs_variables(richer_case):
    world, model, draws, _ = richer_case
    require_published_like_the_graph(world, model, draws)


def weighted(constants, weight):
    """The same posterior, every pooled parameter centered with this weight."""
    entries = tuple(
        replace(entry, weight=np.full_like(entry.weight, weight))
        if isinstance(entry, PooledParameter)
        else entry
        for entry in constants.table.entries
    )
    return replace(constants, table=replace(constants.table, entries=entries))


@pytest.mark.parametrize("weight", [0.0, 0.5, 1.0], ids=["non-centered", "half", "centered"])
def test_centering_never_changes_the_prior(weight):
    # x = spread^(1-w) z; log p(z) = log Normal(x; 0, spread) + (1-w) log spread, per contrast
    world = mmm_world(3, model={"share_spread": 1.0})
    model = graph_of(weighted(fit_constants(world.panel, world.inputs), weight))
    draws, _ = evaluate_graph(model, n_points=1)
    at = draws.isel(chain=0, draw=0)
    log_density = model.compile_logp(vars=[model["log_share_z"]], mode=FAST)
    log_z = log_density(random_points(model, n_points=1, seed=0)[0])
    spread = at["log_share_spread"].to_numpy()[:, None]
    x = (at["log_share"] - at["log_share_mean"]).to_numpy() @ contrasts(3)
    by_hand = stats.norm.logpdf(x, 0, spread) + (1 - weight) * np.log(spread)
    assert log_z == pytest.approx(by_hand.sum(), rel=1e-10)


def test_centering_weighs_what_entities_know():
    # Variance of 1, 1.4, 0.6 is 0.16; less errors of 0.3 squared it is 0.07, of 0.16 in all.
    errors = np.array([0.01, 0.3, 3.0, np.inf])
    estimates = Estimates(
        values=np.tile([1.0, 1.4, 0.6], (4, 1)), errors=np.tile(errors[:, None], (1, 3))
    )
    weight = centering(estimates, 0.3)
    assert weight[0] > 0.95
    assert weight[1] == pytest.approx(np.sqrt(0.07 / 0.16))
    assert weight[0] > weight[1] > weight[2] > weight[3]
    assert weight[3] == 0.0


def test_an_entity_that_knows_nothing_does_not_count_for_centering():
    known = Estimates(values=np.array([[1.0, 1.4, 0.6]]), errors=np.full((1, 3), 0.3))
    padded = Estimates(*(np.pad(a, ((0, 0), (0, 1)), constant_values=np.inf) for a in known))
    np.testing.assert_allclose(centering(padded, 0.3), centering(known, 0.3), rtol=1e-12)
