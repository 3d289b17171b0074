"""Carryover that rests on its prior, and curves that go where theirs holds them back."""

import numpy as np
import pytest
import xarray as xr

from schemas.names import CHANNEL_DIM, ComponentKind
from tasks.diagnose.shape_priors import (
    MAX_CARRYOVER_SHIFT,
    MAX_SLOPE_DEVIATION,
    ShapeEvidence,
    measure_shapes,
    note_shapes,
)
from tasks.models.contract import Component

CHANNELS = ["tv", "search"]
WINDOW = np.array([False, True, True])


class Model:
    """Two channels whose weekly contribution is the same in every period."""

    components = (
        *(Component(name, ComponentKind.CHANNEL) for name in CHANNELS),
        Component("baseline", ComponentKind.BASELINE),
    )

    def __init__(self, weekly, **draws):
        self.weekly = weekly
        self.draws = xr.Dataset(
            {
                name: (("chain", "draw", CHANNEL_DIM), values.reshape(2, -1, 2))
                for name, values in draws.items()
            },
            coords={CHANNEL_DIM: CHANNELS},
        )

    def contribution(self, component, panel):
        del panel
        draws = self.weekly[:, CHANNELS.index(component.name)]
        return np.repeat(draws[:, None, None], len(WINDOW), axis=2)


def test_growth_under_a_uniform_retention_is_the_covariance_with_its_score():
    # Two equal halves: retention of tv 0 or 1 - 1/e, so that -log(1 - alpha) is 0 or 1; its
    # contribution of the two fitted periods is 2 or 6, that of search always 4. The mean of all is
    # 8; the covariance of tv with the score is (6 - 4) * 0.5 = 1 (that of search 0): 1 / 8.
    long = np.tile([0.0, 1.0], 4)
    weekly = np.stack([1 + 2 * long, np.full(8, 2.0)], axis=1)
    alpha = np.stack([1 - np.exp(-long), np.full(8, 0.3)], axis=1)
    found = measure_shapes(Model(weekly, adstock_alpha=alpha), None, WINDOW)
    assert found.carryover == pytest.approx({"tv": 1 / 8, "search": 0.0})
    assert found.carryover_shift == pytest.approx(1 / 8)
    assert found.slopes == {}


def test_it_is_about_what_weights_of_the_uniform_prior_give():
    rng = np.random.default_rng(3)
    alpha = rng.beta(8, 12, (4000, 2))
    weekly = np.exp(0.3 * alpha + 0.05 * rng.standard_normal((4000, 2)))
    found = measure_shapes(Model(weekly, adstock_alpha=alpha), None, WINDOW)
    weights = 1 / (1 - alpha).prod(axis=1)
    together = weekly.sum(axis=1)
    exact = (weights * together).sum() / weights.sum() / together.mean() - 1
    assert found.carryover_shift == pytest.approx(exact, rel=0.15)


def test_a_slope_is_counted_in_deviations_of_its_prior():
    slopes = np.tile(1.2 * np.exp([0.35 * 2, 0.0]), (8, 1))
    found = measure_shapes(Model(np.ones((8, 2)), saturation_slope=slopes), None, WINDOW)
    assert found.slopes == pytest.approx({"tv": 2.0, "search": 0.0})
    assert found.carryover == {}


def test_notes_stand_above_their_limits_alone():
    at_limit = ShapeEvidence({"tv": MAX_CARRYOVER_SHIFT}, {"tv": MAX_SLOPE_DEVIATION})
    assert note_shapes(at_limit) == []
    carryover, steep = note_shapes(ShapeEvidence({"tv": 0.02, "search": 0.21}, {"tv": 1.8}))
    assert carryover.startswith("carryover_assumed: ")
    assert "23.0 % more, most of it search" in carryover.replace("\N{NO-BREAK SPACE}", " ")
    assert steep.startswith("steep_curve: the effect of tv rises")
