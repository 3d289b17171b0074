"""Kind ``mmm``: learned carryover and saturation, sampled on contribution shares.

``constants`` fixes a posterior; ``graph`` says it in PyMC, ``kernel`` computes its density in
machine code; ``derive`` and ``fitted`` evaluate draws in NumPy; ``stock`` turns them into a stock
pymc-marketing ``MMM`` with the same adstock and saturation.
"""

from typing import Any

import xarray as xr

from tasks.models.contract import ModelInputs, Posterior


def load_posterior(panel: xr.Dataset, inputs: ModelInputs) -> Posterior:
    """Return the posterior of a panel; its libraries take seconds to import, so only a fit does."""
    from tasks.models.mmm.posterior import MmmPosterior

    posterior: Any = MmmPosterior(panel, inputs)
    return posterior
