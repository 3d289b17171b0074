"""The test of uniform ranks: it passes uniform ones and finds the usual faults."""

import numpy as np
import pytest

from benchmarks.recovery.ranks import (
    N_RANKED,
    base_world,
    draw_truths,
    judge_families,
    measure_uniformity,
    simulate_kpi,
)
from tasks.models.mmm.constants import fit_constants
from tasks.models.mmm.derive import publish_points
from tasks.models.mmm.fitted import MmmFitted

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


def test_a_simulated_kpi_scatters_around_the_truth_as_its_noise_says():
    world = base_world()
    constants = fit_constants(world.panel, world.inputs)
    assert not constants.non_negative_baseline
    assert not len(constants.lift.test)
    (point,) = draw_truths(constants, 1, seed=4)
    truth = publish_points(point[None, None], constants)
    scale = world.inputs.scales["kpi_scale"].to_numpy()[:, None]
    expected = MmmFitted(truth, world.inputs).expected(world.panel)[0] / scale
    kpi = np.stack([simulate_kpi(truth, world, seed=seed) for seed in range(200)])
    assert kpi.shape[1:] == constants.kpi.shape
    spread = truth["y_sigma"] / np.sqrt(1 - truth["y_rho"] ** 2)
    residual = (kpi - expected) / spread.to_numpy().reshape(-1, 1)
    assert abs(residual.mean()) < 0.02
    assert residual.std() == pytest.approx(1, abs=0.02)


def test_truths_do_not_share_quantiles():
    world = base_world()
    constants = fit_constants(world.panel, world.inputs)
    halves = [
        (draw_truths(constants, 2, seed)[:, constants.table.offsets()["log_share_mean"]])
        for seed in range(40)
    ]
    center = constants.table["log_share_mean"].first[0]
    above = [(half > center).sum() for half in halves]
    # Two even quantiles would always lie on both sides of the median.
    assert {0, 1, 2} == set(above)
