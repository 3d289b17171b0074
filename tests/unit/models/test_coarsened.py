"""A coarsened posterior: known in closed form for a normal mean, and what plans rely on."""

from dataclasses import dataclass

import numpy as np
import pytest
import xarray as xr
from scipy import stats

from schemas.names import DATE_DIM, ENTITY_DIM
from tasks.mathematics.panel import IS_ESTIMATION
from tasks.models.coarsened import coarsen

N_PERIODS, PRIOR_SD = 20, 1.0


@dataclass
class _NormalMean:
    """A KPI that is normal around one unknown mean, with spread one."""

    draws: xr.Dataset

    def expected(self, panel):
        mean = self.draws["mean"].to_numpy().ravel()
        return np.broadcast_to(mean[:, None, None], (len(mean), *panel["kpi"].shape))

    def log_likelihood(self, panel, expected):
        return stats.norm.logpdf(panel["kpi"].to_numpy(), expected, 1.0)


@pytest.fixture
def panel():
    """Twenty fitted periods after five that only carry over."""
    rng = np.random.default_rng(3)
    kpi = rng.normal(1.0, 1.0, size=(1, 5 + N_PERIODS))
    kpi[:, :5] = 50.0
    fitted = np.arange(5 + N_PERIODS) >= 5
    return xr.Dataset(
        {"kpi": ((ENTITY_DIM, DATE_DIM), kpi)}, coords={IS_ESTIMATION: (DATE_DIM, fitted)}
    )


def _posterior(panel, power):
    """Mean and spread of the posterior under a likelihood of a power: conjugate."""
    kpi = panel["kpi"].to_numpy()[0, 5:]
    precision = 1 / PRIOR_SD**2 + power * len(kpi)
    return power * kpi.sum() / precision, precision**-0.5


def _draws(panel, *, n=16_000, seed=1):
    values = np.random.default_rng(seed).normal(*_posterior(panel, 1.0), size=(4, n // 4))
    return xr.Dataset({"mean": (("chain", "draw"), values)})


@pytest.mark.parametrize("power", [0.5, 0.8])
def test_draws_are_those_of_the_posterior_under_less_data(panel, power):
    found = coarsen(_draws(panel), _NormalMean, panel, power=power, n_draws=4000)

    mean, spread = _posterior(panel, power)
    values = found.draws["mean"].to_numpy().ravel()
    assert found.power == power
    assert values.mean() == pytest.approx(mean, abs=0.05 * spread)
    assert values.std() == pytest.approx(spread, rel=0.05)


def test_what_is_chosen_on_even_draws_can_be_judged_on_odd_ones(panel):
    found = coarsen(_draws(panel), _NormalMean, panel, power=0.5, n_draws=1000)

    values = found.draws["mean"].to_numpy().ravel()
    assert found.draws.sizes == {"chain": 1, "draw": 1000}
    assert not set(values[::2]) & set(values[1::2])


def test_a_power_of_one_takes_the_posterior_as_it_is(panel):
    draws = _draws(panel, n=1000)

    found = coarsen(draws, _NormalMean, panel, power=1, n_draws=1000)

    np.testing.assert_array_equal(found.draws["mean"].to_numpy()[0], draws["mean"].values.ravel())


def test_a_seed_shuffles_and_keeps_the_draws(panel):
    draws = _draws(panel)
    plain = coarsen(draws, _NormalMean, panel, power=0.8, n_draws=500)
    mixed = coarsen(draws, _NormalMean, panel, power=0.8, n_draws=500, seed=1)

    first, second = (each.draws["mean"].to_numpy().ravel() for each in (plain, mixed))
    assert not np.array_equal(first, second)
    np.testing.assert_array_equal(np.sort(first), np.sort(second))


def test_a_power_that_the_draws_do_not_carry_is_raised_until_they_do(panel):
    """Draws of a far too narrow posterior have no tails that could be weighted up."""
    narrow = _draws(panel)
    long = panel.assign(kpi=panel["kpi"] + np.where(np.arange(25) % 2, 30.0, -30.0))
    wide = xr.Dataset({"mean": 5 * (narrow["mean"] - float(narrow["mean"].mean()))})

    found = coarsen(wide, _NormalMean, long, power=0.2, n_draws=4000)

    assert 0.2 < found.power <= 1
