"""One posterior, two ways to draw from it: the compiled kernel, and PyMC's NUTS on the graph."""

import arviz as az
import numpy as np
import pytest
from support.worlds import mmm_world

from schemas.spec.sampler import SamplerBackend, SamplerSpec
from tasks.models.mmm.fitted import MmmFitted
from tasks.models.mmm.kind import MMM
from tasks.models.sampling import sample_posterior

pytestmark = [
    pytest.mark.slow,
    # PyMC's leapfrog steps overflow while it looks for a step size; it rejects them itself.
    pytest.mark.filterwarnings("ignore:(overflow|invalid value) encountered:RuntimeWarning"),
]
SETTINGS = SamplerSpec(draws=1500, tune=500, chains=2, random_seed=11)
CHANNELS = [
    {"name": "tv", "activity": "act_tv", "spend": "spend_tv"},
    {"name": "search", "spend": "spend_search"},
]


@pytest.fixture(scope="module")
def world():
    return mmm_world(channels=CHANNELS, controls=[], model={"yearly_seasonality": 0})


def sample_totals(world, backend):
    """Contribution of each channel over all periods as share of KPI, ``(channel, chain, draw)``."""
    posterior = MMM.load_posterior(world.panel, world.inputs)
    settings = SETTINGS.model_copy(update={"backend": backend})
    sampled = sample_posterior(posterior, settings, cores=2)
    assert sampled.backend == backend
    model = MmmFitted(sampled.tree["posterior"].to_dataset(), world.inputs)
    totals = [
        model.contribution(component, world.panel).sum(axis=(1, 2))
        for component in model.components[:2]
    ]
    kpi = float(world.panel["kpi"].sum())
    return np.stack(totals).reshape(2, SETTINGS.chains, SETTINGS.draws) / kpi


def test_the_kernel_and_the_graph_agree_on_what_channels_bring(world):
    kernel, graph = (
        sample_totals(world, backend) for backend in (SamplerBackend.KERNEL, SamplerBackend.PYMC)
    )
    for channel, (ours, theirs) in enumerate(zip(kernel, graph, strict=True)):
        # Four standard errors of the difference of two Monte Carlo estimates, each.
        for method, estimate in (("mean", np.mean), ("sd", np.std)):
            error = np.hypot(*(float(az.mcse(draws, method=method)) for draws in (ours, theirs)))
            name = CHANNELS[channel]["name"]
            assert abs(estimate(ours) - estimate(theirs)) < 4 * error, (name, method)
            # An error as wide as the posterior would let anything pass.
            assert error < 0.15 * np.std(theirs), (name, method)
