"""What counts of a plan's outcome: carryover out and not in, units, and the reference window."""

import numpy as np
import pytest
import xarray as xr
from support.plans import horizon_of, planned_fit
from support.worlds import (
    PAID,
    build_world,
    log_world,
    make_rows,
    make_spec,
    mmm_world,
    prior_draws,
)

from tasks.optimize.allocation import build_allocation
from tasks.optimize.outcome import planned_channels
from tasks.optimize.response import PanelResponse, Piece

HORIZON = 6
EFFECT = 2.0
"""KPI units per unit of input, in the linear world."""


def linear_fit(n_entities=1, **settings):
    """Linear response, half of the effect a period later: ``EFFECT`` per unit of input in all."""
    world = mmm_world(n_entities, "geometric", "none", l_max=2, **settings)
    draws = prior_draws(world, n_draws=1).isel(chain=slice(0, 1))
    draws["adstock_alpha"] = xr.full_like(draws["adstock_alpha"], 1.0 - 1e-12)
    scales = world.inputs.scales
    beta = EFFECT * scales["media_scale"] / scales["kpi_scale"]
    draws["saturation_beta"] = beta.broadcast_like(draws["saturation_beta"]).transpose(
        *draws["saturation_beta"].dims
    )
    return planned_fit(world, draws)


def response_of(horizon, **modes):
    allocation = build_allocation(
        horizon.reference, horizon.history, horizon.channels, horizon.entities, **modes
    )
    places = np.arange(allocation.n_variables)
    return PanelResponse([Piece(horizon, allocation, places)]), allocation


def only(horizon, channel, period, money):
    spend = np.zeros_like(horizon.reference)
    spend[0, horizon.channels.index(channel), period] = money
    return spend


@pytest.mark.parametrize("period", [0, 2, HORIZON - 1], ids=["first", "middle", "last"])
def test_linear_spend_brings_its_whole_effect_in_whatever_period_it_falls(period):
    # Half of the last planned period's effect falls after the horizon and still counts.
    horizon = horizon_of(linear_fit(), horizon=HORIZON)
    nothing = horizon.outcome(np.zeros_like(horizon.reference))
    search = horizon.outcome(only(horizon, "search", period, 10.0)) - nothing
    np.testing.assert_allclose(search, EFFECT * 10.0, rtol=1e-9)


def test_money_buys_input_at_the_price_of_the_reference_window():
    # A unit of tv costs 2.5: ten of money buy four units.
    horizon = horizon_of(linear_fit(), horizon=HORIZON)
    nothing = horizon.outcome(np.zeros_like(horizon.reference))
    tv = horizon.outcome(only(horizon, "tv", 3, 10.0)) - nothing
    np.testing.assert_allclose(tv, EFFECT * 4.0, rtol=1e-3)


def test_carryover_of_what_was_spent_before_is_not_credited_to_the_plan():
    # Half of the last fitted period's effect falls into the horizon, whatever is planned.
    horizon = horizon_of(linear_fit(), horizon=HORIZON)
    nothing = horizon.outcome(np.zeros_like(horizon.reference))
    last = horizon.panel["media"].sel(channel=list(PAID)).values[0, :, horizon.start - 1]
    assert nothing == pytest.approx(EFFECT * last.sum() / 2, rel=1e-6)
    response, allocation = response_of(horizon)
    assert response.totals(np.zeros(2)) == pytest.approx(0, abs=1e-12)
    bought = (horizon.reference.sum(axis=2) * horizon.rate).sum()
    assert response.totals(allocation.current) == pytest.approx(EFFECT * bought, rel=1e-6)


def test_outcome_of_a_saturating_model_with_carryover_over_a_whole_run_of_periods():
    # An independent route: the model on the whole history with the plan appended.
    world = mmm_world(2, "delayed", "hill", l_max=3)
    fit = planned_fit(world, prior_draws(world, n_draws=3))
    horizon = horizon_of(fit, horizon=HORIZON)
    rng = np.random.default_rng(0)
    spend = horizon.reference * rng.uniform(0, 2, horizon.reference.shape)
    from schemas.names import ComponentKind
    from schemas.spec.run_spec import Grain
    from tasks.mathematics.horizon_panel import extend_panel
    from tasks.models.contract import Component

    longer = extend_panel(world.panel, Grain.WEEK, HORIZON + 2, like_last=HORIZON)
    media = longer["media"].copy(deep=True)
    start = world.panel.sizes["date"]
    for place, name in enumerate(horizon.channels):
        index = list(longer["channel"].values).index(name)
        media.values[:, index, start:] = 0
        bought = spend[:, place] * horizon.rate[:, place, None]
        media.values[:, index, start : start + HORIZON] = bought
    longer = longer.assign(media=media)
    expected = sum(
        fit.model.contribution(Component(name, ComponentKind.CHANNEL), longer)[:, :, start:]
        for name in horizon.channels
    ).sum(axis=(1, 2))
    np.testing.assert_allclose(horizon.outcome(spend), expected, rtol=1e-10)


@pytest.mark.parametrize(
    "chunk", [1, 300, 10**7], ids=["one by one", "some at once", "all at once"]
)
def test_plans_evaluated_in_a_row_equal_plans_evaluated_one_by_one(monkeypatch, chunk):
    monkeypatch.setattr("tasks.optimize.outcome.MAX_CELLS", chunk)
    world = mmm_world(2, "weibull_pdf", "hill")
    horizon = horizon_of(planned_fit(world, prior_draws(world)), horizon=HORIZON)
    rng = np.random.default_rng(1)
    spends = horizon.reference * rng.uniform(0, 3, (5, *horizon.reference.shape))
    together = horizon.channel_outcomes(spends)
    for plan, spend in enumerate(spends):
        media = horizon.with_spend(spend)
        alone = [_channel_outcome(horizon, name, media) for name in horizon.channels]
        np.testing.assert_allclose(together[plan], np.stack(alone), rtol=1e-12)


def _channel_outcome(horizon, name, panel):
    from schemas.names import ComponentKind
    from tasks.models.contract import Component

    kpi = horizon.model.contribution(Component(name, ComponentKind.CHANNEL), panel)
    return kpi[:, :, horizon.start :].sum(axis=2)


@pytest.mark.parametrize("world", [mmm_world(3), log_world(2)], ids=["mmm", "log"])
def test_spending_as_in_the_reference_window_buys_its_input_again(world):
    horizon = horizon_of(planned_fit(world), horizon=HORIZON)
    again = horizon.with_spend(horizon.reference)["media"]
    planned = slice(horizon.start, horizon.start + HORIZON)
    recent = world.panel["media"].isel(date=slice(-HORIZON, None))
    for name in horizon.channels:
        np.testing.assert_allclose(
            again.sel(channel=name).values[:, planned],
            recent.sel(channel=name).transpose("entity", "date").values,
            rtol=1e-3,  # spend is rounded to cents, so a unit's price is not quite constant
            atol=0.02,
        )


def test_planned_channels_are_those_that_cost_money():
    assert planned_channels(mmm_world(1).panel) == PAID


def test_what_is_not_planned_goes_on_as_in_the_reference_window():
    world = mmm_world(1)
    horizon = horizon_of(planned_fit(world), horizon=HORIZON)
    email = horizon.with_spend(horizon.reference)["media"].sel(channel="email").values[0]
    recent = world.panel["media"].sel(channel="email").values[0, -HORIZON:]
    np.testing.assert_array_equal(email[horizon.start : horizon.start + HORIZON], recent)
    np.testing.assert_array_equal(email[horizon.start + HORIZON :], recent[:3])


def test_planned_channels_are_off_after_the_horizon():
    horizon = horizon_of(planned_fit(mmm_world(1)), horizon=HORIZON)
    after = horizon.with_spend(horizon.reference)["media"].sel(channel=list(PAID))
    assert (after.values[:, :, horizon.start + HORIZON :] == 0).all()
    assert after.sizes["date"] == horizon.start + HORIZON + 3


def test_a_kpi_unit_counts_with_its_value():
    kpi = {"kind": "count", "value_per_unit": 4.0}
    plain, valued = (horizon_of(linear_fit(**s), horizon=HORIZON) for s in ({}, {"kpi": kpi}))
    np.testing.assert_allclose(
        valued.outcome(valued.reference), 4.0 * plain.outcome(plain.reference), rtol=1e-9
    )


def test_a_count_without_a_value_is_counted():
    plain, count = (
        horizon_of(linear_fit(**s), horizon=HORIZON) for s in ({}, {"kpi": {"kind": "count"}})
    )
    np.testing.assert_allclose(count.outcome(count.reference), plain.outcome(plain.reference))


def test_the_weight_of_a_model_multiplies_its_outcome_and_gradient():
    from tasks.optimize.outcome import build_horizon

    for world in (mmm_world(1), log_world(1)):
        fit = planned_fit(world, prior_draws(world))
        one, three = (
            build_horizon(fit.model, fit.panel, fit.metadata, horizon=HORIZON, weight=w)
            for w in (1.0, 3.0)
        )
        weights = np.full(8, 1 / 8)
        np.testing.assert_allclose(three.outcome(one.reference), 3 * one.outcome(one.reference))
        np.testing.assert_allclose(
            three.gradient(one.reference, weights), 3 * one.gradient(one.reference, weights)
        )


def test_a_channel_that_is_off_in_the_reference_window_has_the_price_of_its_history():
    rows = make_rows(1)
    rows.loc[rows.index[-10:], ["act_tv", "spend_tv"]] = 0.0
    world = build_world(rows, make_spec())
    horizon = horizon_of(planned_fit(world), horizon=HORIZON)
    assert horizon.rate[0, horizon.channels.index("tv")] == pytest.approx(1 / 2.5, rel=1e-3)


def test_an_entity_that_never_spent_has_the_price_of_the_others():
    rows = make_rows(2)
    rows.loc[rows["entity_id"] == "market_1", ["act_tv", "spend_tv"]] = 0.0
    horizon = horizon_of(planned_fit(build_world(rows, make_spec())), horizon=HORIZON)
    tv = horizon.rate[:, horizon.channels.index("tv")]
    assert tv[1] == pytest.approx(1 / 2.5, rel=1e-3)


def test_a_horizon_longer_than_history_repeats_it():
    world = mmm_world(1, n_periods=60)
    horizon = horizon_of(planned_fit(world, prior_draws(world)), horizon=70)
    assert horizon.reference.shape[2] == 70
    np.testing.assert_array_equal(horizon.reference[:, :, 60:], horizon.reference[:, :, :10])


def test_planned_periods_follow_the_history():
    horizon = horizon_of(planned_fit(mmm_world(1)), horizon=HORIZON)
    assert horizon.starts[0] == "2023-02-27"
    assert len(horizon.starts) == HORIZON
