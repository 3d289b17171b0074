"""Simulated KPIs: which worlds there are, what is true in them, and what makes them odd."""

import numpy as np
import pandas as pd
import pytest
from support.worlds import (
    CHANNELS,
    build_world,
    fitted_model,
    log_world,
    make_rows,
    make_spec,
    mmm_world,
    prior_draws,
)

from schemas.answers.recovery import WorldKind, WorldPlan
from schemas.spec.lift_tests import LiftTest
from tasks.mathematics.panel import IS_ESTIMATION
from tasks.models.mmm.kind import MMM
from tasks.models.registry import kind_of
from tasks.optimize.allocation import build_allocation
from tasks.optimize.outcome import build_horizon
from tasks.recover.law import Law, longer_curves
from tasks.recover.truth import describe_truth, measure_tests
from tasks.recover.worlds import World, plan_worlds, plausible_draws, simulate

NAMES = [c["name"] for c in CHANNELS]


def one_draw(world):
    draws = prior_draws(world, n_draws=2).isel(chain=[0], draw=[0])
    return fitted_model(world, draws)


@pytest.fixture(scope="module", params=["mmm", "panel", "log"])
def world(request):
    makers = {"mmm": mmm_world, "panel": lambda: mmm_world(3), "log": log_world}
    return makers[request.param]()


def planned(kind=WorldKind.AS_ASSUMED, silent=()):
    return WorldPlan(number=0, kind=kind, silent=list(silent))


def test_every_kind_of_world_is_there_and_channels_take_turns_in_being_silent():
    worlds = plan_worlds(20, NAMES)
    counts = {kind: sum(w.kind is kind for w in worlds) for kind in WorldKind}
    assert counts[WorldKind.AS_ASSUMED] == 12
    assert {counts[k] for k in WorldKind if k is not WorldKind.AS_ASSUMED} == {2}
    silent = [name for w in worlds for name in w.silent]
    assert all(len(w.silent) == 1 for w in worlds)
    assert {silent.count(name) for name in NAMES} == {5}


def test_a_single_channel_is_silent_in_half_of_the_worlds():
    assert [w.silent for w in plan_worlds(4, ["tv"])] == [[], ["tv"], [], ["tv"]]


def test_many_channels_are_silent_a_fifth_at_a_time():
    worlds = plan_worlds(10, [f"c{i}" for i in range(30)])
    assert {len(w.silent) for w in worlds} == {6}
    assert len({name for w in worlds for name in w.silent}) == 30


def test_what_a_law_says_is_the_draw_with_silent_channels_off(world):
    model, panel = one_draw(world), world.panel
    law = Law(model, NAMES, ["search"])
    off = panel["media"].copy(deep=True)
    off.loc[{"channel": "search"}] = 0.0
    np.testing.assert_allclose(law.expected(panel), model.expected(panel.assign(media=off))[0])
    assert not law.contribution("search", panel).any()
    np.testing.assert_allclose(
        law.contribution("tv", panel), model.incremental("tv", panel.assign(media=off))[0]
    )


def test_longer_carryover_brings_as_much_and_later(world):
    panel, window = world.panel, world.panel[IS_ESTIMATION].to_numpy()
    law = Law(one_draw(world), NAMES, [])
    longer = longer_curves(law, panel, np.random.default_rng(1))
    for name in NAMES:
        before, after = (
            one.contribution(name, panel)[:, window].sum(axis=1) for one in (law, longer)
        )
        np.testing.assert_allclose(after, before, rtol=1e-9)
    stop = panel["media"].copy(deep=True)
    stop.values[..., 30:] = 0.0
    felt = longer.contribution("tv", panel.assign(media=stop))
    assert (felt[:, 45] > 0.02 * felt[:, 29]).all()


def test_only_what_is_odd_of_a_world_differs_from_the_draw():
    world = mmm_world(2)
    model, panel = one_draw(world), world.panel
    plain = simulate(planned(), model, panel, 3)
    np.testing.assert_allclose(plain.law.expected(panel), model.expected(panel)[0])
    step = simulate(planned(WorldKind.STEP), model, panel, 3).kpi - plain.kpi
    for entity in step:
        levels = np.unique(np.round(entity, 6))
        assert len(levels) == 2
        assert 0 in levels
    demand = simulate(planned(WorldKind.CONFOUNDER), model, panel, 3).kpi - plain.kpi
    media = np.log1p(panel["media"].sum("entity") / panel["media"].sum("entity").mean("date"))
    together = (media - media.mean("date")).sum("channel").to_numpy()
    assert np.corrcoef(demand[0], together)[0, 1] > 0.4


def test_lasting_noise_lasts_and_has_the_size_of_the_draw():
    world = mmm_world(1, n_periods=200)
    model, panel = one_draw(world), world.panel
    made = simulate(planned(WorldKind.LASTING_NOISE), model, panel, 5)
    noise = (made.kpi - made.law.expected(panel))[0]
    assert np.corrcoef(noise[1:], noise[:-1])[0, 1] > 0.6
    plain = simulate(planned(), model, panel, 5)
    size = (plain.kpi - plain.law.expected(panel))[0].std()
    assert noise.std() == pytest.approx(size, rel=0.5)


def test_the_same_seed_gives_the_same_kpi(world):
    model = one_draw(world)
    first, second = (simulate(planned(), model, world.panel, 7).kpi for _ in range(2))
    np.testing.assert_array_equal(first, second)
    assert (simulate(planned(), model, world.panel, 8).kpi != first).any()


def test_draws_whose_kpi_could_not_be_this_one_are_left_out():
    world = mmm_world()
    draws = prior_draws(world, n_draws=3)
    draws["intercept_contribution"][1, 2] = 40.0
    draws["saturation_beta"][0, 1] = 1e6
    kept = plausible_draws(fitted_model(world, draws), world.panel, 1, seed=1)
    assert {1, 5}.isdisjoint(kept)
    assert len(kept) > 0


def test_noise_that_this_kpi_does_not_have_is_left_out():
    world = mmm_world()
    draws = prior_draws(world, n_draws=4)
    draws["y_sigma"][:] = 0.02
    draws["y_sigma"][1, 1] = 2.0
    model = fitted_model(world, draws)
    assert 5 not in plausible_draws(model, world.panel, 1, seed=1)
    everyone = plausible_draws(model, world.panel, 8, seed=1)
    assert everyone[-1] == 5, "the nearest come first"


def test_the_truth_is_that_of_the_law(world):
    panel, window = world.panel, world.panel[IS_ESTIMATION].to_numpy()
    made = simulate(planned(silent=["tv"]), one_draw(world), panel, 2)
    truth = describe_truth(made, panel, world.metadata, 6)
    assert truth.contribution["tv"] == 0
    expected = made.law.contribution("search", panel)[:, window].sum()
    assert truth.contribution["search"] == pytest.approx(expected)
    assert set(truth.responses) == {"tv", "search"}
    search = truth.responses["search"]
    assert search.money[5] == pytest.approx(
        float(panel["spend"].sel(channel="search")[:, -6:].sum())
    )
    assert search.outcome == sorted(search.outcome)
    assert not any(truth.responses["tv"].outcome)


def test_a_channel_that_rests_is_reopened_as_a_plan_does_it():
    rows = make_rows(2)
    last_weeks = rows["period_start"] >= rows["period_start"].max() - pd.Timedelta(weeks=7)
    rows.loc[last_weeks, ["act_tv", "spend_tv"]] = 0.0
    world = build_world(rows, make_spec())
    made = simulate(planned(), one_draw(world), world.panel, 2)
    truth = describe_truth(made, world.panel, world.metadata, 6)
    horizon = build_horizon(made.law.model, world.panel, world.metadata, horizon=6)
    assert set(truth.responses) == set(horizon.channels) == {"tv", "search"}
    today, tv = np.zeros(2), truth.responses["tv"]
    allocation = build_allocation(
        horizon.reference, horizon.history, horizon.channels, horizon.entities
    )
    for money, outcome in zip(tv.money, tv.outcome, strict=True):
        today[horizon.channels.index("tv")] = money
        by_plan = horizon.channel_outcomes(allocation.spend(today)[None])[0]
        brought = by_plan[horizon.channels.index("tv")].sum()
        # What it brought before the horizon still lasts, whatever the plan.
        assert outcome - tv.outcome[0] == pytest.approx(brought, rel=1e-6, abs=1e-6)
    assert tv.money[-1] > 0


def test_lift_tests_get_the_result_that_the_world_would_have_given():
    world = mmm_world(1, n_periods=60)
    made = simulate(planned(), one_draw(world), world.panel, 2)
    days = [str(d)[:10] for d in world.panel["date"].values]
    test = LiftTest(
        channel="tv", start=days[20], end=days[30], delta_spend=-100.0, delta_kpi=9e9,
        standard_error=1e-6,
    )  # fmt: skip
    rng = np.random.default_rng(0)
    (found,) = measure_tests(made.law, world.panel, world.metadata, [test], rng)
    model = made.law.model
    assert found.delta_kpi == pytest.approx(
        model.expected_lift(world.panel, [test])[0, 0], rel=1e-6
    )
    silent = Law(model, NAMES, ["tv"])
    (nothing,) = measure_tests(silent, world.panel, world.metadata, [test], rng)
    assert nothing.delta_kpi == pytest.approx(0, abs=1e-5)


def test_a_kind_says_whether_it_has_draws_of_its_priors():
    world = mmm_world()
    draws = MMM.draw_prior(world.panel, world.inputs, 3, seed=1)
    assert MMM.open(draws, world.inputs).expected(world.panel).shape[0] == 3
    log = log_world()
    assert kind_of(log.metadata).draw_prior(log.panel, log.inputs, 3, seed=1) is None


def test_a_world_is_a_law_and_a_kpi():
    world = mmm_world(2)
    made = simulate(planned(), one_draw(world), world.panel, 1)
    assert isinstance(made, World)
    assert (made.kpi > 0).all()
