"""Kind ``mmm`` in NumPy: hand-computed contributions and the sign of a competitor."""

import numpy as np
import pytest
from support.worlds import fitted_model, mmm_world, prior_draws

from schemas.errors import SpecError
from tasks.models.contract import Component
from tasks.models.mmm.priors import share_priors


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


def test_share_priors_split_the_media_share_evenly():
    world = mmm_world()
    priors = share_priors(world.panel, world.inputs)
    np.testing.assert_allclose(np.exp(priors.log_median), 0.3 / 4, rtol=1e-12)
    np.testing.assert_array_equal(priors.spread, 1.0)


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
    np.testing.assert_allclose(np.exp(priors.log_median), [0.12, 0.15], rtol=1e-12)
    np.testing.assert_array_equal(priors.spread, [0.4, 1.0])


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
    assert np.exp(priors.log_median[0]) == pytest.approx(2.0 * spend / (4.0 * kpi), rel=1e-12)


def test_a_roas_prior_without_spend_is_refused():
    world = mmm_world(channels=stated({"quantity": "roas", "median": 2.0}))
    broke = world.panel.assign(spend=world.panel["spend"] * 0)
    with pytest.raises(SpecError, match="'tv' has a ROAS prior but spent nothing"):
        share_priors(broke, world.inputs)
