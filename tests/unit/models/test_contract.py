"""What every kind promises: parts add up, spend never hurts, and time runs one way."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.worlds import PAID, fitted_model, log_world, mmm_world, prior_draws

from schemas.names import BASELINE_COMPONENT, ComponentKind

WORLDS = {
    "mmm-one-entity": lambda: mmm_world(carryover_months=2),
    "mmm-three-entities": lambda: mmm_world(3, "weibull_cdf", "logistic"),
    "mmm-delayed-tanh": lambda: mmm_world(2, "delayed", "tanh"),
    "mmm-weibull-michaelis-menten": lambda: mmm_world(1, "weibull_pdf", "michaelis_menten"),
    "mmm-plain": lambda: mmm_world(
        2, "none", "none", controls=[], model={"trend": False, "yearly_seasonality": 0}
    ),
    "log-one-entity": log_world,
    "log-three-entities": lambda: log_world(3),
    "log-linear": lambda: log_world(feature_config={"saturation": {"enabled": False}}),
}


@pytest.fixture(scope="module", params=list(WORLDS))
def world(request):
    return WORLDS[request.param]()


@pytest.fixture(scope="module")
def model(world):
    return fitted_model(world)


def with_media(panel, channel, change):
    media = panel["media"].copy()
    media.loc[{"channel": channel}] = change(media.sel(channel=channel))
    return panel.assign(media=media)


def test_components_are_channels_first_baseline_last(world, model):
    names = [c.name for c in model.components]
    assert names[:4] == ["tv", "search", "email", "rival"]
    assert names[-1] == BASELINE_COMPONENT
    assert [c.kind for c in model.components].count(ComponentKind.BASELINE) == 1
    assert len(set(names)) == len(names)


def test_contributions_add_up_in_every_draw_entity_and_period(world, model):
    expected = model.expected(world.panel)
    assert expected.shape == (8, world.panel.sizes["entity"], world.panel.sizes["date"])
    total = sum(model.contribution(c, world.panel) for c in model.components)
    np.testing.assert_allclose(total, expected, rtol=1e-9)


def test_baseline_and_linear_parts_are_what_is_left_without_media(world, model):
    off = world.panel.assign(media=world.panel["media"] * 0)
    rest = sum(
        model.contribution(c, world.panel)
        for c in model.components
        if c.kind is not ComponentKind.CHANNEL
    )
    np.testing.assert_allclose(model.expected(off), rest, rtol=1e-9)


def test_incremental_is_the_counterfactual_with_the_channel_switched_off(world, model):
    for channel in ("tv", "email"):
        off = with_media(world.panel, channel, lambda x: x * 0)
        by_hand = model.expected(world.panel) - model.expected(off)
        got = model.incremental(channel, world.panel)
        np.testing.assert_allclose(got, by_hand, rtol=1e-9, atol=1e-9 * abs(by_hand).max())


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    channel=st.sampled_from(PAID),
    at=st.integers(0, 50),
    step=st.floats(0, 1e4),
    seed=st.integers(0, 99),
)
def test_more_spend_never_lowers_the_expected_kpi(world, channel, at, step, seed):
    model = fitted_model(world, prior_draws(world, n_draws=1, seed=seed))
    raised = world.panel.copy(deep=True)
    raised["media"].loc[{"channel": channel, "date": raised["date"][at]}] += step
    before, after = model.expected(world.panel), model.expected(raised)
    assert (after >= before - 1e-9 * abs(before)).all()


def test_expected_kpi_does_not_depend_on_future_media(world, model):
    future = world.panel.copy(deep=True)
    future["media"].loc[{"date": future["date"][40:]}] *= 3
    before, after = model.expected(world.panel), model.expected(future)
    np.testing.assert_allclose(before[..., :40], after[..., :40], rtol=1e-13)
    assert (before[..., 40:] != after[..., 40:]).any()


def test_noise_is_seeded_and_centered_on_the_expected_kpi(world, model):
    expected = model.expected(world.panel)
    first, again, other = (model.sample_kpi(world.panel, expected, seed=s) for s in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()
    assert (first > expected).mean() == pytest.approx(0.5, abs=0.08)


def test_log_likelihood_is_finite_and_best_where_the_kpi_was_expected(world, model):
    expected = model.expected(world.panel)
    observed = model.log_likelihood(world.panel, expected)
    assert np.isfinite(observed).all()
    foreseen = np.broadcast_to(world.panel["kpi"].to_numpy(), expected.shape)
    assert (model.log_likelihood(world.panel, foreseen) >= observed - 1e-9).all()


def test_effect_and_score_have_one_value_per_draw(world, model):
    for channel in ("tv", "rival"):
        draws, score = model.effect_draws(channel)
        assert draws.shape == score.shape == (8,)
        assert np.isfinite(score).all()
        assert np.ptp(score) > 0


def test_a_thinned_fit_says_what_some_of_its_draws_say(world, model):
    few = model.thinned(3).expected(world.panel)
    everything = model.expected(world.panel)
    assert few.shape == (3, *everything.shape[1:])
    assert all(any(np.array_equal(one, draw) for draw in everything) for one in few)
    assert model.thinned(10_000).expected(world.panel).shape == everything.shape
