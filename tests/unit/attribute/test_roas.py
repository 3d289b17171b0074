"""ROAS, marginal ROAS and cost per unit against hand-made numbers."""

import numpy as np
import pytest
from support.worlds import build_world as through_features
from support.worlds import fitted_model, log_world, make_rows, make_spec, mmm_world

from schemas.names import MARGINAL_STEP
from tasks.attribute.contribution import attribute_kpi
from tasks.attribute.roas import (
    ROAS_BY_ENTITY_COLUMNS,
    measure_roas,
    tabulate_roas,
)
from tasks.mathematics.draws import hdi
from tasks.mathematics.panel import estimation_window
from tasks.models.returns import channel_quantiles


def split_of(world):
    return attribute_kpi(fitted_model(world), world.panel, world.window, seed=1)


def measured(world, driven=()):
    return measure_roas(fitted_model(world), world.panel, split_of(world), world.metadata, driven)


def by_entity(world):
    table = tabulate_roas(world.panel, split_of(world), world.metadata)
    assert tuple(table.columns) == ROAS_BY_ENTITY_COLUMNS
    return table.set_index(["entity_id", "channel"])


def contribution(world, channel):
    model = fitted_model(world)
    component = next(c for c in model.components if c.name == channel)
    return model.contribution(component, world.panel)[:, :, world.window]


@pytest.fixture(scope="module")
def linear():
    return mmm_world(2, "geometric", "none", carryover_months=2)


def test_roas_hand_computed(linear):
    got = measured(linear)["tv"]
    window = linear.frame[linear.frame["is_estimation"]]
    assert got["spend"] == pytest.approx(window["spend_tv"].sum(), rel=1e-12)
    total = contribution(linear, "tv").sum(axis=(1, 2))
    assert got["contribution_mean"] == pytest.approx(total.mean(), rel=1e-12)
    assert got["roas_mean"] == pytest.approx(total.mean() / got["spend"], rel=1e-12)
    assert got["roas_low"] == pytest.approx(got["contribution_low"] / got["spend"], rel=1e-12)
    assert got["roas_low"] <= got["roas_mean"] <= got["roas_high"]


def test_a_linear_channel_returns_the_same_for_the_next_unit(linear):
    for channel in ("tv", "search"):
        row = measured(linear)[channel]
        assert row["mroas_mean"] == pytest.approx(row["roas_mean"], rel=1e-6)


@pytest.mark.parametrize("make", [lambda: mmm_world(1, "none", "michaelis_menten"), log_world])
def test_marginal_roas_hand_computed(make):
    world = make()
    model = fitted_model(world)
    raised = world.panel.copy(deep=True)
    raised["media"].loc[{"channel": "tv"}] *= 1 + MARGINAL_STEP
    gain = (model.expected(raised) - model.expected(world.panel))[..., world.window]
    row = measured(world)["tv"]
    by_hand = gain.sum(axis=(1, 2)).mean() / (MARGINAL_STEP * row["spend"])
    assert row["mroas_mean"] == pytest.approx(by_hand, rel=1e-9)


def test_a_saturated_channel_returns_less_for_the_next_unit():
    row = measured(mmm_world(1, "none", "michaelis_menten"))["tv"]
    assert 0 < row["mroas_mean"] < row["roas_mean"]


def test_revenue_has_no_cost_per_unit(linear):
    assert not any(k.startswith("cost_per_unit") for row in measured(linear).values() for k in row)


def test_cost_per_unit_of_a_count_hand_computed():
    world = mmm_world(kpi={"kind": "count"})
    row = measured(world)["tv"]
    assert row["roas_mean"] is None
    assert row["mroas_mean"] is None
    assert row["cost_per_unit_mean"] == pytest.approx(row["spend"] / row["contribution_mean"])
    assert row["cost_per_unit_low"] == pytest.approx(row["spend"] / row["contribution_high"])
    assert row["cost_per_unit_high"] == pytest.approx(row["spend"] / row["contribution_low"])


def test_a_value_per_unit_turns_a_count_into_money():
    count = measured(mmm_world(kpi={"kind": "count", "value_per_unit": 4.0}))["tv"]
    revenue = measured(mmm_world())["tv"]
    assert count["roas_mean"] == pytest.approx(4 * revenue["roas_mean"], rel=1e-9)
    assert count["mroas_mean"] == pytest.approx(4 * revenue["mroas_mean"], rel=1e-9)
    assert count["cost_per_unit_mean"] == pytest.approx(
        count["spend"] / count["contribution_mean"], rel=1e-12
    )


def test_a_value_column_weighs_each_period():
    rows = make_rows()
    rows["value_per_unit"] = np.linspace(1, 3, len(rows))
    spec = make_spec(kpi={"kind": "count", "value_per_unit": "value_per_unit"})
    world = through_features(rows, spec)
    row = measured(world)["search"]
    weighed = (contribution(world, "search") * rows["value_per_unit"].to_numpy()).sum(axis=(1, 2))
    assert row["roas_mean"] == pytest.approx(weighed.mean() / row["spend"], rel=1e-12)


@pytest.mark.parametrize("kind", ["revenue", "count"])
def test_channels_without_spend_have_no_returns(kind):
    result = measured(mmm_world(kpi={"kind": kind}))
    for channel in ("email", "rival"):
        row = result[channel]
        assert row["spend"] is None
        assert row["roas_mean"] is row["roas_low"] is row["roas_high"] is row["mroas_mean"] is None
        assert row["contribution_mean"] != 0
        assert row.get("cost_per_unit_mean") is None


@pytest.mark.parametrize("kind", ["revenue", "count"])
def test_a_channel_that_spent_nothing_has_no_returns(kind):
    rows = make_rows()
    rows["spend_tv"] = 0.0
    row = measured(through_features(rows, make_spec(kpi={"kind": kind})))["tv"]
    assert row["spend"] == 0.0
    assert row["roas_mean"] is None
    assert row.get("cost_per_unit_mean") is None


def test_prior_driven_channels_are_marked(linear):
    result = measured(linear, driven=["search"])
    assert [name for name, row in result.items() if row["prior_driven"]] == ["search"]


@pytest.mark.parametrize("make", [mmm_world, log_world])
def test_entities_add_up_to_the_channel(make):
    world = make(2)
    table, whole = by_entity(world), measured(world)
    for channel, row in whole.items():
        entities = table.xs(channel, level="channel")
        assert entities["contribution_mean"].sum() == pytest.approx(row["contribution_mean"])
        if row["spend"] is not None:
            assert entities["spend"].sum() == pytest.approx(row["spend"], rel=1e-12)
            worth = (entities["roas_mean"] * entities["spend"]).sum()
            assert worth == pytest.approx(row["roas_mean"] * row["spend"], rel=1e-9)


def test_roas_of_an_entity_hand_computed():
    rows = make_rows(2)
    rows["value_per_unit"] = np.linspace(1, 3, len(rows))
    spec = make_spec(kpi={"kind": "count", "value_per_unit": "value_per_unit"})
    world = through_features(rows, spec)
    got = by_entity(world).loc[("market_1", "tv")]
    market = rows[rows["entity_id"] == "market_1"]
    draws = contribution(world, "tv")[:, 1]
    worth = (draws * market["value_per_unit"].to_numpy()).sum(axis=1)
    spend = market["spend_tv"].sum()
    assert got["spend"] == pytest.approx(spend, rel=1e-12)
    assert got["roas_mean"] == pytest.approx(worth.mean() / spend, rel=1e-9)
    np.testing.assert_allclose(got[["roas_low", "roas_high"]], hdi(worth / spend), rtol=1e-9)
    ends = got[["contribution_low", "contribution_high"]]
    np.testing.assert_allclose(ends, hdi(draws.sum(axis=1)), rtol=1e-9)


def test_an_entity_without_spend_or_a_kpi_without_value_has_no_roas():
    rows = make_rows(2)
    rows.loc[rows["entity_id"] == "market_1", "spend_search"] = 0.0
    table = by_entity(through_features(rows, make_spec()))
    assert table.loc[("market_1", "search"), "spend"] == 0
    assert table["spend"].xs("email", level="channel").isna().all()
    returns = table[["roas_mean", "roas_low", "roas_high"]].notna()
    assert returns.all(axis=1).sum() == returns.any(axis=1).sum() == 3
    assert not returns.loc[("market_1", "search")].any()
    counted = by_entity(mmm_world(2, kpi={"kind": "count"}))
    assert counted["roas_mean"].isna().all()
    assert counted["contribution_mean"].notna().all()


def test_rows_are_sorted_by_entity_and_channels_keep_their_order():
    table = by_entity(mmm_world(3))
    channels = ["tv", "search", "email", "rival"]
    assert table.index.tolist() == [(f"market_{e}", c) for e in range(3) for c in channels]


def test_quantiles_are_those_of_the_contributions():
    world = mmm_world(2, "geometric", "michaelis_menten", carryover_months=1)
    rows = channel_quantiles(
        split_of(world).channels, estimation_window(world.panel), world.metadata
    )
    share = contribution(world, "tv").sum(axis=(1, 2))
    share /= float(world.panel["kpi"].values[:, world.window].sum())
    assert rows["tv"]["share_median"] == pytest.approx(np.median(share))
    assert rows["tv"]["share_low_90"] == pytest.approx(np.quantile(share, 0.05))
    mean = measured(world)["tv"]["roas_mean"]
    assert rows["tv"]["roas_low_90"] < mean < rows["tv"]["roas_high_90"]
    assert rows["email"]["roas_median"] is None
