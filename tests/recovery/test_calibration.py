"""Simulation-based calibration in small: no family of parameters is grossly out of rank."""

import pytest

from benchmarks.recovery.ranks import judge_families, measure_uniformity, simulate_ranks
from schemas.spec.sampler import SamplerSpec

pytestmark = pytest.mark.slow
SETTINGS = SamplerSpec(draws=500, tune=500, chains=2, random_seed=3)


def test_ranks_of_true_parameters_are_not_grossly_out_of_line():
    found = measure_uniformity(list(simulate_ranks(20, SETTINGS, cores=2)))
    p_values = judge_families(found)
    assert {"log_share", "adstock_alpha", "y_sigma", "log_likelihood"} <= set(p_values)
    assert {family: p for family, p in p_values.items() if p <= 0.001} == {}
