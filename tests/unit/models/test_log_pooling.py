"""Pooling of entities in kind ``log_student_t``: complete unless the spec says otherwise."""

import numpy as np
import pytest
from scipy import stats
from support.graphs import FAST, evaluate_graph, random_points
from support.worlds import log_world

from flows.web.drafts import long_form
from schemas.spec.errors import parse_run_spec
from tasks.models.log_student_t.fitted import LogStudentTFitted
from tasks.models.log_student_t.graph import build_graph
from tasks.models.registry import kind_of

EVERY = ["complete", "partial", "none"]


@pytest.fixture(scope="module", params=EVERY)
def pooled(request):
    """World of three markets and its graph."""
    world = log_world(3, model={"pooling": request.param})
    return world, build_graph(world.panel, world.inputs)


def test_entities_share_everything_unless_the_spec_says_otherwise():
    silent, stated = log_world(3), log_world(3, model={"pooling": "complete"})
    assert silent.metadata == stated.metadata
    assert silent.metadata.pooling is None


@pytest.mark.parametrize("pooling", EVERY)
def test_the_form_writes_a_spec_that_is_read_as_it_was_meant(pooling):
    raw = {"dataset_id": "d", "model": {"kind": "log_student_t", "pooling": pooling}}
    assert parse_run_spec(long_form(parse_run_spec(raw))).model.pooling == pooling


def test_a_single_entity_has_nothing_to_be_pooled_with():
    alone = log_world(1, model={"pooling": "none"})
    graph = build_graph(alone.panel, alone.inputs)
    assert graph.named_vars_to_dims["beta"] == ("channel",)


def test_expected_kpi_is_the_graphs_own_mean(pooled):
    world, graph = pooled
    draws, mu = evaluate_graph(graph)
    got = LogStudentTFitted(draws, world.inputs).expected(world.panel)
    np.testing.assert_allclose(np.log1p(got), mu, rtol=1e-10)


def test_log_likelihood_is_the_graphs_own(pooled):
    world, graph = pooled
    draws, _ = evaluate_graph(graph, n_points=1)
    point = random_points(graph, n_points=1, seed=0)[0]
    fitted = LogStudentTFitted(draws, world.inputs)
    # The graph's density is of log(y + 1), the contract's of y.
    by_hand = fitted.log_likelihood(world.panel, fitted.expected(world.panel)).sum()
    by_hand += np.log1p(world.panel["kpi"].to_numpy()).sum()
    assert graph.compile_logp(vars=[graph["y"]], mode=FAST)(point) == pytest.approx(by_hand)


def test_parameters_are_counted_as_they_are_pooled(pooled):
    world, graph = pooled
    n_free = sum(np.size(value) for value in graph.initial_point().values())
    assert kind_of(world.metadata).count_parameters(world.metadata) == n_free


def test_the_gradient_of_media_is_that_of_differences(pooled):
    world, graph = pooled
    model = LogStudentTFitted(evaluate_graph(graph, n_points=2)[0], world.inputs)
    weights = np.ones((2, *world.panel["kpi"].shape))
    gradient = model.media_gradient(world.panel, weights, ["tv"])[1, 0]
    step = 1e-3 * float(world.panel["media"].sel(channel="tv").max())
    for period in (20, 41):
        up, down = world.panel.copy(deep=True), world.panel.copy(deep=True)
        up["media"][{"entity": 1, "channel": 0, "date": period}] += step
        down["media"][{"entity": 1, "channel": 0, "date": period}] -= step
        change = (model.expected(up) - model.expected(down)).sum() / (2 * step)
        assert gradient[period] == pytest.approx(change, rel=1e-3)


def test_without_pooling_nothing_of_one_entity_speaks_for_another():
    world = log_world(3, model={"pooling": "none"})
    graph = build_graph(world.panel, world.inputs)
    point = random_points(graph, n_points=1, seed=2)[0]
    kpi = world.panel["kpi"].copy(deep=True)
    kpi[2] = kpi[2][::-1].to_numpy()
    other = build_graph(world.panel.assign(kpi=kpi), world.inputs)
    before, after = (_slopes(each, point) for each in (graph, other))
    assert {"intercept", "sigma_beta_log__", "beta_z_log__", "gamma"} <= set(before)
    for name, slope in before.items():
        np.testing.assert_allclose(after[name][:2], slope[:2], rtol=1e-9, err_msg=name)
    assert np.any(after["beta_z_log__"][2] != before["beta_z_log__"][2])


def _slopes(graph, point):
    """Gradient of the log density by free variable, the entity first."""
    flat = graph.compile_dlogp(mode=FAST)(point)
    found, begin = {}, 0
    for value in graph.value_vars:
        size = np.size(point[value.name])
        found[value.name] = flat[begin : begin + size].reshape(np.shape(point[value.name]))
        begin += size
    return found


def test_entities_deviate_by_a_normal_around_the_common_effect():
    # Whatever coordinate z is walked in: log p(z) = log Normal(d; 0, spread) + log |dd/dz|.
    world = log_world(3, model={"pooling": "partial"})
    graph = build_graph(world.panel, world.inputs)
    draws, _ = evaluate_graph(graph, n_points=2)
    for effect, common in (("beta", "beta_mean"), ("gamma", "gamma_mean")):
        log_z = graph.compile_logp(vars=[graph[f"{effect}_z"]], jacobian=False, mode=FAST)
        for index, point in enumerate(random_points(graph, n_points=2, seed=0)):
            at = draws.isel(chain=0, draw=index)
            own, mean = at[effect].to_numpy(), at[common].to_numpy()
            deviation = np.log(own / mean) if effect == "beta" else own - mean
            z, spread = at[f"{effect}_z"].to_numpy(), at[f"{effect}_spread"].to_numpy()
            by_hand = stats.norm.logpdf(deviation, scale=spread) + np.log(deviation / z)
            assert log_z(point) == pytest.approx(by_hand.sum(), rel=1e-8)


def test_the_score_follows_a_shift_of_the_common_prior(pooled):
    world, graph = pooled
    draws, _ = evaluate_graph(graph, n_points=3)
    effect, score = LogStudentTFitted(draws, world.inputs).effect_draws("tv")
    assert effect.shape == score.shape == (3,)
    n_shifted = 3 if world.metadata.pooling == "none" else 1
    np.testing.assert_allclose(score / effect, n_shifted / (0.25 * (1 - 4 / np.pi**2)))


def test_a_spec_without_any_linear_term_is_opened():
    plain = {"trend": {"enabled": False}, "seasonality": {"enabled": False}}
    world = log_world(2, feature_config=plain, controls=[])
    graph = build_graph(world.panel, world.inputs)
    draws, mu = evaluate_graph(graph)
    got = LogStudentTFitted(draws, world.inputs).expected(world.panel)
    np.testing.assert_allclose(np.log1p(got), mu, rtol=1e-10)
