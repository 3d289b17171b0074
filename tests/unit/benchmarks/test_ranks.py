"""The test of uniform ranks: it passes uniform ones and finds the usual faults."""

import numpy as np
import pytest

from benchmarks.recovery.ranks import N_RANKED, judge_families, measure_uniformity

N_SIMULATIONS = 200


def ranks_of(truth_sd=1.0, shift=0.0, *, n_simulations=N_SIMULATIONS):
    """Ranks of truths among standard normal draws, for two scalars of one family."""
    rng = np.random.default_rng(8)
    truth = shift + truth_sd * rng.standard_normal((n_simulations, 2))
    draws = rng.standard_normal((n_simulations, 2, N_RANKED))
    ranks = (draws < truth[..., None]).sum(axis=-1)
    return [{"alpha[0]": int(a), "alpha[1]": int(b)} for a, b in ranks]


@pytest.mark.parametrize("n_simulations", [20, 50, 200])
def test_calibrated_ranks_pass(n_simulations):
    p = judge_families(measure_uniformity(ranks_of(n_simulations=n_simulations)))
    assert p["alpha"] > 0.01


@pytest.mark.parametrize(
    ("truth_sd", "shift"),
    [(1.6, 0.0), (0.6, 0.0), (1.0, 0.5)],
    ids=["too-narrow", "too-wide", "biased"],
)
def test_faults_are_found(truth_sd, shift):
    p = judge_families(measure_uniformity(ranks_of(truth_sd, shift)))
    assert p["alpha"] < 0.001


def test_draws_that_are_too_low_show_in_the_mean_rank():
    low, _ = measure_uniformity(ranks_of(shift=1.0))
    assert low.mean_rank > 0.6
    assert low.family == "alpha"
