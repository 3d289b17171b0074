"""What fitted models share: draws, inputs and the list of components."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import cached_property
from typing import Self

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from schemas.names import BASELINE_COMPONENT, ComponentKind
from schemas.spec.lift_tests import LiftTest
from tasks.mathematics.draws import stack_samples
from tasks.models.contract import Component, ModelInputs
from tasks.models.lift_placement import change_input, place_tests
from tasks.models.linear import linear_components
from tasks.models.quantities import pick_draws


class DrawsModel(ABC):
    """Draws of one fit with the settings and scales they belong to."""

    def __init__(self, draws: xr.Dataset, inputs: ModelInputs) -> None:
        self.draws = draws
        self._inputs = inputs
        self._samples = stack_samples(draws)
        self._channels: list[str] = inputs.metadata.channel_names

    def thinned(self, n_draws: int) -> Self:
        """Keep draws evenly from all chains."""
        n_known = self.draws.sizes["chain"] * self.draws.sizes["draw"]
        return type(self)(pick_draws(self.draws, min(n_draws, n_known)), self._inputs)

    @abstractmethod
    def expected(self, panel: xr.Dataset) -> NDArray[np.float64]:
        """Expected KPI, without observation noise."""

    def expected_lift(self, panel: xr.Dataset, tests: Sequence[LiftTest]) -> NDArray[np.float64]:
        """Expected KPI with the input of each test less that without, summed over the panel."""
        before = self.expected(panel)
        placed = place_tests(panel, self._inputs.metadata.grain, tests)
        lifts = [
            (self.expected(change_input(panel, test)) - before).sum(axis=(1, 2)) for test in placed
        ]
        return np.stack(lifts, axis=-1)

    @cached_property
    def components(self) -> tuple[Component, ...]:
        """Channels, controls, trend, seasonality, baseline."""
        channels = [Component(name, ComponentKind.CHANNEL) for name in self._channels]
        baseline = Component(BASELINE_COMPONENT, ComponentKind.BASELINE)
        return (*channels, *linear_components(self._inputs), baseline)
