"""What both kinds of fitted models share: draws, inputs and the list of components."""

from typing import Self

import xarray as xr

from schemas.names import BASELINE_COMPONENT, ComponentKind
from tasks.mathematics.draws import stack_samples
from tasks.models.contract import Component, ModelInputs
from tasks.models.linear import linear_components
from tasks.models.quantities import pick_draws


class DrawsModel:
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

    @property
    def components(self) -> tuple[Component, ...]:
        """Channels, controls, trend, seasonality, baseline."""
        channels = [Component(name, ComponentKind.CHANNEL) for name in self._channels]
        baseline = Component(BASELINE_COMPONENT, ComponentKind.BASELINE)
        return (*channels, *linear_components(self._inputs), baseline)
