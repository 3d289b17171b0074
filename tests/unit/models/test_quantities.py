"""Which draws are kept of many, and what they are worth."""

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from support.worlds import mmm_world, prior_draws

from tasks.models.quantities import pick_draws, thin_draws


def numbered(n_chains, n_draws):
    """Draws whose value is their place, chain by chain; a second variable has it as well."""
    place = np.arange(n_chains * n_draws, dtype=float).reshape(n_chains, n_draws)
    return xr.Dataset(
        {
            "a": (("chain", "draw"), place),
            "b": (("chain", "draw", "channel"), np.stack([place, place + 0.5], axis=-1)),
        },
        coords={"chain": np.arange(n_chains), "draw": np.arange(n_draws), "channel": ["x", "y"]},
    )


@given(st.integers(1, 4), st.integers(1, 60), st.data())
def test_exactly_as_many_different_draws_as_asked_evenly_from_all(n_chains, n_draws, data):
    n_all = n_chains * n_draws
    wanted = data.draw(st.integers(1, n_all))
    kept = pick_draws(numbered(n_chains, n_draws), wanted)["a"].to_numpy()
    assert kept.shape == (1, wanted)
    assert len(np.unique(kept)) == wanted
    assert (np.diff(kept) > 0).all()
    if wanted > 1:
        assert np.diff(kept).max() - np.diff(kept).min() <= 1
        assert (kept[0, 0], kept[0, -1]) == (0, n_all - 1)


def test_four_of_two_chains_of_five_hand_computed():
    # Places 0, 3, 6 and 9 of ten: two of each chain.
    assert pick_draws(numbered(2, 5), 4)["a"].to_numpy().tolist() == [[0, 3, 6, 9]]


def test_all_draws_are_all_draws_in_their_order():
    assert pick_draws(numbered(2, 3), 6)["a"].to_numpy().tolist() == [[0, 1, 2, 3, 4, 5]]


def test_variables_of_one_draw_stay_together():
    for seed in (None, 4):
        kept = pick_draws(numbered(3, 7), 8, seed=seed)
        assert kept["b"].dims == ("chain", "draw", "channel")
        np.testing.assert_array_equal(kept["b"].sel(channel="y") - 0.5, kept["a"])


def test_a_seed_shuffles_the_same_draws_and_always_in_the_same_way():
    draws = numbered(2, 30)
    plain, one, again, other = (
        pick_draws(draws, 20, seed=s)["a"].to_numpy()[0] for s in (None, 1, 1, 2)
    )
    assert sorted(one) == plain.tolist()
    np.testing.assert_array_equal(one, again)
    assert (one != plain).any()
    assert (one != other).any()


@pytest.mark.parametrize("pick", [pick_draws, thin_draws])
def test_what_is_kept_can_be_opened_as_a_model(pick):
    from support.worlds import fitted_model

    world = mmm_world(2)
    draws = prior_draws(world, n_draws=10)
    kept = pick(draws, 10)
    assert fitted_model(world, kept).expected(world.panel).shape[0] == 10
    assert set(kept.data_vars) == set(draws.data_vars)
