"""Worlds whose carryover, curves or level are unlike what is assumed: wrong before, right now.

Each is one of ``benchmarks/worlds.py``. The default fit misses the total of all media by a third or
more; the shape that is chosen, from the draws alone, does not.
"""

import pytest

from benchmarks.recovery.hard_fit import measure_world
from schemas.spec.sampler import SamplerSpec

pytestmark = pytest.mark.slow
BRIEF = SamplerSpec(draws=500, tune=500, chains=2)


def bias(fit):
    return fit["total"][0] / fit["total"][3] - 1


@pytest.mark.parametrize(
    ("world", "seed", "shape", "was", "at_most"),
    [
        ("s-shaped", 1002, "steep", 0.46, 0.20),
        ("delayed", 1001, "delayed", -0.48, 0.25),
        ("long carryover", 1000, "long", -0.37, 0.30),
        ("drift", 1001, "smooth", 0.91, 0.25),
    ],
)
def test_a_world_that_was_wrong_is_right(world, seed, shape, was, at_most):
    assumed = measure_world(world, seed, BRIEF, {"choose": []}, plans=False)
    assert bias(assumed) == pytest.approx(was, abs=0.15)
    chosen = measure_world(world, seed, BRIEF, {}, plans=False)
    assert shape in chosen["shapes"]
    assert abs(bias(chosen)) < at_most
    _, low, high, truth = chosen["total"]
    assert low <= truth <= high


def test_a_plain_world_is_left_as_it_is():
    fit = measure_world("base", 1000, BRIEF, {}, plans=False)
    assert fit["shapes"] == []
    assert fit["choice"] is None
