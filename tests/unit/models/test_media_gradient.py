"""The gradient by media equals a finite difference of the expected KPI, for every kind and form."""

import numpy as np
import pytest
from support.worlds import fitted_model, log_world, mmm_world

from schemas.names import CHANNEL_DIM
from tasks.models.mmm.prior_draws import draw_prior

STEP = 1e-5

MMM = [
    *[(adstock, "hill", False) for adstock in ("geometric", "delayed", "binomial", "none")],
    *[("weibull_pdf", curve, False) for curve in ("logistic", "tanh", "michaelis_menten")],
    ("weibull_cdf", "root", False),
    ("geometric", "none", False),
    ("geometric", "hill", True),
    ("delayed", "tanh", True),
]


def compare(world, channels, draws=None):
    """Weighted sums of the expected KPI, nudged one input at a time, against the gradient."""
    model, rng = fitted_model(world, draws), np.random.default_rng(3)
    panel = world.panel
    weights = rng.normal(size=model.expected(panel).shape)
    gradient = model.media_gradient(panel, weights, channels)
    names = [str(c) for c in panel[CHANNEL_DIM].values]
    for place in range(len(channels)):
        for entity in range(panel.sizes["entity"]):
            for period in (0, 1, 5, panel.sizes["date"] - 1):
                ends = []
                for side in (1, -1):
                    media = panel["media"].copy(deep=True)
                    cell = (entity, names.index(channels[place]), period)
                    step = STEP * max(float(media.values[cell]), 10.0)
                    media.values[cell] += side * step
                    ends.append((weights * model.expected(panel.assign(media=media))).sum())
                slope = (ends[0] - ends[1]) / (2 * step)
                got = gradient[entity, place, period]
                assert got == pytest.approx(slope, rel=2e-4, abs=1e-6 * np.abs(gradient).max())


@pytest.mark.parametrize(("adstock", "saturation", "first"), MMM)
def test_mmm_gradient_equals_the_finite_difference(adstock, saturation, first):
    curve = {"kind": saturation, "before_adstock": first}
    world = mmm_world(2, model={"adstock": {"kind": adstock, "l_max": 4}, "saturation": curve})
    positive_media(world)
    compare(world, ["search", "tv"])


def test_gradient_with_media_that_vary_over_time():
    world = mmm_world(1, model={"time_varying_media": True})
    draws = draw_prior(world.panel, world.inputs, 8, seed=1)
    assert draws["media_curve_weight"].std() > 0
    positive_media(world)
    compare(world, ["tv"], draws)


@pytest.mark.parametrize("saturated", [True, False])
def test_log_gradient_equals_the_finite_difference(saturated):
    config = {"saturation": {"enabled": saturated, "S": 1.4}, "adstock": {"max_lag": 3}}
    world = log_world(2, feature_config=config)
    positive_media(world)
    compare(world, ["tv", "email"])


def test_a_period_matters_only_to_itself_and_to_later_periods():
    world = mmm_world(1)
    model, panel = fitted_model(world), world.panel
    weights = np.zeros(model.expected(panel).shape)
    weights[:, :, 20] = 1.0
    gradient = model.media_gradient(panel, weights, ["search"])[0, 0]
    assert (np.flatnonzero(gradient) == [17, 18, 19, 20]).all()


def positive_media(world):
    """Curves with a kink or an infinite slope at zero have no central difference there."""
    world.panel["media"] = world.panel["media"] + 5.0
