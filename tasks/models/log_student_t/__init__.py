"""Kind ``log_student_t``: a robust log-linear model on fixed carryover and saturation."""

from typing import Any

import xarray as xr

from tasks.models.contract import ModelInputs, Posterior


class LogStudentTPosterior:
    """What ``tasks.models.contract.Posterior`` asks for; there is no kernel of this kind."""

    def __init__(self, panel: xr.Dataset, inputs: ModelInputs) -> None:
        self._panel, self._inputs = panel, inputs

    def graph(self) -> Any:
        """Return the PyMC graph."""
        from tasks.models.log_student_t.graph import build_graph

        return build_graph(self._panel, self._inputs)

    def kernel(self) -> None:
        """Return nothing: the graph is sampled."""

    def publish(self, recorded: xr.Dataset) -> xr.Dataset:
        """Return the draws as they are."""
        return recorded


def load_posterior(panel: xr.Dataset, inputs: ModelInputs) -> Posterior:
    """Return the posterior of a panel; its libraries are imported when it is sampled."""
    return LogStudentTPosterior(panel, inputs)
