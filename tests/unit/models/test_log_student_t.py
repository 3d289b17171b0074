"""Kind ``log_student_t``: the mission's priors, its fixed transforms and its counterfactuals."""

import numpy as np
import pytest
from scipy import stats
from support.graphs import FAST, evaluate_graph, random_points
from support.worlds import build_world, fitted_model, log_world, make_rows, make_spec, prior_draws

from schemas.errors import DataContractError
from schemas.names import ComponentKind
from schemas.spec.roles import resolve_roles
from tasks.mathematics.carryover import recursive_adstock
from tasks.mathematics.scaling import scales_from_json, scales_to_json
from tasks.models.log_student_t.design import adstock_media, standardize_media, transform_media
from tasks.models.log_student_t.fitted import LogStudentTFitted
from tasks.models.log_student_t.graph import build_graph


@pytest.fixture(scope="module")
def world():
    return log_world(2)


@pytest.fixture(scope="module")
def graph(world):
    return build_graph(world.panel, world.inputs)


def prior(graph, name):
    """Name and constant parameters of a variable's distribution."""
    node = graph[name].owner
    parameters = [np.unique(p.eval(mode=FAST)).tolist() for p in node.op.dist_params(node)]
    return type(node.op).__name__, parameters


def test_priors_are_the_missions(graph):
    assert prior(graph, "intercept") == ("NormalRV", [[0.0], [2.0]])
    assert prior(graph, "sigma_beta") == ("HalfNormalRV", [[0.0], [0.5]])
    assert prior(graph, "gamma") == ("NormalRV", [[0.0], [0.5]])
    assert prior(graph, "sigma") == ("HalfNormalRV", [[0.0], [1.0]])
    # PyMC keeps the exponential's scale: the mission's rate is 1/10.
    assert prior(graph, "nu") == ("ExponentialRV", [[10.0]])
    assert {v.name for v in graph.free_RVs} == {
        "intercept",
        "sigma_beta",
        "beta_z",
        "gamma",
        "sigma",
        "nu",
    }


def test_beta_is_half_normal_with_the_common_scale(graph):
    # Whatever coordinate z the sampler walks in: log p(z) = log HalfNormal(beta) + log |dbeta/dz|,
    # and beta is proportional to z.
    draws, _ = evaluate_graph(graph, n_points=3)
    log_z = graph.compile_logp(vars=[graph["beta_z"]], jacobian=False, mode=FAST)
    for index, point in enumerate(random_points(graph, n_points=3, seed=0)):
        at = draws.isel(chain=0, draw=index)
        beta, z = at["beta"].to_numpy(), at["beta_z"].to_numpy()
        by_hand = stats.halfnorm.logpdf(beta, scale=float(at["sigma_beta"])) + np.log(beta / z)
        assert log_z(point) == pytest.approx(by_hand.sum(), rel=1e-10)
        assert (beta >= 0).all()


def test_observed_is_the_logarithm_of_the_kpi_plus_one(world, graph):
    observed = graph.rvs_to_values[graph["y"]].data
    np.testing.assert_allclose(observed, np.log1p(world.panel["kpi"].to_numpy()), rtol=1e-15)
    assert type(graph["y"].owner.op).__name__ == "StudentTRV"


def test_expected_kpi_is_the_graphs_own_mean(world, graph):
    draws, mu = evaluate_graph(graph)
    got = LogStudentTFitted(draws, world.inputs).expected(world.panel)
    np.testing.assert_allclose(np.log1p(got), mu, rtol=1e-11)


def test_log_likelihood_is_the_graphs_own(world, graph):
    draws, _ = evaluate_graph(graph, n_points=1)
    point = random_points(graph, n_points=1, seed=0)[0]
    got = graph.compile_logp(vars=[graph["y"]], mode=FAST)(point)
    fitted = LogStudentTFitted(draws, world.inputs)
    # The graph's density is of log(y + 1), the contract's of y.
    by_hand = fitted.log_likelihood(world.panel, fitted.expected(world.panel)).sum()
    by_hand += np.log1p(world.panel["kpi"].to_numpy()).sum()
    assert got == pytest.approx(by_hand, rel=1e-10)


def test_log_density_and_gradient_are_finite_away_from_the_start(graph):
    point = random_points(graph, n_points=1, seed=5, jitter=1.0)[0]
    assert np.isfinite(graph.compile_logp(mode=FAST)(point))
    assert np.isfinite(graph.compile_dlogp(mode=FAST)(point)).all()


def test_a_negative_kpi_is_refused(world):
    panel = world.panel.assign(kpi=world.panel["kpi"] - 2000)
    with pytest.raises(DataContractError, match="takes its logarithm"):
        build_graph(panel, world.inputs)


def test_transforms_hand_computed(world):
    config = world.spec.features
    media = world.panel["media"].to_numpy()
    adstocked = adstock_media(world.panel, world.metadata)
    tv = recursive_adstock(media[1, 0], decay=0.5, max_lag=13)
    np.testing.assert_allclose(adstocked[1, 0], tv, rtol=1e-13)
    relative = tv / tv.max()
    curve = relative**config.saturation.S / (
        config.saturation.K**config.saturation.S + relative**config.saturation.S
    )
    saturated = transform_media(world.panel, world.metadata, world.inputs.scales)
    np.testing.assert_allclose(saturated[1, 0], curve, rtol=1e-12, atol=1e-250)
    z = standardize_media(world.panel, world.metadata, world.inputs.scales)
    both = saturated[:, 0]
    np.testing.assert_allclose(z[:, 0], (both - both.mean()) / both.std(), rtol=1e-9, atol=1e-12)


def test_features_of_the_fit_have_mean_zero_and_spread_one(world):
    z = standardize_media(world.panel, world.metadata, world.inputs.scales)[..., world.window]
    np.testing.assert_allclose(z.mean(axis=(0, 2)), 0, atol=1e-12)
    np.testing.assert_allclose(z.std(axis=(0, 2)), 1, rtol=1e-12)


def test_the_saved_scaler_is_all_that_prediction_needs(world):
    assert {"adstock_scale", "channel_mean", "channel_std"} <= set(world.inputs.scales)
    saved = scales_from_json(scales_to_json(world.inputs.scales))
    tail = world.panel.isel(date=slice(0, 20))
    np.testing.assert_array_equal(
        standardize_media(tail, world.metadata, saved),
        standardize_media(world.panel, world.metadata, world.inputs.scales)[..., :20],
    )


@pytest.mark.parametrize("key", ["tv", "act_tv"], ids=["by-name", "by-source-column"])
def test_decay_per_channel_is_found(key):
    config = {"adstock": {"decay_default": 0.2, "per_channel": {key: 0.8}}}
    world = log_world(feature_config=config)
    media = world.panel["media"].to_numpy()
    got = adstock_media(world.panel, world.metadata)
    for index, decay in ((0, 0.8), (1, 0.2)):
        by_hand = recursive_adstock(media[:, index], decay=decay, max_lag=13)
        np.testing.assert_allclose(got[:, index], by_hand, rtol=1e-13)


def test_decay_is_found_by_the_source_column_of_another_name():
    rows = make_rows().rename(columns={"act_tv": "tv_grp"})
    channels = [{"name": "television", "activity": "tv_grp"}]
    config = {"adstock": {"per_channel": {"tv_grp": 0.9}}}
    spec = make_spec("log_student_t", channels=channels, level="entity", feature_config=config)
    roles = resolve_roles(spec, list(rows.columns))
    canonical = rows.rename(columns={"tv_grp": "act_television"})
    world = build_world(canonical, spec, roles)
    by_hand = recursive_adstock(rows["tv_grp"].to_numpy(), decay=0.9, max_lag=13)
    np.testing.assert_allclose(adstock_media(world.panel, world.metadata)[0, 0], by_hand)


def test_channel_contributions_are_together_what_media_add(world):
    model = fitted_model(world)
    channels = [c for c in model.components if c.kind is ComponentKind.CHANNEL]
    together = sum(model.contribution(c, world.panel) for c in channels)
    off = world.panel.assign(media=world.panel["media"] * 0)
    by_hand = model.expected(world.panel) - model.expected(off)
    np.testing.assert_allclose(together, by_hand, rtol=1e-9)


def test_channel_contributions_keep_the_ratio_of_their_counterfactuals(world):
    model = fitted_model(world)
    tv, search = (model.contribution(c, world.panel) for c in model.components[:2])
    plain_tv, plain_search = (model.incremental(n, world.panel) for n in ("tv", "search"))
    np.testing.assert_allclose(tv * plain_search, search * plain_tv, rtol=1e-8, atol=1e-12)


def test_prior_variance_of_beta_is_that_of_a_large_prior_sample(world):
    rng = np.random.default_rng(1)
    beta = np.abs(rng.normal(0, 0.5, 400_000)) * np.abs(rng.normal(size=400_000))
    draws, score = fitted_model(world).effect_draws("tv")
    np.testing.assert_allclose(draws / score, beta.var(), rtol=0.02)


def test_heavy_tails_never_overflow(world):
    draws = prior_draws(world)
    draws["nu"] = draws["nu"] * 0 + 0.05
    model = fitted_model(world, draws)
    assert np.isfinite(model.sample_kpi(world.panel, model.expected(world.panel), seed=3)).all()
