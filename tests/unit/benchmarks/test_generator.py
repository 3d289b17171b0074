"""Laws of the worlds that coverage is measured on."""

import numpy as np
import pytest

from benchmarks.recovery.generator import MEDIA_SHARE, SHAPES, Shape, generate_world


@pytest.mark.parametrize("index", range(4))
def test_a_world_keeps_what_it_states(index):
    shape = SHAPES[index]
    world = generate_world(50 + index, shape)
    kpi, truth = world.panel["kpi"].to_numpy(), world.truth.to_numpy()
    assert truth.shape == (shape.n_entities, shape.n_channels, shape.n_weeks)
    assert (truth >= 0).all()
    assert (kpi > 0).all()
    share = truth.sum(axis=(1, 2)) / kpi.sum(axis=1)
    assert (MEDIA_SHARE[0] * 0.8 < share).all()
    assert (share < MEDIA_SHARE[1] * 1.2).all()


def test_the_truth_is_labelled_as_the_panel_is():
    world = generate_world(3, SHAPES[3])
    for dim in ("entity", "channel", "date"):
        np.testing.assert_array_equal(world.truth[dim].values, world.panel[dim].values)


def test_a_channel_without_carried_spend_contributes_nothing():
    world = generate_world(4, Shape(n_weeks=60, n_entities=1, n_channels=4))
    spend = world.panel["spend"].transpose("entity", "channel", "date").to_numpy()
    before_first = spend.cumsum(axis=-1) == 0
    assert before_first.any()
    assert (world.truth.to_numpy()[before_first] == 0).all()


def test_a_seed_gives_the_same_world_and_another_one_another():
    one, same, other = (generate_world(seed, SHAPES[0]) for seed in (5, 5, 6))
    np.testing.assert_array_equal(one.rows["sales"], same.rows["sales"])
    assert not np.array_equal(one.rows["sales"], other.rows["sales"])
