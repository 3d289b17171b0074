"""Kind ``mmm`` in NumPy: hand-computed contributions and the sign of a competitor."""

import numpy as np
import pytest
from support.worlds import fitted_model, mmm_world, prior_draws

from schemas.errors import SpecError
from tasks.models.contract import Component
from tasks.models.mmm.constants import fit_constants
from tasks.models.mmm.priors import COMMON_RETURN_PRIOR, COMMON_SHARE_PRIOR, share_priors


@pytest.fixture(scope="module")
def world():
    return mmm_world(2, "none", "none")


def test_contribution_of_a_linear_channel_hand_computed(world):
    draws = prior_draws(world)
    model = fitted_model(world, draws)
    got = model.contribution(model.components[0], world.panel)
    beta = draws["saturation_beta"].sel(channel="tv").to_numpy().reshape(8, 2)
    scales = world.inputs.scales
    tv = (world.panel["media"] / scales["media_scale"]).sel(channel="tv").to_numpy()
    by_hand = beta[:, :, None] * tv * scales["kpi_scale"].to_numpy()[:, None]
    np.testing.assert_allclose(got, by_hand, rtol=1e-13)


def test_a_competitor_never_adds(world):
    for kinds in (("none", "none"), ("geometric", "hill")):
        rival_world = mmm_world(2, *kinds)
        model = fitted_model(rival_world)
        rival = next(c for c in model.components if c.name == "rival")
        contribution = model.contribution(rival, rival_world.panel)
        assert (contribution <= 0).all()
        assert (contribution < 0).any()


def test_a_channel_that_is_off_contributes_nothing(world):
    model = fitted_model(world)
    email = next(c for c in model.components if c.name == "email")
    contribution = model.contribution(email, world.panel)
    np.testing.assert_array_equal(contribution[:, 1], 0)
    assert (contribution[:, 0] > 0).any()


def test_components_carry_their_kind(world):
    model = fitted_model(world)
    assert [(c.name, c.kind.value) for c in model.components] == [
        ("tv", "channel"),
        ("search", "channel"),
        ("email", "channel"),
        ("rival", "channel"),
        ("price", "control"),
        ("trend", "trend"),
        ("seasonality", "seasonality"),
        ("baseline", "baseline"),
    ]
    assert isinstance(model.components[0], Component)


@pytest.mark.parametrize(
    ("model", "share", "spread"),
    [
        ({"media_share": 0.2}, 0.2, 1.0),
        ({"share_spread": 0.5}, 0.3, 0.5),
        ({"media_share": 0.3, "share_spread": 1.0}, 0.3, 1.0),
    ],
)
def test_a_stated_media_share_is_split_evenly_as_ever(model, share, spread):
    world = mmm_world(model=model)
    priors = share_priors(world.panel, world.inputs)
    np.testing.assert_allclose(np.exp(priors.first), share / 4, rtol=1e-12)
    np.testing.assert_array_equal(priors.second, spread)
    assert not priors.is_gamma.any()
    assert "common_return" not in fit_constants(world.panel, world.inputs).table


def test_unless_stated_a_share_goes_with_spend_and_a_learned_return():
    # mean share = common return * spend / KPI value; without spend 0.3 over four channels
    world = mmm_world()
    priors = share_priors(world.panel, world.inputs)
    window = world.panel.isel(date=world.window)
    spent = window["spend"].sum(("entity", "date")) / float(window["kpi"].sum())
    mean = priors.second * np.exp(priors.first)
    np.testing.assert_allclose(mean[:2], spent[:2], rtol=1e-12)
    np.testing.assert_allclose(mean[2:], 0.3 / 4, rtol=1e-12)
    assert priors.follows.tolist() == [True, True, False, False]
    assert priors.common == COMMON_RETURN_PRIOR


def test_without_value_the_common_return_is_a_share_of_the_kpi_over_spend():
    world = mmm_world(kpi={"kind": "count"})
    priors = share_priors(world.panel, world.inputs)
    window = world.panel.isel(date=world.window)
    spent = float(window["spend"].sum()) / float(window["kpi"].sum())
    location, spread = priors.common
    assert location == pytest.approx(COMMON_SHARE_PRIOR[0] - np.log(spent), rel=1e-12)
    assert spread == COMMON_SHARE_PRIOR[1]


def test_entities_that_spend_more_have_a_larger_share_for_the_same_return():
    world = mmm_world(3)
    priors = share_priors(world.panel, world.inputs)
    window = world.panel.isel(date=world.window)
    by_entity = window["spend"].sum("date") / (window["kpi"] * window["unit_value"]).sum("date")
    logs = np.log(by_entity.sel(channel="tv").to_numpy())
    np.testing.assert_allclose(priors.pressure[0], logs - logs.mean(), atol=1e-12)
    np.testing.assert_array_equal(priors.pressure[2:], 0)


def stated(prior, channel=0, **changes):
    channels = [
        {"name": "tv", "activity": "act_tv", "spend": "spend_tv"},
        {"name": "search", "spend": "spend_search"},
    ]
    channels[channel] |= {"prior": prior} | changes
    return channels


def test_a_stated_share_is_the_prior_median():
    prior = {"quantity": "share", "median": 0.12, "spread": 0.4}
    world = mmm_world(channels=stated(prior))
    priors = share_priors(world.panel, world.inputs)
    assert np.exp(priors.first[0]) == pytest.approx(0.12, rel=1e-12)
    assert priors.second[0] == 0.4
    assert priors.is_gamma.tolist() == [False, True]


def test_a_stated_roas_is_moved_by_spend_over_kpi_value():
    # share = ROAS * spend / (KPI * value per unit), over the fitted window only
    world = mmm_world(
        channels=stated({"quantity": "roas", "median": 2.0}),
        kpi={"kind": "count", "value_per_unit": 4.0},
        carryover_months=2,
    )
    priors = share_priors(world.panel, world.inputs)
    window = world.panel.isel(date=world.window)
    spend, kpi = float(window["spend"].sel(channel="tv").sum()), float(window["kpi"].sum())
    assert np.exp(priors.first[0]) == pytest.approx(2.0 * spend / (4.0 * kpi), rel=1e-12)


def test_a_roas_prior_without_spend_is_refused():
    world = mmm_world(channels=stated({"quantity": "roas", "median": 2.0}))
    broke = world.panel.assign(spend=world.panel["spend"] * 0)
    with pytest.raises(SpecError, match="'tv' has a ROAS prior but spent nothing"):
        share_priors(broke, world.inputs)


def lasting_draws(world, rho, n_draws=3000):
    draws = prior_draws(world, n_draws=n_draws)
    draws["y_sigma"] = draws["y_sigma"] * 0 + 0.03
    draws["y_rho"] = draws["y_rho"] * 0 + rho
    return draws


def test_noise_that_lasts_has_the_same_spread_in_every_period():
    world = mmm_world()
    model = fitted_model(world, lasting_draws(world, 0.8))
    expected = np.zeros((6000, 1, world.panel.sizes["date"]))
    noise = model.sample_kpi(world.panel, expected, seed=1)[:, 0]
    spread = noise.std(axis=0)
    np.testing.assert_allclose(spread, spread.mean(), rtol=0.05)
    assert np.corrcoef(noise[:, 10], noise[:, 11])[0, 1] == pytest.approx(0.8, abs=0.02)


def test_noise_goes_on_from_the_last_period_that_was_seen():
    world = mmm_world()
    model = fitted_model(world, lasting_draws(world, 0.5))
    expected = np.zeros((6000, 1, 3))
    before = np.full((6000, 1), 400.0)
    noise = model.sample_kpi(world.panel, expected, seed=1, before=before)[:, 0]
    np.testing.assert_allclose(noise.mean(axis=0), [200, 100, 50], atol=5)


def test_innovations_are_what_noise_that_lasts_was_made_of():
    world = mmm_world(2, carryover_months=2)
    model = fitted_model(world, lasting_draws(world, 0.7, n_draws=2))
    expected = model.expected(world.panel)
    residual = world.panel["kpi"].to_numpy() - expected
    got = model.innovations(world.panel, expected)
    first = int(np.argmax(world.window))
    np.testing.assert_allclose(got[..., first], residual[..., first] * np.sqrt(1 - 0.49))
    after = residual[..., first + 1 :] - 0.7 * residual[..., first:-1]
    np.testing.assert_allclose(got[..., first + 1 :], after)
