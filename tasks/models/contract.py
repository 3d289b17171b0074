"""The one contract of a fitted model (DESIGN.md section 6)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from schemas.documents.features import FeatureMetadata
from schemas.names import ComponentKind
from schemas.spec.lift_tests import LiftTest


class Component(NamedTuple):
    """One part of the expected KPI."""

    name: str
    kind: ComponentKind


@dataclass(frozen=True)
class ModelInputs:
    """What every kind needs beside its draws: settings and scales of the features stage."""

    metadata: FeatureMetadata
    scales: xr.Dataset


class Posterior(Protocol):
    """The distribution that a fit samples, before it is sampled."""

    def graph(self) -> Any:
        """Return it as a ``pymc.Model``, whose variables have the published names."""
        ...

    def kernel(self) -> Any:
        """Return it as a model that ``nutpie.sample`` takes as it is, or None."""
        ...

    def publish(self, recorded: xr.Dataset) -> xr.Dataset:
        """Turn what sampling the kernel recorded into draws with the published names."""
        ...


class FittedModel(Protocol):
    """Draws of one fit and what they say about a panel.

    All arrays are in KPI units and have shape ``(sample, entity, date)``, over every period of the
    panel that is passed in; samples are chains stacked one after the other.
    """

    draws: xr.Dataset
    """Published parameters, dims ``(chain, draw, ...)``."""

    additive: bool
    """True where components do not depend on each other: a channel's contribution is then its own
    counterfactual, and it alone moves when its input does."""

    @property
    def components(self) -> tuple[Component, ...]:
        """All components, channels first, ``baseline`` last."""
        ...

    def thinned(self, n_draws: int) -> "FittedModel":
        """Return the same fit with ``n_draws`` of its draws, or with all where it has fewer."""
        ...

    def expected(self, panel: xr.Dataset) -> NDArray[np.float64]:
        """Expected KPI, without observation noise."""
        ...

    def contribution(self, component: Component, panel: xr.Dataset) -> NDArray[np.float64]:
        """Part of the expected KPI due to one component; over all components it adds up to it."""
        ...

    def incremental(self, channel: str, panel: xr.Dataset) -> NDArray[np.float64]:
        """Expected KPI less its counterfactual without the channel."""
        ...

    def expected_lift(self, panel: xr.Dataset, tests: Sequence[LiftTest]) -> NDArray[np.float64]:
        """Lift that the model expects of lift tests on the panel, ``(sample, test)``, KPI units."""
        ...

    def media_gradient(
        self, panel: xr.Dataset, weights: NDArray[np.float64], channels: Sequence[str]
    ) -> NDArray[np.float64]:
        """Gradient of the weighted sum of ``expected(panel)`` by the media of some channels.

        ``weights`` has the shape of ``expected``; the gradient is ``(entity, channel, date)``, per
        unit of input.
        """
        ...

    def sample_kpi(
        self,
        panel: xr.Dataset,
        expected: NDArray[np.float64],
        *,
        seed: int,
        before: NDArray[np.float64] | None = None,
    ) -> NDArray[np.float64]:
        """Draw the KPI with observation noise around ``expected(panel)``.

        ``before`` is the residual of the period before the first one, ``(sample, entity)``, KPI
        units, where that period was seen: noise that lasts starts from it.
        """
        ...

    def log_likelihood(
        self, panel: xr.Dataset, expected: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Log density of every observed KPI value, given ``expected(panel)``.

        Where noise lasts: given the period before it, from the first fitted period on.
        """
        ...

    def innovations(self, panel: xr.Dataset, expected: NDArray[np.float64]) -> NDArray[np.float64]:
        """Residuals less what lasts of the noise of the period before: independent in time."""
        ...

    def effect_draws(self, channel: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Draws of the logarithm or size of a channel's effect, and of its prior's score.

        The score is the derivative of the log prior density by a shift of the prior. Its covariance
        with the effect is the share of such a shift that the result goes along with.
        """
        ...
