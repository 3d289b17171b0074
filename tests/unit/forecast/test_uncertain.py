"""Media that nobody has planned: other paths of their own past, which facts do not follow."""

import numpy as np
from support.worlds import fitted_model, log_world, mmm_world

from schemas.spec.run_spec import Grain
from tasks.forecast.forecast import continue_panel, forecast_kpi
from tasks.forecast.uncertain import draw_changes, vary_coming

N_PAST, HORIZON = 120, 13


def continued_world(build=mmm_world):
    world = build(2, n_periods=N_PAST)
    return world, continue_panel(world.panel, world.metadata, HORIZON)


def weeks_of(panel):
    return {tuple(week.ravel()) for week in panel["media"].transpose("date", ...).to_numpy()}


def test_another_path_is_made_of_weeks_that_happened_and_leaves_the_past():
    world, continued = continued_world()
    varied = vary_coming(continued, N_PAST, Grain.WEEK, np.random.default_rng(1))
    past, coming = varied.isel(date=slice(N_PAST)), varied.isel(date=slice(N_PAST, None))
    assert past["media"].equals(world.panel["media"])
    weeks = {tuple(week.ravel()) for week in world.panel["media"].transpose("date", ...).to_numpy()}
    assert {
        tuple(week.ravel()) for week in coming["media"].transpose("date", ...).to_numpy()
    } <= weeks
    assert not coming["media"].equals(continued["media"].isel(date=slice(N_PAST, None)))


def test_a_control_moves_together_by_a_few_weeks_from_a_year_before():
    world, continued = continued_world()
    price = world.panel["controls"].sel(control="price").to_numpy()
    for seed in range(6):
        varied = vary_coming(continued, N_PAST, Grain.WEEK, np.random.default_rng(seed))
        coming = varied["controls"].sel(control="price").to_numpy()[:, N_PAST:]
        first = N_PAST - 52
        assert any(
            np.array_equal(coming, price[:, first + shift : first + shift + HORIZON])
            for shift in range(-4, 5)
        )


def test_intervals_hold_the_spread_of_the_paths_and_the_same_seed_the_same_forecast():
    for build in (mmm_world, log_world):
        world, continued = continued_world(build)
        model = fitted_model(world)
        said = {"horizon": HORIZON, "seed": 3}
        repeated = forecast_kpi(model, world.panel, world.metadata, **said)
        uncertain = forecast_kpi(model, world.panel, world.metadata, **said, paths=30)
        again = forecast_kpi(model, world.panel, world.metadata, **said, paths=30)
        assert uncertain.equals(again)
        assert np.isfinite(uncertain["kpi_p95"]).all()
        assert not uncertain["expected_mean"].equals(repeated["expected_mean"])
        changes = draw_changes(model, continued, N_PAST, Grain.WEEK, paths=5, seed=1)
        assert changes.shape == (5, 2, HORIZON)
        assert np.ptp(changes, axis=0).min() > 0


def test_media_that_always_were_the_same_leave_nothing_uncertain():
    world, _ = continued_world()
    flat = world.panel.assign(
        media=world.panel["media"] * 0 + 5.0, controls=world.panel["controls"] * 0
    )
    continued = continue_panel(flat, world.metadata, HORIZON)
    changes = draw_changes(fitted_model(world), continued, N_PAST, Grain.WEEK, paths=4, seed=1)
    np.testing.assert_allclose(changes, 0.0, atol=1e-9)
