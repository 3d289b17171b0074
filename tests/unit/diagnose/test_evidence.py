"""Evidence of a channel by hand, how often it errs, and what is said of it."""

import numpy as np
import pytest
import xarray as xr
from scipy import stats
from support.worlds import fitted_model, log_world, mmm_world

from schemas.names import ComponentKind
from tasks.diagnose.evidence import EvidenceClass, evidence_rows, weigh_evidence
from tasks.models.contract import Component

N_WEEKS, NOISE = 60, 1.0
GRID = np.linspace(1e-4, 6, 6000)
PRIOR = stats.gamma.pdf(GRID, 1.5, scale=1 / 1.5)
WINDOW = np.ones(N_WEEKS, bool)


class OneChannel:
    """KPI = 10 + size * x + noise of a known spread; the size is gamma(1.5) beforehand."""

    additive = True
    components = (Component("tv", ComponentKind.CHANNEL), Component("baseline", "baseline"))

    def __init__(self, sizes, x):
        self.sizes, self.x = sizes, x

    def incremental(self, name, panel):
        del name, panel
        return self.sizes[:, None, None] * self.x

    def expected(self, panel):
        del panel
        return 10 + self.sizes[:, None, None] * (self.x - self.x.mean())

    def log_likelihood(self, panel, expected):
        return stats.norm.logpdf(panel["kpi"].to_numpy(), expected, NOISE)


def fit(true_size, seed):
    """Draws of the exact posterior on a grid."""
    rng = np.random.default_rng(seed)
    x = rng.normal(3, 1, N_WEEKS)
    kpi = 10 + true_size * (x - x.mean()) + rng.normal(0, NOISE, N_WEEKS)
    panel = xr.Dataset({"kpi": (("entity", "date"), kpi[None])})
    # Of the normal density what depends on the size: (d - size * c)^2 without d^2.
    c, d = x - x.mean(), kpi - 10
    log_l = (2 * GRID * (c @ d) - GRID**2 * (c @ c)) / (2 * NOISE**2)
    weight = np.exp(log_l - log_l.max()) * PRIOR
    return OneChannel(rng.choice(GRID, 1000, p=weight / weight.sum()), x), panel


def test_the_ratio_is_the_harmonic_mean_over_draws_by_hand():
    model, panel = fit(0.2, 3)
    kpi, x = panel["kpi"].to_numpy()[0], model.x
    without = stats.norm.logpdf(kpi, 10, NOISE).sum()
    ratios = [
        np.exp(without - stats.norm.logpdf(kpi, 10 + size * (x - x.mean()), NOISE).sum())
        for size in model.sizes
    ]
    got = weigh_evidence(model, panel, WINDOW, least=3.0)["tv"]
    # The fit keeps the channel's mean where it was: x of one draw is centered by its own mean.
    assert got.log_ratio == pytest.approx(-np.log(np.mean(ratios)), rel=1e-9)


def shown(true_size, seeds):
    found = [weigh_evidence(*fit(true_size, s), WINDOW, least=3.0)["tv"].found for s in seeds]
    return np.mean([f is EvidenceClass.EFFECT for f in found])


def test_no_effect_is_seldom_taken_for_one_and_a_strong_one_is_found():
    assert shown(0.0, range(200)) <= 0.05
    assert shown(0.5, range(200, 240)) >= 0.75


def test_what_is_said_of_either():
    strong, none = (weigh_evidence(*fit(s, 5), WINDOW, least=3.0)["tv"] for s in (1.0, 0.0))
    assert strong.sentence == "the data show an effect"
    assert none.sentence == "no effect can be told from none"


@pytest.mark.parametrize("make", [lambda: mmm_world(2), lambda: log_world(2)], ids=["mmm", "log"])
def test_every_channel_of_every_kind_is_weighed(make):
    world = make()
    weighed = weigh_evidence(fitted_model(world), world.panel, world.window, least=3.0)
    assert list(weighed) == ["tv", "search", "email", "rival"]
    assert all(np.isfinite(e.log_ratio) for e in weighed.values())
    rows = evidence_rows(weighed, dict.fromkeys(weighed, 0.25))
    assert rows["tv"].prior_elasticity == 0.75
    assert rows["tv"].log10_likelihood_ratio == pytest.approx(weighed["tv"].log_ratio / np.log(10))
