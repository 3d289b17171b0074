"""What the draws of kind ``log_student_t`` say, evaluated in NumPy.

The expected KPI is ``exp(mu) - 1``, the median of the predictive distribution: a Student-t on the
logarithm has no finite mean. The model multiplies, so what a channel adds depends on the others.
``incremental`` is the plain counterfactual, with less without the channel. ``contribution`` scales
these so that together they are exactly what all channels add: the baseline is then the expected KPI
without any media, and everything adds up in every draw.
"""

from collections.abc import Sequence

import numpy as np
import scipy
import xarray as xr
from numpy.typing import NDArray

from schemas.names import CHANNEL_DIM, ENTITY_DIM, SAMPLE_DIM, ComponentKind
from tasks.models.base import DrawsModel
from tasks.models.contract import Component
from tasks.models.linear import linear_design, referred_design, terms_of
from tasks.models.log_student_t.design import media_slopes, standardize_media


class LogStudentTFitted(DrawsModel):
    """Draws of one ``log_student_t`` fit, as ``tasks.models.contract.FittedModel`` has it."""

    additive = False

    def expected(self, panel: xr.Dataset) -> NDArray[np.float64]:
        """Median KPI, ``exp(mu) - 1``."""
        return np.expm1(self._mu(panel))

    def contribution(self, component: Component, panel: xr.Dataset) -> NDArray[np.float64]:
        """Counterfactual contribution, scaled so that all of them add up to the expected KPI."""
        without_media = self._mu(panel) - self._media_log(panel).sum(axis=1)
        if component.kind is ComponentKind.CHANNEL:
            return self._scaled_channel(component.name, panel, without_media)
        linear = [c for c in self.components if c.kind not in _NOT_LINEAR]
        if component.kind is not ComponentKind.BASELINE:
            return _removed(without_media, self._referred_log(component, panel))
        parts = (_removed(without_media, self._referred_log(c, panel)) for c in linear)
        return np.expm1(without_media) - sum(parts, np.zeros_like(without_media))

    def incremental(self, channel: str, panel: xr.Dataset) -> NDArray[np.float64]:
        """Expected KPI less its counterfactual with the channel switched off."""
        media = self._media_log(panel)[:, self._channels.index(channel)]
        return _removed(self._mu(panel), media)

    def sample_kpi(
        self,
        panel: xr.Dataset,
        expected: NDArray[np.float64],
        *,
        seed: int,
        before: NDArray[np.float64] | None = None,
    ) -> NDArray[np.float64]:
        """Student-t noise on the logarithm, independent from period to period."""
        del before
        rng = np.random.default_rng(seed)
        mu = np.log1p(expected)
        nu, sigma = self._of_entities("nu", panel), self._of_entities("sigma", panel)
        noise = rng.standard_t(nu, size=mu.shape) * sigma
        # A draw of a heavy-tailed logarithm can overflow; KPI beyond e^50 is beyond any money.
        return np.expm1(np.clip(mu + noise, -50.0, 50.0))

    def innovations(self, panel: xr.Dataset, expected: NDArray[np.float64]) -> NDArray[np.float64]:
        """Residuals as they are."""
        return np.asarray(panel["kpi"].to_numpy()[None] - expected)

    def log_likelihood(
        self, panel: xr.Dataset, expected: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Student-t log density of ``log(y + 1)``, as a density of ``y``."""
        observed = np.log1p(panel["kpi"].to_numpy())[None]
        nu, sigma = self._of_entities("nu", panel), self._of_entities("sigma", panel)
        density = scipy.stats.t.logpdf(observed, df=nu, loc=np.log1p(expected), scale=sigma)
        return np.asarray(density - observed)

    def media_gradient(
        self, panel: xr.Dataset, weights: NDArray[np.float64], channels: Sequence[str]
    ) -> NDArray[np.float64]:
        """Analytic: ``exp(mu)`` times the slope of each channel's fixed transforms."""
        by_mu = weights * np.exp(self._mu(panel))
        passed_on = np.einsum("set,sec->ect", by_mu, self._effects("beta", panel))
        gradient = media_slopes(panel, passed_on, self._inputs.metadata, self._inputs.scales)
        return gradient[:, [self._channels.index(channel) for channel in channels]]

    def effect_draws(self, channel: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """``beta`` of the channel, and itself over its prior variance.

        The prior variance of ``beta = sigma_beta * unit`` is ``E[sigma_beta^2] - E[beta]^2`` with
        both half-normal: ``0.25 * (1 - 4 / pi^2)``. Entities around a common effect are moved by
        that one's prior; those that are alone by one that is shifted for all of them.
        """
        name = "beta_mean" if "beta_mean" in self._samples else "beta"
        draws = self._samples[name].isel({CHANNEL_DIM: self._channels.index(channel)})
        score = draws / (0.25 * (1 - 4 / np.pi**2))
        if ENTITY_DIM in draws.dims:
            draws, score = draws.mean(ENTITY_DIM), score.sum(ENTITY_DIM)
        return draws.to_numpy(), score.to_numpy()

    def _scaled_channel(
        self, channel: str, panel: xr.Dataset, without_media: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        mu, media = self._mu(panel), self._media_log(panel)
        removed = _removed(mu[:, None], media)
        together = np.expm1(mu) - np.expm1(without_media)
        total = removed.sum(axis=1)
        factor = np.divide(together, total, out=np.zeros_like(total), where=np.abs(total) > 0)
        return removed[:, self._channels.index(channel)] * factor

    def _mu(self, panel: xr.Dataset) -> NDArray[np.float64]:
        z = standardize_media(panel, self._inputs.metadata, self._inputs.scales)
        mu = self._of_entities("intercept", panel)
        mu = mu + np.einsum("sec,ect->set", self._effects("beta", panel), z)
        design = linear_design(panel, self._inputs)
        if not design.shape[1]:
            return mu
        return mu + np.einsum("sek,ekt->set", self._effects("gamma", panel), design)

    def _media_log(self, panel: xr.Dataset) -> NDArray[np.float64]:
        """What a channel adds to ``mu`` against none, ``(sample, channel, entity, date)``."""
        scales = self._inputs.scales
        z = standardize_media(panel, self._inputs.metadata, scales)
        zero = -(scales["channel_mean"] / scales["channel_std"]).to_numpy()
        return np.einsum("sec,ect->scet", self._effects("beta", panel), z - zero[:, None])

    def _referred_log(self, component: Component, panel: xr.Dataset) -> NDArray[np.float64]:
        """What a linear component adds to ``mu`` against its reference."""
        terms = terms_of(component, self._inputs)
        gamma = self._effects("gamma", panel)[:, :, terms]
        return np.einsum("sek,ekt->set", gamma, referred_design(panel, self._inputs)[:, terms])

    def _effects(self, name: str, panel: xr.Dataset) -> NDArray[np.float64]:
        """``(sample, entity, channel or term)``; entities that are pooled share one."""
        effects = self._by_entity(name, panel)
        return effects.transpose(SAMPLE_DIM, ENTITY_DIM, ...).to_numpy()

    def _of_entities(self, name: str, panel: xr.Dataset) -> NDArray[np.float64]:
        """``(sample, entity, 1)``; entities that are pooled share one."""
        return self._by_entity(name, panel).transpose(SAMPLE_DIM, ENTITY_DIM).to_numpy()[..., None]

    def _by_entity(self, name: str, panel: xr.Dataset) -> xr.DataArray:
        draws, entities = self._samples[name], panel[ENTITY_DIM].values
        if ENTITY_DIM in draws.dims:
            return draws.sel({ENTITY_DIM: entities})
        return draws.expand_dims({ENTITY_DIM: entities})


_NOT_LINEAR = (ComponentKind.CHANNEL, ComponentKind.BASELINE)


def _removed(mu: NDArray[np.float64], part: NDArray[np.float64]) -> NDArray[np.float64]:
    """``exp(mu) - exp(mu - part)``: what is lost when ``part`` is taken out of the logarithm."""
    return np.exp(mu) * -np.expm1(-part)
