"""Lift tests of kind ``mmm``: a lift is the contribution of other media less that of these."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pandas as pd
import pytensor.tensor as pt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.graphs import evaluate
from support.worlds import fitted_model, mmm_world, prior_draws

from schemas.errors import SpecError
from schemas.spec.lift_tests import LiftTest
from tasks.mathematics.draws import stack_samples
from tasks.models.mmm.lift import expected_lift, lift_design, lift_of_segments


@pytest.fixture(scope="module")
def world():
    return mmm_world(3)


def day(world, period, *, days=0):
    return (pd.Timestamp(world.panel["date"].values[period]) + timedelta(days=days)).date()


def make_test(world, first=20, last=23, **changes):
    row = {
        "channel": "tv",
        "entity": None,
        "start": day(world, first),
        "end": day(world, last, days=6),
        "delta_spend": 500.0,
        "delta_kpi": 300.0,
        "standard_error": 50.0,
    }
    return LiftTest(**(row | changes))


def by_contribution(world, draws, test, periods, reach):
    """Independent route: contribution of the panel with raised input less that of the panel."""
    model = fitted_model(world, draws)
    component = next(c for c in model.components if c.name == test.channel)
    rows = (
        slice(None) if test.entity is None else list(world.panel.entity.values).index(test.entity)
    )
    media, spend = world.panel["media"].copy(), world.panel["spend"]
    index = list(world.panel.channel.values).index(test.channel)
    spent = float(np.sum(spend.values[rows, index, periods]))
    media.values[rows, index, periods] *= 1 + test.delta_spend / spent
    after = model.contribution(component, world.panel.assign(media=media))
    change = after - model.contribution(component, world.panel)
    counted = slice(periods.start, periods.stop + reach)
    np.testing.assert_array_equal(change[..., : periods.start], 0)
    return change[..., counted].sum(axis=(1, 2)), change.sum(axis=(1, 2))


@pytest.mark.parametrize("entity", [None, "market_1"])
@pytest.mark.parametrize("channel", ["tv", "search"])
@pytest.mark.parametrize(
    ("adstock", "saturation"),
    [("geometric", "hill"), ("delayed", "logistic"), ("none", "tanh"), ("weibull_pdf", "none")],
)
def test_a_lift_is_a_difference_of_contributions(adstock, saturation, channel, entity):
    world = mmm_world(3, adstock, saturation)
    draws = prior_draws(world)
    test = make_test(world, channel=channel, entity=entity)
    reach = 0 if adstock == "none" else 3
    counted, everything = by_contribution(world, draws, test, slice(20, 24), reach)
    design = lift_design(world.panel, world.inputs, [test])
    got = expected_lift(stack_samples(draws), design)
    np.testing.assert_allclose(got[:, 0], counted, rtol=1e-9)
    np.testing.assert_allclose(counted, everything, rtol=1e-9)


def test_carryover_is_cut_at_the_end_of_the_panel_and_starts_at_its_beginning():
    world = mmm_world(3, model={"media_before": False})
    draws = prior_draws(world)
    tests = [make_test(world, 58, 59), make_test(world, 0, 1)]
    design = lift_design(world.panel, world.inputs, tests)
    got = expected_lift(stack_samples(draws), design)
    for column, periods in enumerate([slice(58, 60), slice(0, 2)]):
        counted, _ = by_contribution(world, draws, tests[column], periods, 3)
        np.testing.assert_allclose(got[:, column], counted, rtol=1e-9)


def test_a_test_in_the_first_periods_changes_nothing_that_was_before_them():
    # Without saturation the level that a test adds to does not matter.
    lifts = []
    for before in (True, False):
        world = mmm_world(1, "geometric", "none", model={"media_before": before})
        test = make_test(world, 0, 1, channel="search")
        design = lift_design(world.panel, world.inputs, [test])
        lifts.append(expected_lift(stack_samples(prior_draws(mmm_world(1))), design))
        assert (design.baseline[0, :3] > 0).all() == before
    np.testing.assert_allclose(lifts[0], lifts[1], rtol=1e-9)


def test_carryover_counts_in_full():
    # Without saturation the same input brings the same KPI whenever it does.
    linear = mmm_world(1, "geometric", "none")
    draws = prior_draws(linear)
    design = lift_design(linear.panel, linear.inputs, [make_test(linear)])
    instant = draws.assign(adstock_alpha=draws["adstock_alpha"] * 0)
    np.testing.assert_allclose(
        expected_lift(stack_samples(draws), design),
        expected_lift(stack_samples(instant), design),
        rtol=1e-9,
    )
    assert design.baseline.shape == (1, 3 + 4 + 3)


@settings(deadline=None)
@given(
    first=st.integers(0, 59),
    n_periods=st.integers(1, 12),
    share=st.floats(-1, 3).filter(lambda x: abs(x) > 1e-6),
)
def test_more_spend_of_a_paid_channel_never_lowers_the_kpi(world, first, n_periods, share):
    last = min(first + n_periods - 1, 59)
    spent = float(world.panel["spend"].sel(channel="search").values[:, first : last + 1].sum())
    test = make_test(world, first, last, channel="search", delta_spend=share * spent)
    design = lift_design(world.panel, world.inputs, [test])
    lift = expected_lift(stack_samples(prior_draws(world)), design)
    assert (np.sign(lift) == np.sign(share)).all()
    added = (design.changed - design.baseline).sum(axis=1)
    scale = world.inputs.scales["media_scale"].sel(channel="search").to_numpy()[design.entity]
    assert (added * scale).sum() == pytest.approx(share * spent)


def test_the_graph_and_numpy_agree(world):
    tests = [make_test(world), make_test(world, 5, 9, channel="search", entity="market_2")]
    design = lift_design(world.panel, world.inputs, tests)
    samples = stack_samples(prior_draws(world, n_draws=1)).isel(sample=0)
    parameters = {
        str(name): variable.to_numpy()
        for name, variable in samples.data_vars.items()
        if str(name).startswith(("adstock_", "saturation_")) and name != "saturation_beta"
    }
    beta = samples["saturation_beta"].transpose("entity", "channel").to_numpy()
    multiplier = np.linspace(0.5, 1.5, 60)
    tensors = {name: pt.as_tensor(value) for name, value in parameters.items()}
    for factor in (None, multiplier):
        in_graph = lift_of_segments(
            design, tensors, pt.as_tensor(beta), xp=pt,
            multiplier=None if factor is None else pt.as_tensor(factor),
        )  # fmt: skip
        in_numpy = lift_of_segments(design, parameters, beta, multiplier=factor)
        assert in_numpy.shape == (2,)
        np.testing.assert_allclose(evaluate(in_graph), in_numpy, rtol=1e-9)


def test_the_gradient_is_the_slope_of_the_numpy_lift(world):
    design = lift_design(world.panel, world.inputs, [make_test(world)])
    samples = stack_samples(prior_draws(world, n_draws=1)).isel(sample=0)
    names = ("adstock_alpha", "saturation_slope", "saturation_kappa")
    start = {name: samples[name].to_numpy() for name in names}
    beta = samples["saturation_beta"].transpose("entity", "channel").to_numpy()
    tensors = {name: pt.as_tensor(value) for name, value in start.items()}
    lift = lift_of_segments(design, tensors, pt.as_tensor(beta), xp=pt)[0]
    for name in names:
        # The tested channel comes first, whichever of the others have the parameter.
        step = np.where(np.arange(len(start[name])) == 0, 1e-6, 0.0)
        higher, lower = (
            lift_of_segments(design, start | {name: start[name] + side * step}, beta)[0]
            for side in (1, -1)
        )
        slope = evaluate(pt.grad(lift, tensors[name]))
        assert slope[0] == pytest.approx((higher - lower) / 2e-6, rel=1e-4)
        np.testing.assert_array_equal(slope[1:], 0)


def test_a_multiplier_scales_the_periods_it_stands_for():
    world = mmm_world(1, "none", "none")
    draws = stack_samples(prior_draws(world))
    design = lift_design(world.panel, world.inputs, [make_test(world, 20, 20)])
    multiplier = np.ones((draws.sizes["sample"], 60))
    multiplier[:, 20] = 2.0
    plain = expected_lift(draws, design)
    np.testing.assert_allclose(expected_lift(draws, design, multiplier=multiplier), 2 * plain)


def test_saturation_before_adstock_by_hand():
    world = mmm_world(1, "geometric", "michaelis_menten", l_max=2)
    design = lift_design(world.panel, world.inputs, [make_test(world, 20, 20)])
    saturation = design.transforms[0].saturation.model_copy(update={"before_adstock": True})
    transform = replace(design.transforms[0], saturation=saturation)
    swapped = replace(design, transforms=(transform,) * 4)
    # All weight on lag 1: the effect comes one period later, saturated when it was spent.
    x0, x1 = design.baseline[0, 1], design.changed[0, 1]
    alpha, lam, beta = 0.5, 0.7, 2.0
    got = lift_of_segments(
        swapped,
        {"adstock_alpha": np.full(4, alpha), "saturation_lam": np.full(4, lam)},
        np.full((1, 4), beta),
    )
    by_hand = beta * (x1 / (lam + x1) - x0 / (lam + x0)) * design.kpi_scale[0]
    assert got[0] == pytest.approx(by_hand, rel=1e-9)


def test_money_becomes_input_at_what_it_bought(world):
    # 2.5 money per unit of tv activity (support.worlds.make_rows).
    placed = lift_design(world.panel, world.inputs, [make_test(world, entity="market_0")])
    scale = float(world.inputs.scales["media_scale"].sel(channel="tv", entity="market_0"))
    added = (placed.changed - placed.baseline).sum() * scale
    assert added == pytest.approx(500 / 2.5, rel=1e-3)


def test_a_channel_that_was_off_is_switched_on_evenly():
    world = mmm_world(2)
    off = world.panel.copy(deep=True)
    index = list(off.channel.values).index("tv")
    off["media"].values[:, index, 20:24] = 0
    off["spend"].values[:, index, 20:24] = 0
    test = make_test(world, entity="market_1", delta_spend=1000.0)
    design = lift_design(off, world.inputs, [test])
    scale = float(world.inputs.scales["media_scale"].sel(channel="tv", entity="market_1"))
    np.testing.assert_allclose(design.changed[0, 3:7] * scale, 1000 / 4 / 2.5, rtol=1e-3)
    with pytest.raises(SpecError, match="would make spend negative: 0 was spent"):
        lift_design(off, world.inputs, [make_test(world, delta_spend=-1.0)])


def test_all_spend_can_be_taken_away(world):
    spent = float(world.panel["spend"].sel(channel="tv").values[:, 20:24].sum())
    design = lift_design(world.panel, world.inputs, [make_test(world, delta_spend=-spent)])
    np.testing.assert_allclose(design.changed[:, 3:7], 0, atol=1e-12)


def test_no_tests_make_an_empty_design(world):
    design = lift_design(world.panel, world.inputs)
    assert design.baseline.shape == (0, 0)
    assert expected_lift(stack_samples(prior_draws(world)), design).shape == (8, 0)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"channel": "tvv"}, r"lift_tests\.0 .*unknown channel 'tvv'; did you mean 'tv'"),
        ({"entity": "nowhere"}, "unknown entity 'nowhere'; known: market_0"),
        ({"channel": "email"}, "has no spend column"),
        ({"first": 0}, "not in the fitted window, which runs from"),
        ({"delta_spend": -1e9}, "would make spend negative"),
    ],
)
def test_a_test_that_does_not_fit_says_why(changes, message):
    world = mmm_world(3, carryover_months=2)
    with pytest.raises(SpecError, match=message):
        lift_design(world.panel, world.inputs, [make_test(world, **{"first": 22, **changes})])


def test_a_test_after_the_last_day_is_refused_and_on_it_is_not(world):
    lift_design(world.panel, world.inputs, [make_test(world, 59, 59)])
    late = make_test(world, 59, 59, end=day(world, 59, days=7))
    with pytest.raises(SpecError, match="not in the fitted window"):
        lift_design(world.panel, world.inputs, [late])


def test_a_channel_that_never_spent_cannot_be_tested(world):
    broke = world.panel.assign(spend=world.panel["spend"] * 0)
    with pytest.raises(SpecError, match="never spent anything"):
        lift_design(broke, world.inputs, [make_test(world)])


def test_every_problem_is_reported(world):
    tests = [
        make_test(world, channel="x", entity="y"),
        make_test(world),
        make_test(world, entity="z"),
    ]
    with pytest.raises(SpecError) as caught:
        lift_design(world.panel, world.inputs, tests)
    assert len(caught.value.problems) == 3


def test_tests_travel_with_the_features_and_are_checked_there(world):
    test = make_test(world)
    carrying = mmm_world(3, lift_tests=[test.model_dump(mode="json")])
    own, given_directly = (
        lift_design(carrying.panel, carrying.inputs),
        lift_design(carrying.panel, carrying.inputs, [test]),
    )
    np.testing.assert_array_equal(own.changed, given_directly.changed)
    np.testing.assert_array_equal(own.delta_kpi, [300.0])
    unknown = test.model_copy(update={"channel": "tvv"}).model_dump(mode="json")
    with pytest.raises(SpecError, match="unknown channel 'tvv'"):
        mmm_world(3, lift_tests=[unknown])
    assert SpecError.exit_code == 2
