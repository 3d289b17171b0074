"""Two routes to what a plan brings: the table equals the models, and gradients are slopes."""

import numpy as np
import pytest
from support.plans import planned_fit, space_of
from support.worlds import log_world, mmm_world, prior_draws

from tasks.optimize.response import PanelResponse, tabulate

HORIZON = 6
CURVES = ["hill", "s-shaped", "logistic", "michaelis_menten", "tanh", "root", "none"]


def random_plans(space, rng, low, high):
    """Some anywhere between the ends, some with a variable near nothing, where curves are steep."""
    drawn = rng.uniform(low, high, (12, len(space.current)))
    drawn[:6, 0] = np.maximum(high * rng.uniform(0, 0.01, 6), low)
    return drawn * space.current


@pytest.mark.parametrize(("low", "high"), [(0.0, 3.0), (0.7, 1.3)], ids=["wide", "narrow"])
@pytest.mark.parametrize("curve", CURVES)
def test_the_table_equals_the_models_for_any_plan(curve, low, high):
    saturation = "hill" if curve == "s-shaped" else curve
    world = mmm_world(2, saturation=saturation)
    draws = prior_draws(world, n_draws=10)
    if curve == "root":
        draws["saturation_alpha"] = np.minimum(draws["saturation_alpha"] * 0.6, 1.0)
    if curve == "s-shaped":
        draws["saturation_slope"] = draws["saturation_slope"] * 0 + 3.0
    space = space_of(planned_fit(world, draws), horizon=HORIZON, by_entity=True)
    table = tabulate(space.pieces, low * space.current, high * space.current)
    for money in random_plans(space, np.random.default_rng(0), low, high):
        expected = PanelResponse(space.pieces).totals(money)
        off = table.totals(money) - expected
        assert abs(off.mean()) <= 1e-4 * expected.mean()
        # A single draw of a root of small exponent bends more than any spline near nothing.
        assert np.abs(off).max() <= (1e-3 if curve == "root" else 2e-4) * expected.mean()


def test_the_table_is_exact_at_its_ends_and_between_equal_bounds():
    space = space_of(planned_fit(mmm_world(1)), horizon=HORIZON)
    exact = PanelResponse(space.pieces)
    lower, upper = 0.5 * space.current, 1.5 * space.current
    lower[0] = upper[0] = space.current[0]
    table = tabulate(space.pieces, lower, upper)
    for money in (lower, upper):
        np.testing.assert_allclose(table.totals(money), exact.totals(money), rtol=1e-10)


def test_one_draw_of_the_table_is_that_draw():
    space = space_of(planned_fit(mmm_world(1)), horizon=HORIZON)
    table = tabulate(space.pieces, 0 * space.current, 2 * space.current)
    money = 1.3 * space.current
    assert table.draw(7).totals(money) == pytest.approx(table.totals(money)[7:8], rel=1e-12)
    one = np.arange(100) == 7
    np.testing.assert_allclose(
        table.draw(7).pull(money, np.ones(1)), table.pull(money, one.astype(float)), rtol=1e-12
    )


def slopes(response, money, weights, step=1e-5):
    found = []
    for variable in range(len(money)):
        nudge = step * max(money[variable], 1.0) * (np.arange(len(money)) == variable)
        ends = [weights @ response.totals(money + side * nudge) for side in (1, -1)]
        found.append((ends[0] - ends[1]) / (2 * nudge[variable]))
    return np.array(found)


def test_the_gradient_of_the_table_is_its_slope():
    space = space_of(planned_fit(mmm_world(2)), horizon=HORIZON)
    table = tabulate(space.pieces, 0 * space.current, 3 * space.current)
    weights = np.random.default_rng(0).normal(size=100)
    for money in random_plans(space, np.random.default_rng(1), 0.02, 2.9):
        got = table.pull(money, weights)
        np.testing.assert_allclose(got, slopes(table, money, weights), rtol=1e-5, atol=1e-8)


GRADIENTS = {
    "one entity": (lambda: mmm_world(1), {}),
    "panel": (lambda: mmm_world(3, "weibull_pdf", "logistic"), {}),
    "by entity": (lambda: mmm_world(2), {"by_entity": True}),
    "by period": (lambda: mmm_world(2, "delayed", "tanh"), {"flighting": True}),
    "by entity and period": (lambda: mmm_world(2), {"by_entity": True, "flighting": True}),
    "log": (lambda: log_world(1), {}),
    "log by entity": (lambda: log_world(2), {"by_entity": True}),
    "log by period": (lambda: log_world(1), {"flighting": True}),
}


@pytest.mark.parametrize("name", GRADIENTS)
def test_the_gradient_through_the_models_is_the_finite_difference(name):
    make, modes = GRADIENTS[name]
    world = make()
    fit = planned_fit(world, prior_draws(world))
    space = space_of(fit, horizon=3, **modes)
    response = PanelResponse(space.pieces)
    rng = np.random.default_rng(2)
    weights = rng.uniform(size=response.n_draws)
    money = rng.uniform(0.6, 1.4, len(space.current)) * np.maximum(space.current, 5.0)
    got = response.pull(money, weights)
    size = np.abs(got).max()
    np.testing.assert_allclose(got, slopes(response, money, weights), rtol=1e-4, atol=1e-5 * size)


def test_no_spend_brings_nothing_in_any_kind_of_model():
    for world in (mmm_world(2), log_world(2)):
        space = space_of(planned_fit(world, prior_draws(world)), horizon=HORIZON)
        assert PanelResponse(space.pieces).totals(0 * space.current) == pytest.approx(0, abs=1e-9)


def test_a_table_is_only_made_where_curves_do_not_depend_on_each_other():
    additive, multiplies = planned_fit(mmm_world(1)), planned_fit(log_world(1))
    ends = np.zeros(2), np.ones(2)
    assert tabulate(space_of(additive).pieces, *ends) is not None
    assert tabulate(space_of(multiplies).pieces, *ends) is None
    flights = space_of(additive, flighting=True)
    assert tabulate(flights.pieces, 0 * flights.current, flights.current) is None
