"""One budget over several models: one KPI each, or brands with channels of their own."""

from dataclasses import replace

import numpy as np
import pytest
from support.plans import ask, planned_fit
from support.worlds import build_world, make_rows, make_spec, mmm_world, prior_draws

from schemas.documents.plan import Plan
from schemas.errors import SpecError
from schemas.spec.optimizer import ChannelBounds, GroupBounds, PlanBounds


@pytest.fixture(scope="module")
def world():
    return mmm_world(1)


@pytest.fixture(scope="module")
def fit(world):
    return planned_fit(world)


def other_brand(factor=1.5, n_entities=1):
    """Another brand: other rows, other spend, its own draws."""
    rows = make_rows(n_entities, seed=5)
    rows[["spend_search", "act_tv", "spend_tv"]] *= factor
    world = build_world(rows, make_spec())
    return planned_fit(world, prior_draws(world, n_draws=50, seed=8), dataset_id="other")


def copies(world, weights):
    return [
        planned_fit(world, dataset_id=name, weight=weight)
        for name, weight in zip(("a", "b"), weights, strict=True)
    ]


@pytest.mark.parametrize("utility", ["mean", "cvar"])
def test_two_copies_of_a_model_with_half_the_weight_give_its_own_plan(world, fit, utility):
    single = ask(fit, utility=utility)
    double = ask(copies(world, (0.5, 0.5)), utility=utility)
    for name, channel in single.channels.items():
        assert double.channels[name].current == pytest.approx(channel.current)
        assert double.channels[name].candidate == pytest.approx(channel.candidate, rel=1e-4)
        assert double.channels[name].mroas_mean == pytest.approx(channel.mroas_mean, rel=1e-9)
    assert double.gain_mean == pytest.approx(single.gain_mean, rel=1e-3)
    assert double.incremental_mean == pytest.approx(single.incremental_mean, rel=1e-3)


def test_weights_add_up_what_models_bring(world, fit):
    rows = [{"channel": "tv", "change": 0.2}]
    single = ask(fit, what_if=rows)
    double = ask(copies(world, (2.0, 0.5)), what_if=rows)
    assert double.change_mean == pytest.approx(2.5 * single.change_mean, rel=1e-9)
    assert double.gain_mean == pytest.approx(2.5 * single.gain_mean, rel=1e-9)


def test_shared_money_is_counted_once(world):
    plan = ask(copies(world, (1.0, 1.0)), n_starts=1)
    assert plan.current_budget == pytest.approx(
        float(world.panel["spend"].isel(date=slice(-8, None)).sum()), rel=1e-9
    )
    for name, channel in plan.channels.items():
        cells = [c for c in plan.allocation if c.channel == name]
        assert len(cells) == 8
        assert sum(c.candidate for c in cells) == pytest.approx(channel.candidate)
    assert Plan.model_validate_json(plan.model_dump_json()) == plan


def test_separate_brands_share_one_budget_and_name_their_channels(fit):
    other = other_brand()
    plan = ask([fit, other], separate=True)
    names = {"world/tv", "world/search", "other/tv", "other/search"}
    assert set(plan.channels) == names
    alone = [ask(f, what_if=[{"channel": "tv", "change": 0}]) for f in (fit, other)]
    assert plan.current_budget == pytest.approx(sum(a.current_budget for a in alone))
    assert plan.budget == pytest.approx(plan.current_budget, rel=1e-6)
    assert {c.channel for c in plan.allocation} == names
    for name, channel in plan.channels.items():
        cells = [c.candidate for c in plan.allocation if c.channel == name]
        assert sum(cells) == pytest.approx(channel.candidate)
    assert plan.not_planned.keys() == {
        f"{brand}/{name}" for brand in ("world", "other") for name in ("email", "rival")
    }


def test_one_budget_for_two_brands_is_at_least_as_good_as_a_budget_each(fit):
    other = other_brand()
    together = ask([fit, other], separate=True)
    apart = [ask(f) for f in (fit, other)]
    assert together.gain_mean >= sum(p.gain_mean for p in apart) * (1 - 1e-4)


def test_separate_brands_can_be_planned_by_entity_and_written_by_hand(fit):
    other = other_brand(n_entities=2)
    plan = ask([fit, other], separate=True, by_entity=True, n_starts=1)
    assert {c.entity_id for c in plan.allocation if c.channel == "other/tv"} == {
        "market_0",
        "market_1",
    }
    rows = [{"channel": "other/tv", "entity_id": "market_1", "spend": 50.0}]
    written = ask([fit, other], separate=True, what_if=rows)
    cells = [c for c in written.allocation if (c.entity_id, c.channel) == ("market_1", "other/tv")]
    assert sum(c.candidate for c in cells) == pytest.approx(50.0)
    with pytest.raises(SpecError, match="market_1"):
        ask(
            [fit, other],
            separate=True,
            what_if=[{"channel": "world/tv", "entity_id": "market_1", "spend": 1.0}],
        )


def test_different_spend_in_two_models_is_refused_unless_it_is_separate(fit):
    with pytest.raises(SpecError, match=r"tv costs .* that is not the same money.*--separate"):
        ask([fit, other_brand()])


def test_models_of_one_money_cannot_be_planned_by_entity_or_period(world):
    for mode in ("by_entity", "flighting"):
        with pytest.raises(SpecError, match="by entity or by period are for one model"):
            ask(copies(world, (1.0, 1.0)), **{mode: True})


def test_models_that_end_on_different_days_are_refused(fit):
    shorter = planned_fit(mmm_world(1, n_periods=58), dataset_id="other")
    with pytest.raises(SpecError, match=r"plan different periods: world 2023-02-27 to .*, other"):
        ask([fit, shorter], separate=True)


def test_bounds_of_separate_brands_are_their_own(fit):
    screens = GroupBounds(name="screens", channels=["tv"], max_spend=900)
    mine = replace(
        fit,
        bounds=PlanBounds(
            channels={"search": ChannelBounds(low=0.95, high=1.05)}, groups=[screens]
        ),
    )
    plan = ask([mine, other_brand()], separate=True)
    search = plan.channels["world/search"]
    assert search.high == pytest.approx(1.05 * search.current)
    assert plan.channels["other/search"].high == pytest.approx(
        min(
            1.3 * plan.channels["other/search"].current, plan.channels["other/search"].observed_high
        )
    )
    assert plan.groups[0].channels == ["world/tv"]
    assert plan.channels["world/tv"].candidate <= 900 * (1 + 1e-6)


def test_a_channel_that_one_of_two_models_knows_may_move(world):
    fits = copies(world, (0.5, 0.5))
    one = [replace(fits[0], prior_driven=["tv"]), fits[1]]
    both = [replace(f, prior_driven=["tv"]) for f in fits]
    assert not ask(one, n_starts=1).channels["tv"].prior_driven
    held = ask(both, n_starts=1).channels["tv"]
    assert held.prior_driven
    assert held.candidate == pytest.approx(held.current)


def test_a_kpi_in_money_and_a_count_have_no_common_unit(world):
    count = mmm_world(1, kpi={"kind": "count"})
    fits = [planned_fit(world, dataset_id="a"), planned_fit(count, dataset_id="b")]
    plan = ask(fits, n_starts=1)
    assert plan.unit != "money"
    assert np.isfinite(plan.gain_mean)
