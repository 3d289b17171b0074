"""How variables are spread over cells: hand-computed cases and the laws of a linear map."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tasks.optimize.allocation import build_allocation

MODES = [(False, False), (True, False), (False, True), (True, True)]
MODE = st.sampled_from(MODES)
SPEND = arrays(float, (3, 2, 4), elements=st.sampled_from([0.0, 1.0, 7.5, 300.0]))
HISTORY = arrays(float, (3, 2), elements=st.sampled_from([0.0, 40.0, 900.0]))


def allocate(reference, history=None, *, by_entity=False, flighting=False):
    n_entities, n_channels, _ = reference.shape
    history = np.ones((n_entities, n_channels)) if history is None else history
    return build_allocation(
        reference, history,
        [f"c{i}" for i in range(n_channels)], [f"e{i}" for i in range(n_entities)],
        by_entity=by_entity, flighting=flighting,
    )  # fmt: skip


def test_one_variable_per_channel_keeps_the_proportions_of_the_reference_window():
    # Two entities, one channel, two periods: 10 of 100, 30, 40 and 20.
    got = allocate(np.array([[[10.0, 30.0]], [[40.0, 20.0]]]))
    assert got.n_variables == 1
    np.testing.assert_array_equal(got.current, [100.0])
    np.testing.assert_allclose(got.spend(np.array([200.0]))[:, 0], [[20, 60], [80, 40]])


def test_one_variable_per_entity_keeps_the_proportions_over_periods():
    got = allocate(np.array([[[10.0, 30.0]], [[40.0, 20.0]]]), by_entity=True)
    np.testing.assert_array_equal(got.current, [40.0, 60.0])
    np.testing.assert_allclose(got.spend(np.array([80.0, 6.0]))[:, 0], [[20, 60], [4, 2]])


def test_one_variable_per_period_keeps_the_proportions_over_entities():
    got = allocate(np.array([[[10.0, 30.0]], [[40.0, 20.0]]]), flighting=True)
    np.testing.assert_array_equal(got.current, [50.0, 50.0])
    np.testing.assert_allclose(got.spend(np.array([5.0, 100.0]))[:, 0], [[1, 60], [4, 40]])


def test_with_entities_and_periods_every_cell_is_a_variable():
    reference = np.arange(1.0, 9.0).reshape(2, 2, 2)
    got = allocate(reference, by_entity=True, flighting=True)
    assert got.n_variables == 8
    np.testing.assert_array_equal(got.share, np.ones((2, 2, 2)))
    np.testing.assert_array_equal(got.spend(got.current), reference)


def test_a_channel_that_was_off_is_split_as_ever_spent_and_evenly_over_periods():
    reference = np.array([[[0.0, 0.0]], [[0.0, 0.0]]])
    got = allocate(reference, np.array([[30.0], [90.0]]))
    np.testing.assert_allclose(got.spend(np.array([80.0]))[:, 0], [[10, 10], [30, 30]])


def test_a_period_that_was_off_is_split_as_ever_spent():
    # The second period was off; a variable of its own would otherwise have nowhere to go.
    reference = np.array([[[10.0, 0.0]], [[40.0, 0.0]]])
    got = allocate(reference, np.array([[30.0], [90.0]]), flighting=True)
    np.testing.assert_allclose(got.spend(np.array([50.0, 80.0]))[:, 0], [[10, 20], [40, 60]])


def test_what_was_never_spent_anywhere_is_split_evenly():
    got = allocate(np.zeros((2, 1, 2)), np.zeros((2, 1)))
    np.testing.assert_allclose(got.spend(np.array([8.0]))[:, 0], [[2, 2], [2, 2]])


@settings(max_examples=40)
@given(SPEND, HISTORY, MODE)
def test_shares_of_every_variable_add_up_to_one(reference, history, mode):
    got = allocate(reference, history, by_entity=mode[0], flighting=mode[1])
    sums = np.bincount(got.variable.ravel(), weights=got.share.ravel())
    np.testing.assert_allclose(sums, 1.0, rtol=1e-12)
    assert (got.share >= 0).all()


@settings(max_examples=40)
@given(SPEND, HISTORY, MODE, st.integers(0, 2**31))
def test_gathering_cells_is_the_transpose_of_spreading_money(reference, history, mode, seed):
    got = allocate(reference, history, by_entity=mode[0], flighting=mode[1])
    rng = np.random.default_rng(seed)
    money, cells = rng.uniform(size=got.n_variables), rng.normal(size=reference.shape)
    assert (got.spend(money) * cells).sum() == pytest.approx(money @ got.gather(cells), abs=1e-12)


@settings(max_examples=40)
@given(SPEND, HISTORY, MODE)
def test_todays_variables_spend_what_was_spent(reference, history, mode):
    got = allocate(reference, history, by_entity=mode[0], flighting=mode[1])
    np.testing.assert_allclose(got.spend(got.current), reference, rtol=1e-12, atol=1e-9)
    np.testing.assert_allclose(got.by_channel(got.current), reference.sum(axis=(0, 2)), rtol=1e-12)
