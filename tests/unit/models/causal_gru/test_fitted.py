"""What members say, whatever made them: parts, interventions, gradients and memory."""

import numpy as np
import pytest
from support.worlds import make_rows

from schemas.names import ComponentKind
from tasks.models.causal_gru.kind import CAUSAL_GRU
from tasks.models.causal_gru.recurrence import keep_shares, look_back, network_states
from tasks.models.lookback import longest_memory


@pytest.fixture
def opened(make_world, make_draws):
    def make(n_entities=2, **settings):
        world = make_world(n_entities, **settings)
        return CAUSAL_GRU.open(make_draws(world), world.inputs), world

    return make


def without(panel, channel):
    media = panel["media"].copy()
    media.loc[{"channel": channel}] = 0.0
    return panel.assign(media=media)


def test_parts_add_up_to_what_is_expected(opened):
    model, world = opened()
    parts = sum(model.contribution(c, world.panel) for c in model.components)
    np.testing.assert_allclose(parts, model.expected(world.panel), rtol=1e-10)


def test_a_channels_contribution_is_its_intervention(opened):
    """``do(channel = 0)`` on the fitted model takes exactly the channel's part, and no other's."""
    model, world = opened()
    whole = model.expected(world.panel)
    for component in model.components[:4]:
        changed = without(world.panel, component.name)
        taken = whole - model.expected(changed)
        np.testing.assert_allclose(
            model.contribution(component, world.panel), taken, rtol=1e-9, atol=1e-7
        )
        for other in model.components:
            if other.name != component.name:
                np.testing.assert_allclose(
                    model.contribution(other, changed), model.contribution(other, world.panel),
                    rtol=1e-9, atol=1e-9,
                )  # fmt: skip


def test_a_controls_contribution_is_its_intervention_media_as_they_ran(opened):
    model, world = opened()
    control = next(c for c in model.components if c.kind is ComponentKind.CONTROL)
    media = [c for c in model.components if c.kind is ComponentKind.CHANNEL]
    reference = world.inputs.scales["control_reference"].sel(control=control.name)
    controls = world.panel["controls"].copy()
    controls.loc[{"control": control.name}] = reference.broadcast_like(
        controls.sel(control=control.name)
    )
    changed = world.panel.assign(controls=controls)

    def rest(panel):
        return model.expected(panel) - sum(model.contribution(c, panel) for c in media)

    np.testing.assert_allclose(
        model.contribution(control, world.panel), rest(world.panel) - rest(changed), atol=1e-6
    )


def test_more_of_a_channel_never_brings_less_and_a_competitor_never_more(opened):
    model, world = opened(1)
    for component, kind in zip(model.components[:4], world.metadata.channels, strict=True):
        panel, sign = world.panel, -1.0 if kind.kind == "competitor" else 1.0
        before = model.contribution(component, panel)
        raised = panel.assign(media=panel["media"] * 1.3 + 1.0)
        assert (sign * (model.contribution(component, raised) - before) >= -1e-9).all()
        assert (sign * before >= 0).all()


def test_the_gradient_is_that_of_differences(opened):
    """Independent route: central differences of the expected KPI."""
    model, world = opened()
    rng = np.random.default_rng(5)
    panel = world.panel.assign(media=world.panel["media"] + 5.0)
    weights = rng.normal(size=model.expected(panel).shape)
    names = ["tv", "rival"]
    gradient = model.media_gradient(panel, weights, names)
    for channel, entity, date in [("tv", 0, 0), ("tv", 1, 40), ("rival", 1, 79), ("rival", 0, 33)]:
        place = {"channel": list(panel["channel"].values).index(channel), "entity": entity}
        ends = []
        for step in (-1e-3, 1e-3):
            media = panel["media"].copy()
            media[{**place, "date": date}] = media[{**place, "date": date}] + step
            ends.append((weights * model.expected(panel.assign(media=media))).sum())
        expected = (ends[1] - ends[0]) / 2e-3
        assert gradient[entity, names.index(channel), date] == pytest.approx(expected, rel=1e-4)


def test_a_period_knows_nothing_beyond_its_memory(opened):
    model, world = opened(1, memory_periods=3)
    n_memory = longest_memory(world.metadata)
    assert n_memory == 4 + 3 - 1
    whole, late = model.expected(world.panel), world.panel.isel(date=slice(30, None))
    np.testing.assert_allclose(
        model.expected(late)[..., n_memory - 1 :], whole[..., 30 + n_memory - 1 :], rtol=1e-10
    )


def test_the_future_never_changes_the_past(opened):
    model, world = opened(1)
    rows = make_rows(1, 80)
    later = world.panel.isel(date=slice(0, 50))
    assert len(rows) == 80
    np.testing.assert_allclose(
        model.expected(later), model.expected(world.panel)[..., :50], rtol=1e-10
    )


def test_a_look_back_is_a_stack_of_lags():
    values = np.arange(5.0).reshape(1, 1, 5)
    got = look_back(values, 3)
    assert got[:, 0, 0].tolist() == [[0, 0, 0, 1, 2], [0, 0, 1, 2, 3], [0, 1, 2, 3, 4]]


def test_units_keep_at_most_what_came_in(make_world, make_draws):
    world = make_world(2)
    samples = make_draws(world).stack(sample=("chain", "draw"))
    context = np.random.default_rng(1).normal(size=(2, samples.sizes["context"], 30))
    kept = keep_shares(samples, network_states(samples, context, 6))
    assert (kept >= 0).all()
    assert (kept.sum(axis=0) <= 1 + 1e-12).all()
