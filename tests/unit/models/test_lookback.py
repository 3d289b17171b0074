"""How far back a model looks, against what the models do."""

import numpy as np
import pytest
from support.worlds import CHANNELS, fitted_model, log_world, mmm_world

from tasks.models.lookback import longest_carryover, longest_memory

TV, SEARCH, *OTHERS = CHANNELS
MIXED = [
    TV | {"adstock": {"kind": "none", "l_max": 30}},
    SEARCH | {"adstock": {"kind": "geometric", "l_max": 6}},
    *OTHERS,
]
SLOW_PRICE = [{"name": "ctrl_price", "decay": 0.5, "max_lag": 9}]
WORLDS = {
    "one adstock": (lambda: mmm_world(l_max=5), 5, 5),
    "each channel its own": (lambda: mmm_world(channels=MIXED), 6, 6),
    "no adstock": (lambda: mmm_world(adstock="none"), 1, 1),
    "fixed transforms": (log_world, 14, 14),
    "a control that lasts": (lambda: mmm_world(controls=SLOW_PRICE), 4, 10),
}


@pytest.fixture(scope="module", params=list(WORLDS))
def case(request):
    make, carryover, memory = WORLDS[request.param]
    return make(), carryover, memory


def test_number_of_lags(case):
    world, carryover, memory = case
    assert longest_carryover(world.metadata) == carryover
    assert longest_memory(world.metadata) == memory


def last_expected(world, forgotten, variable):
    """Expected KPI of the last period when everything before some last periods is zero."""
    panel = world.panel.copy(deep=True)
    panel[variable][..., : panel.sizes["date"] - forgotten] = 0
    return fitted_model(world).expected(panel)[:, :, -1]


def test_what_is_older_than_the_carryover_does_not_matter_and_what_is_younger_does(case):
    world, carryover, _ = case
    whole = fitted_model(world).expected(world.panel)[:, :, -1]
    np.testing.assert_allclose(last_expected(world, carryover, "media"), whole, rtol=1e-12)
    assert not np.allclose(last_expected(world, carryover - 1, "media"), whole, rtol=1e-6)


def test_a_control_is_remembered_as_long_as_its_last_lag():
    world = mmm_world(controls=SLOW_PRICE)
    whole = fitted_model(world).expected(world.panel)[:, :, -1]
    memory = longest_memory(world.metadata)
    np.testing.assert_allclose(last_expected(world, memory, "controls"), whole, rtol=1e-12)
    assert not np.allclose(last_expected(world, memory - 1, "controls"), whole, rtol=1e-12)
