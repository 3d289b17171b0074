"""Auxiliary fits without one lift test: what the model would expect had it never known the test.

Belongs here: how brief they are, and when there is no time for one. Does not: what is made of them
(``tasks.diagnose.lift_conflict``).
"""

import logging
import time

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from schemas.errors import SamplingError
from schemas.spec.sampler import SamplerSpec
from tasks.diagnose.lift_conflict import Refit
from tasks.mathematics.draws import convergence
from tasks.models.contract import ModelInputs
from tasks.models.kind import Watch
from tasks.models.opening import OpenFit

log = logging.getLogger(__name__)

MOST_DRAWS = 500
"""Of tuning and of kept draws per chain: mean and spread of a lift are asked for, no tails."""
MAX_REFIT_SECONDS = 300.0
"""Time of all auxiliary fits of a run; each is expected to last as long as the fit itself."""
MAX_LIFT_R_HAT = 1.1
"""Of the lift: above, chains of the auxiliary fit disagree, and it says nothing."""


def make_refit(fit: OpenFit, sampler: SamplerSpec, watch: Watch, seconds: float) -> Refit:
    """Return what makes the auxiliary fit without the test at a position.

    Parameters
    ----------
    fit
        The fit that knows all tests of its metadata.
    sampler
        Its settings; an auxiliary fit tunes and draws less.
    watch
        Cores.
    seconds
        What the fit took.
    """
    brief = sampler.model_copy(
        update={
            "tune": min(sampler.tune, MOST_DRAWS),
            "draws": min(sampler.draws, MOST_DRAWS),
        }
    )
    spent = [0.0]

    def refit(position: int) -> NDArray[np.float64] | None:
        if spent[0] + seconds > MAX_REFIT_SECONDS:
            log.warning("no auxiliary fit without lift test %d: no time is left", position)
            return None
        started = time.perf_counter()
        found = _lift_without(fit, position, brief, watch)
        spent[0] += time.perf_counter() - started
        return found

    return refit


def _lift_without(
    fit: OpenFit, position: int, sampler: SamplerSpec, watch: Watch
) -> NDArray[np.float64] | None:
    """Lift of one test under a fit without it, ``(sample,)``; None where it was not sampled."""
    tests = list(fit.metadata.lift_tests or ())
    others = [test for i, test in enumerate(tests) if i != position]
    metadata = fit.metadata.model_copy(update={"lift_tests": others})
    inputs = ModelInputs(metadata, fit.inputs.scales)
    try:
        sampled = fit.kind.fit(fit.panel, inputs, sampler, watch)
    except SamplingError as error:
        log.warning("the fit without lift test %d was not sampled: %s", position, error)
        return None
    draws = sampled.tree["posterior"].to_dataset()
    lift = fit.kind.open(draws, inputs).expected_lift(fit.panel, [tests[position]])[:, 0]
    chains = lift.reshape(draws.sizes["chain"], -1)
    measured = convergence(xr.Dataset({"lift": (("chain", "draw"), chains)}))
    r_hat = float(measured["r_hat"]["lift"])
    log.info("fit without lift test %d: %.1f s", position, sum(sampled.wall_seconds.values()))
    return lift if r_hat <= MAX_LIFT_R_HAT else None
