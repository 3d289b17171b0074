"""What the draws of kind ``mmm`` say, evaluated in NumPy.

The graph computes the same numbers in PyTensor; evaluating here needs no compilation, keeps the
stored posterior down to the parameters, and is an independent route that a test compares.
"""

from collections.abc import Mapping

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from schemas.channels import AdstockKind
from schemas.names import (
    CHANNEL_DIM,
    DATE_DIM,
    ENTITY_DIM,
    SAMPLE_DIM,
    ComponentKind,
)
from tasks.mmm.carryover import ADSTOCK_PARAMETERS, adstock_weights
from tasks.mmm.saturation import SATURATION_PARAMETERS, saturation_shape
from tasks.models.base import DrawsModel
from tasks.models.contract import Component
from tasks.models.linear import linear_design, terms_of
from tasks.models.mmm.design import MediaDesign, media_design


class MmmFitted(DrawsModel):
    """Draws of one ``mmm`` fit, as ``tasks.models.contract.FittedModel`` has it."""

    additive = True

    def expected(self, panel: xr.Dataset) -> NDArray[np.float64]:
        """Sum of all components."""
        total = self.contribution(self.components[-1], panel).copy()
        for component in self.components[:-1]:
            total += self.contribution(component, panel)
        return total

    def contribution(self, component: Component, panel: xr.Dataset) -> NDArray[np.float64]:
        """One component; the identity link makes it equal to its counterfactual."""
        if component.kind is ComponentKind.CHANNEL:
            return self._channel(component.name, panel)
        scale = self._scale(panel)
        if component.kind is ComponentKind.BASELINE:
            baseline = self._samples["intercept_contribution"].to_numpy()[:, :, None] * scale
            return np.broadcast_to(baseline, (*baseline.shape[:2], panel.sizes[DATE_DIM]))
        terms = terms_of(component, self._inputs)
        design = linear_design(panel, self._inputs)[:, terms]
        gamma = self._gamma()[:, :, terms]
        return np.einsum("sek,ekt->set", gamma, design) * scale

    def incremental(self, channel: str, panel: xr.Dataset) -> NDArray[np.float64]:
        """Equal to the contribution: the model is additive."""
        return self._channel(channel, panel)

    def sample_kpi(
        self, panel: xr.Dataset, expected: NDArray[np.float64], *, seed: int
    ) -> NDArray[np.float64]:
        """Expected KPI plus normal noise."""
        rng = np.random.default_rng(seed)
        return expected + self._sigma(panel) * rng.standard_normal(expected.shape)

    def log_likelihood(
        self, panel: xr.Dataset, expected: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Normal log density of the observed KPI, in KPI units."""
        sigma = self._sigma(panel)
        residual = (panel["kpi"].to_numpy()[None] - expected) / sigma
        return -0.5 * residual**2 - np.log(sigma) - 0.5 * np.log(2 * np.pi)

    def effect_draws(self, channel: str) -> tuple[NDArray[np.float64], float]:
        """``log(share)`` (its mean over entities in a panel) and its prior variance."""
        name = "log_share_mean" if "log_share_mean" in self._samples else "log_share"
        index = self._channels.index(channel)
        draws = self._samples[name].isel({CHANNEL_DIM: index}).to_numpy()
        return draws, float(self._inputs.metadata["share_priors"]["spread"][index]) ** 2

    def _channel(self, channel: str, panel: xr.Dataset) -> NDArray[np.float64]:
        index = self._channels.index(channel)
        media = media_design(panel, self._inputs)
        shape = channel_shape(self._samples, media, index)
        beta = self._samples["saturation_beta"].isel({CHANNEL_DIM: index})
        amplitude = beta.transpose(SAMPLE_DIM, ENTITY_DIM).to_numpy()
        return amplitude[:, :, None] * shape * self._scale(panel)

    def _gamma(self) -> NDArray[np.float64]:
        gamma = self._samples["gamma_linear"]
        if ENTITY_DIM not in gamma.dims:
            gamma = gamma.expand_dims({ENTITY_DIM: self._samples[ENTITY_DIM].values}, axis=1)
        return gamma.transpose(SAMPLE_DIM, ENTITY_DIM, ...).to_numpy()

    def _scale(self, panel: xr.Dataset) -> NDArray[np.float64]:
        scale = self._inputs.scales["kpi_scale"].sel({ENTITY_DIM: panel[ENTITY_DIM].values})
        return scale.to_numpy()[:, None]

    def _sigma(self, panel: xr.Dataset) -> NDArray[np.float64]:
        return self._samples["y_sigma"].to_numpy()[:, :, None] * self._scale(panel)


def channel_shape(samples: xr.Dataset, media: MediaDesign, index: int) -> NDArray[np.float64]:
    """Saturated adstock of one channel for every sample, ``(sample, entity, date)``, no unit."""
    lagged = media.lagged[index]
    if media.adstock.kind is AdstockKind.NONE:
        carried = np.broadcast_to(lagged[0], (samples.sizes[SAMPLE_DIM], *lagged.shape[1:]))
    else:
        weights = adstock_weights(
            media.adstock.kind,
            _parameters(samples, "adstock", ADSTOCK_PARAMETERS[media.adstock.kind], index),
            l_max=media.n_lags,
        )
        flat = lagged.reshape(lagged.shape[0], -1)
        carried = (weights @ flat).reshape(-1, *lagged.shape[1:])
    kind = media.saturation.kind
    curve = _parameters(samples, "saturation", SATURATION_PARAMETERS[kind], index)
    return saturation_shape(kind, carried, {k: v[:, None, None] for k, v in curve.items()})


def _parameters(
    samples: xr.Dataset, family: str, names: tuple[str, ...], index: int
) -> Mapping[str, NDArray[np.float64]]:
    return {
        name: samples[f"{family}_{name}"].isel({CHANNEL_DIM: index}).to_numpy() for name in names
    }
