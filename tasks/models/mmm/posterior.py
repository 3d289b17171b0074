"""The posterior of one panel: as a PyMC graph, and as a compiled kernel that nutpie samples."""

from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from tasks.models.contract import ModelInputs
from tasks.models.mmm.constants import fit_constants

if TYPE_CHECKING:
    import pymc as pm


class MmmPosterior:
    """What ``tasks.models.contract.Posterior`` asks for."""

    def __init__(self, panel: xr.Dataset, inputs: ModelInputs) -> None:
        self.constants = fit_constants(panel, inputs)

    def graph(self) -> "pm.Model":
        """Return the PyMC graph."""
        from tasks.models.mmm.graph import graph_of

        return graph_of(self.constants)

    def kernel(self) -> Any:
        """Return the compiled kernel with this panel's data; None with a transform of others."""
        if any(channel.own is not None for channel in self.constants.media.transforms):
            return None
        from tasks.models.mmm.kernel.compiled import compile_kernel

        return compile_kernel(self.constants)

    def publish(self, recorded: xr.Dataset) -> xr.Dataset:
        """Name and complete what the kernel's sampler recorded."""
        from tasks.models.mmm.derive import publish_points
        from tasks.models.mmm.kernel.compiled import POINT

        points = recorded[POINT].transpose("chain", "draw", ...).to_numpy()
        return publish_points(np.asarray(points), self.constants)
