"""Auxiliary fits without one lift test: what the model would expect had it never known the test.

Belongs here: what such a fit says of the test. Does not: what is made of it
(``tasks.diagnose.lift_conflict``), how brief it is (``brief_fits``).
"""

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from schemas.spec.sampler import SamplerSpec
from tasks.diagnose.brief_fits import BriefFits
from tasks.diagnose.lift_conflict import Refit
from tasks.mathematics.draws import convergence
from tasks.models.contract import ModelInputs
from tasks.models.kind import Watch
from tasks.models.opening import OpenFit

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
    brief = BriefFits(fit, sampler, watch, seconds)
    return lambda position: _lift_without(fit, position, brief)


def _lift_without(fit: OpenFit, position: int, brief: BriefFits) -> NDArray[np.float64] | None:
    """Lift of one test under a fit without it, ``(sample,)``; None where it was not sampled."""
    tests = list(fit.metadata.lift_tests or ())
    others = [test for i, test in enumerate(tests) if i != position]
    metadata = fit.metadata.model_copy(update={"lift_tests": others})
    inputs = ModelInputs(metadata, fit.inputs.scales)
    sampled = brief.sample(inputs, f"the fit without lift test {position}")
    if sampled is None:
        return None
    draws = sampled.tree["posterior"].to_dataset()
    lift = fit.kind.open(draws, inputs).expected_lift(fit.panel, [tests[position]])[:, 0]
    chains = lift.reshape(draws.sizes["chain"], -1)
    measured = convergence(xr.Dataset({"lift": (("chain", "draw"), chains)}))
    r_hat = float(measured["r_hat"]["lift"])
    return lift if r_hat <= MAX_LIFT_R_HAT else None
