"""What the draws of kind ``mmm`` say, evaluated in NumPy.

The graph computes the same numbers in PyTensor; evaluating here needs no compilation, keeps the
stored posterior down to the parameters, and is an independent route that a test compares.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import scipy
import xarray as xr
from numpy.typing import NDArray

from schemas.documents.base import stated
from schemas.names import (
    CHANNEL_DIM,
    DATE_DIM,
    ENTITY_DIM,
    SAMPLE_DIM,
    ComponentKind,
)
from schemas.spec.lift_tests import LiftTest
from tasks.mathematics.panel import IS_ESTIMATION, is_ragged, observed_of
from tasks.mathematics.scaling import scale_of_entities
from tasks.models.base import DrawsModel
from tasks.models.contract import Component, ModelInputs
from tasks.models.linear import linear_design, linear_references, terms_of
from tasks.models.mmm.design import MediaDesign, media_design
from tasks.models.mmm.lift import expected_lift, lift_design
from tasks.models.mmm.table import COMMON_RETURN
from tasks.models.mmm.unit_response import (
    lag_weights,
    sampled_multiplier,
    unit_response,
    unit_response_gradient,
)

TAIL = "y_nu"
"""Degrees of freedom of Student t noise; absent where the noise is normal."""
LASTING = "y_rho"
"""What lasts of a period's noise into the next one; absent where noise is independent."""


@dataclass(frozen=True)
class _PanelDesign:
    """What of a panel is the same for every draw, made once for all components that need it."""

    panel: xr.Dataset
    inputs: ModelInputs

    @cached_property
    def scale(self) -> NDArray[np.float64]:
        """KPI units of one unit of the model, ``(entity, 1)``."""
        scale = scale_of_entities(self.inputs.scales, "kpi_scale", self.panel)
        return scale.to_numpy()[:, None]

    @cached_property
    def media(self) -> MediaDesign:
        """Inputs of all channels."""
        return media_design(self.panel, self.inputs)

    @cached_property
    def linear(self) -> NDArray[np.float64]:
        """Linear terms less their references, ``(entity, term, date)``."""
        return linear_design(self.panel, self.inputs) - self.references[:, :, None]

    @cached_property
    def references(self) -> NDArray[np.float64]:
        """Values of the linear terms at which they contribute nothing, ``(entity, term)``."""
        return linear_references(self.panel, self.inputs)


class MmmFitted(DrawsModel):
    """Draws of one ``mmm`` fit, as ``tasks.models.contract.FittedModel`` has it."""

    additive = True

    def expected(self, panel: xr.Dataset) -> NDArray[np.float64]:
        """Sum of all components."""
        design = _PanelDesign(panel, self._inputs)
        total = self._everywhere(self.components[-1], design).copy()
        for component in self.components[:-1]:
            total += self._everywhere(component, design)
        return _while_open(total, panel)

    def contribution(self, component: Component, panel: xr.Dataset) -> NDArray[np.float64]:
        """One component, zero where an entity is not open; equal to its counterfactual."""
        return _while_open(self._everywhere(component, _PanelDesign(panel, self._inputs)), panel)

    def _everywhere(self, component: Component, design: _PanelDesign) -> NDArray[np.float64]:
        if component.kind is ComponentKind.CHANNEL:
            return self._channel(component.name, design)
        if component.kind is ComponentKind.BASELINE:
            panel = design.panel
            intercept = self._samples["intercept_contribution"].to_numpy()
            baseline = intercept + self._at_references(design)
            baseline = baseline[:, :, None] * design.scale
            return np.broadcast_to(baseline, (*baseline.shape[:2], panel.sizes[DATE_DIM]))
        terms = self._terms[component]
        gamma = self._gamma[:, :, terms]
        return np.einsum("sek,ekt->set", gamma, design.linear[:, terms]) * design.scale

    def incremental(self, channel: str, panel: xr.Dataset) -> NDArray[np.float64]:
        """Equal to the contribution: the model is additive."""
        return _while_open(self._channel(channel, _PanelDesign(panel, self._inputs)), panel)

    def sample_kpi(
        self,
        panel: xr.Dataset,
        expected: NDArray[np.float64],
        *,
        seed: int,
        before: NDArray[np.float64] | None = None,
    ) -> NDArray[np.float64]:
        """Expected KPI plus normal or Student t noise, AR(1) where it lasts."""
        rng = np.random.default_rng(seed)
        if TAIL not in self._samples:
            noise = rng.standard_normal(expected.shape)
        else:
            nu = self._samples[TAIL].to_numpy()[:, None, None]
            noise = rng.standard_t(nu, expected.shape)
        noise = self._sigma(panel) * noise
        return expected + _while_open(self._lasting(noise, before), panel)

    def innovations(self, panel: xr.Dataset, expected: NDArray[np.float64]) -> NDArray[np.float64]:
        """Residuals less what lasts; that of the first fitted period on the scale of the others."""
        kpi = panel["kpi"].transpose(ENTITY_DIM, DATE_DIM).to_numpy()
        residual = kpi[None] - expected
        if LASTING not in self._samples:
            return residual
        innovations = residual.copy()
        innovations[..., 1:] -= self._samples[LASTING].to_numpy()[:, :, None] * residual[..., :-1]
        share = self._innovation_share()[:, :, None]
        return np.where(_first_fitted(panel), residual * share, innovations)

    def _innovation_share(self) -> NDArray[np.float64]:
        """Spread of innovations over that of the noise they make, ``(sample, entity)``."""
        return np.asarray(np.sqrt(1 - self._samples[LASTING].to_numpy() ** 2))

    def _lasting(
        self, noise: NDArray[np.float64], before: NDArray[np.float64] | None
    ) -> NDArray[np.float64]:
        """Noise from independent innovations ``(sample, entity, date)``."""
        if LASTING not in self._samples or not noise.shape[-1]:
            return noise
        rho = self._samples[LASTING].to_numpy()
        if before is None:
            noise[..., 0] /= self._innovation_share()
        else:
            noise[..., 0] += rho * before
        for t in range(1, noise.shape[-1]):
            noise[..., t] += rho * noise[..., t - 1]
        return noise

    def log_likelihood(
        self, panel: xr.Dataset, expected: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Log density of the observed KPI given the period before it, in KPI units."""
        residual = self.innovations(panel, expected)
        sigma = np.broadcast_to(self._sigma(panel), residual.shape).copy()
        residual = residual / sigma
        if LASTING in self._samples:
            # The first fitted period has the spread that noise has in the long run.
            share = self._innovation_share()[:, :, None]
            sigma = np.where(_first_fitted(panel), sigma / share, sigma)
        if TAIL in self._samples:
            nu = self._samples[TAIL].to_numpy()[:, None, None]
            return np.asarray(scipy.stats.t.logpdf(residual, nu) - np.log(sigma))
        return -0.5 * residual**2 - np.log(sigma) - 0.5 * np.log(2 * np.pi)

    def effect_draws(self, channel: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """``log(share)`` (its mean over entities in a panel) and the score of its prior.

        A shift of the prior of entities that are not pooled is one of all of them.
        """
        name = "log_share_mean" if "log_share_mean" in self._samples else "log_share"
        index = self._channels.index(channel)
        draws = self._samples[name].isel({CHANNEL_DIM: index}).transpose(SAMPLE_DIM, ...).to_numpy()
        score = self._prior_score(index, draws)
        return (draws, score) if draws.ndim == 1 else (draws.mean(axis=1), score.sum(axis=1))

    def _prior_score(self, index: int, draws: NDArray[np.float64]) -> NDArray[np.float64]:
        """Derivative of the log prior of sizes ``(sample, ...)`` by a shift of it, same shape."""
        priors = stated(self._inputs.metadata.share_priors, "share_priors")
        own = np.array(priors.pressure[index]) if draws.ndim > 1 else 0.0
        center, width = priors.log_median[index] + own, priors.spread[index]
        if not any(priors.is_gamma[index : index + 1]):
            return (draws - center) / width**2
        scaled = draws - center
        if priors.follows[index]:
            scaled = scaled - np.log(self._samples[COMMON_RETURN].to_numpy())
        return np.exp(scaled) - width

    def expected_lift(self, panel: xr.Dataset, tests: Sequence[LiftTest]) -> NDArray[np.float64]:
        """Of each test's own segment of the panel alone."""
        design = lift_design(panel, self._inputs, tests)
        multiplier = sampled_multiplier(self._samples, panel, self._inputs.metadata)
        return expected_lift(self._samples, design, multiplier=multiplier)

    def media_gradient(
        self, panel: xr.Dataset, weights: NDArray[np.float64], channels: Sequence[str]
    ) -> NDArray[np.float64]:
        """Analytic; input scales are constants."""
        design = _PanelDesign(panel, self._inputs)
        scales = scale_of_entities(self._inputs.scales, "media_scale", panel)
        gradients = []
        for channel in channels:
            index = self._channels.index(channel)
            passed_on = _while_open(weights * self._amplitude(index, design), panel)
            gradient = unit_response_gradient(self._samples, design.media, index, passed_on)
            scale = scales.sel({CHANNEL_DIM: channel}).to_numpy()
            gradients.append(gradient / scale[:, None])
        return np.stack(gradients, axis=1)

    def _channel(self, channel: str, design: _PanelDesign) -> NDArray[np.float64]:
        index = self._channels.index(channel)
        weights = self._lag_weights(index, design.media)
        response = unit_response(self._samples, design.media, index, weights)
        return np.asarray(response * self._amplitude(index, design))

    def _lag_weights(self, index: int, media: MediaDesign) -> NDArray[np.float64] | None:
        """Return the weights of a channel's lags, computed once; None where it has none."""
        channel = media.transforms[index]
        if channel.own is not None or channel.n_lags == 1:
            return None
        if index not in self._weights:
            self._weights[index] = lag_weights(self._samples, media, index)
        return self._weights[index]

    def _amplitude(self, index: int, design: _PanelDesign) -> NDArray[np.float64]:
        """Factor of a channel's response, KPI units, ``(sample, entity, 1 or date)``."""
        amplitude = self._betas[index][:, :, None] * design.scale
        multiplier = sampled_multiplier(self._samples, design.panel, self._inputs.metadata)
        return amplitude if multiplier is None else amplitude * multiplier[:, None, :]

    def _at_references(self, design: _PanelDesign) -> NDArray[np.float64]:
        """What linear terms add where each is at its reference, scaled, ``(sample, entity)``."""
        if not self._inputs.metadata.controls:
            return np.zeros(())
        return np.einsum("sek,ek->se", self._gamma, design.references)

    # What follows is of the draws alone, which stay as they are: it is arranged once per fit, not
    # once per panel of the hundreds that plan and forecast ask about.

    @cached_property
    def _weights(self) -> dict[int, NDArray[np.float64]]:
        """Weights of the lags of those channels that were asked about."""
        return {}

    @cached_property
    def _terms(self) -> dict[Component, list[int]]:
        """Columns of the linear design that each component has."""
        return {component: terms_of(component, self._inputs) for component in self.components}

    @cached_property
    def _betas(self) -> list[NDArray[np.float64]]:
        """Factor of every channel, ``(sample, entity)`` each, in units of the model."""
        betas = self._samples["saturation_beta"]
        return [
            betas.isel({CHANNEL_DIM: index}).transpose(SAMPLE_DIM, ENTITY_DIM).to_numpy()
            for index in range(len(self._channels))
        ]

    @cached_property
    def _gamma(self) -> NDArray[np.float64]:
        gamma = self._samples["gamma_linear"]
        if ENTITY_DIM not in gamma.dims:
            gamma = gamma.expand_dims({ENTITY_DIM: self._samples[ENTITY_DIM].values}, axis=1)
        return gamma.transpose(SAMPLE_DIM, ENTITY_DIM, ...).to_numpy()

    def _sigma(self, panel: xr.Dataset) -> NDArray[np.float64]:
        scale = _PanelDesign(panel, self._inputs).scale
        return self._samples["y_sigma"].to_numpy()[:, :, None] * scale


def _first_fitted(panel: xr.Dataset) -> NDArray[np.bool_]:
    """Say which is the first fitted period of each entity, ``(entity, date)``."""
    fitted = panel[IS_ESTIMATION].to_numpy() & observed_of(panel)
    return np.asarray(fitted & ~np.pad(fitted[:, :-1], ((0, 0), (1, 0))))


def _while_open(values: NDArray[np.float64], panel: xr.Dataset) -> NDArray[np.float64]:
    """Set ``(sample, entity, date)`` to zero where an entity has not opened, or has closed."""
    return np.where(observed_of(panel), values, 0.0) if is_ragged(panel) else values
