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

from schemas.names import CHANNEL_DIM, ComponentKind
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
        del panel, before
        rng = np.random.default_rng(seed)
        mu = np.log1p(expected)
        noise = rng.standard_t(self._scalar("nu"), size=mu.shape) * self._scalar("sigma")
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
        density = scipy.stats.t.logpdf(
            observed, df=self._scalar("nu"), loc=np.log1p(expected), scale=self._scalar("sigma")
        )
        return np.asarray(density - observed)

    def media_gradient(
        self, panel: xr.Dataset, weights: NDArray[np.float64], channels: Sequence[str]
    ) -> NDArray[np.float64]:
        """Analytic: ``exp(mu)`` times the slope of each channel's fixed transforms."""
        by_mu = weights * np.exp(self._mu(panel))
        passed_on = np.einsum("set,sc->ect", by_mu, self._beta())
        gradient = media_slopes(panel, passed_on, self._inputs.metadata, self._inputs.scales)
        return gradient[:, [self._channels.index(channel) for channel in channels]]

    def effect_draws(self, channel: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """``beta`` of the channel, and itself over its prior variance.

        The prior variance of ``beta = sigma_beta * unit`` is ``E[sigma_beta^2] - E[beta]^2`` with
        both half-normal: ``0.25 * (1 - 4 / pi^2)``.
        """
        draws = self._samples["beta"].isel({CHANNEL_DIM: self._channels.index(channel)}).to_numpy()
        return draws, draws / (0.25 * (1 - 4 / np.pi**2))

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
        mu = self._scalar("intercept") + np.einsum("sc,ect->set", self._beta(), z)
        gamma, design = self._samples["gamma"].to_numpy(), linear_design(panel, self._inputs)
        return mu + np.einsum("sk,ekt->set", gamma, design)

    def _media_log(self, panel: xr.Dataset) -> NDArray[np.float64]:
        """What a channel adds to ``mu`` against none, ``(sample, channel, entity, date)``."""
        scales = self._inputs.scales
        z = standardize_media(panel, self._inputs.metadata, scales)
        zero = -(scales["channel_mean"] / scales["channel_std"]).to_numpy()
        return np.einsum("sc,ect->scet", self._beta(), z - zero[:, None])

    def _referred_log(self, component: Component, panel: xr.Dataset) -> NDArray[np.float64]:
        """What a linear component adds to ``mu`` against its reference."""
        terms = terms_of(component, self._inputs)
        gamma = self._samples["gamma"].to_numpy()[:, terms]
        return np.einsum("sk,ekt->set", gamma, referred_design(panel, self._inputs)[:, terms])

    def _beta(self) -> NDArray[np.float64]:
        return self._samples["beta"].to_numpy()

    def _scalar(self, name: str) -> NDArray[np.float64]:
        return self._samples[name].to_numpy()[:, None, None]


_NOT_LINEAR = (ComponentKind.CHANNEL, ComponentKind.BASELINE)


def _removed(mu: NDArray[np.float64], part: NDArray[np.float64]) -> NDArray[np.float64]:
    """``exp(mu) - exp(mu - part)``: what is lost when ``part`` is taken out of the logarithm."""
    return np.exp(mu) * -np.expm1(-part)
