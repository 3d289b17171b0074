"""Draws from the priors of kind ``mmm``, in NumPy: what is believed before the KPI is seen.

They have the published names and dims of a fit, so that whatever reads a posterior reads them too.
As in the graph, level and noise are measured on the KPI of the fitted window.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.special import ndtri

from schemas.channels import ChannelKind, PriorQuantity, SaturationKind
from schemas.names import CHANNEL_DIM, DATE_DIM, ENTITY_DIM, ComponentKind
from tasks.mmm.carryover import ADSTOCK_PARAMETERS
from tasks.mmm.panel import IS_ESTIMATION
from tasks.mmm.saturation import SATURATION_PARAMETERS
from tasks.models.contract import Component, ModelInputs
from tasks.models.linear import linear_design, linear_terms
from tasks.models.mmm import priors
from tasks.models.mmm.fitted import MmmFitted
from tasks.models.mmm.lift import channel_transforms

TERM_DIM = "term"
_SAFE = 1e-12


@dataclass
class _Prior:
    """Draws under way."""

    panel: xr.Dataset
    inputs: ModelInputs
    n_draws: int
    rng: np.random.Generator

    @property
    def n_channels(self) -> int:
        return self.panel.sizes[CHANNEL_DIM]

    @property
    def n_entities(self) -> int:
        return self.panel.sizes[ENTITY_DIM]

    @property
    def kpi(self) -> NDArray[np.float64]:
        """Scaled KPI of the fitted window, ``(entity, date)``."""
        scaled = (self.panel["kpi"] / self.inputs.scales["kpi_scale"]).transpose(
            ENTITY_DIM, DATE_DIM
        )
        return scaled.to_numpy()[:, self.panel[IS_ESTIMATION].values]

    def normal(self, *shape: int) -> NDArray[np.float64]:
        return self.rng.standard_normal((self.n_draws, *shape))

    def dataset(self, variables: Mapping[str, tuple[tuple[str, ...], Any]]) -> xr.Dataset:
        """Name the draws of one chain."""
        coords = {
            ENTITY_DIM: self.panel[ENTITY_DIM].values,
            CHANNEL_DIM: self.panel[CHANNEL_DIM].values,
            TERM_DIM: [term.name for term in linear_terms(self.inputs)],
        }
        used = {dim for dims, _ in variables.values() for dim in dims}
        return xr.Dataset(
            {
                name: (("chain", "draw", *dims), values[None])
                for name, (dims, values) in variables.items()
            },
            coords={dim: labels for dim, labels in coords.items() if dim in used},
        )


def draw_prior(panel: xr.Dataset, inputs: ModelInputs, n_draws: int, seed: int) -> xr.Dataset:
    """Draw from the priors of one panel.

    Parameters
    ----------
    panel
        As ``tasks.mmm.panel.build_panel`` makes it.
    inputs
        Feature metadata and scales.
    n_draws
        Draws, in one chain.
    seed
        Seed; the same one gives the same draws.

    Returns
    -------
    xr.Dataset
        Dims ``(chain, draw, ...)``; names and dims of a fit's posterior.
    """
    prior = _Prior(panel, inputs, n_draws, np.random.default_rng(seed))
    shapes = _shape_parameters(prior)
    mean_shape = _mean_shapes(prior, shapes)
    log_share, sizes = _shares(prior, mean_shape)
    media = np.exp(log_share) * prior.kpi.mean(axis=-1)[None, None, :] * (mean_shape > _SAFE)
    signed = media * _signs(inputs)[:, None]
    beta = signed / (mean_shape + _SAFE)
    linear, offset = _linear(prior)
    spread = np.maximum(prior.kpi.std(axis=-1), 1e-3)
    level = prior.kpi.mean(axis=-1) + spread * prior.normal(prior.n_entities)
    entity = (ENTITY_DIM,)
    return prior.dataset(
        {
            **shapes,
            **sizes,
            **linear,
            "saturation_beta": ((ENTITY_DIM, CHANNEL_DIM), beta.swapaxes(1, 2)),
            "intercept_contribution": (entity, level - signed.sum(axis=1) - offset),
            "y_sigma": (entity, spread * np.abs(prior.normal(prior.n_entities))),
        }
    )


Variables = dict[str, tuple[tuple[str, ...], NDArray[np.float64]]]
"""Dims and values, ``(draw, ...)``, by published name."""


def _shape_parameters(prior: _Prior) -> Variables:
    """Every channel's carryover and saturation; a channel has draws of others' parameters too."""
    families: dict[str, dict[int, str]] = {}
    for index, (adstock, saturation) in enumerate(channel_transforms(prior.inputs)):
        for name in ADSTOCK_PARAMETERS[adstock.kind]:
            families.setdefault(f"adstock_{name}", {})[index] = adstock.kind
        for name in SATURATION_PARAMETERS[saturation.kind]:
            families.setdefault(f"saturation_{name}", {})[index] = saturation.kind
    drawn: Variables = {}
    for name, kinds in families.items():
        values = np.ones((prior.n_draws, prior.n_channels))
        for index, kind in kinds.items():
            values[:, index] = _draw_parameter(name, kind, prior)
        drawn[name] = ((CHANNEL_DIM,), values)
    return drawn


def _draw_parameter(name: str, kind: str, prior: _Prior) -> NDArray[np.float64]:
    """Draw one parameter of one channel, ``(draw,)``: the only place that knows which prior."""
    size = prior.n_draws
    if name == "adstock_alpha":
        return prior.rng.beta(*priors.RETENTION_PRIOR, size)
    if name == "adstock_theta":
        return np.abs(prior.rng.normal(0, priors.THETA_SIGMA, size))
    if name.startswith("adstock_"):
        mean, spread = priors.WEIBULL_PRIOR
        return prior.rng.gamma((mean / spread) ** 2, spread**2 / mean, size)
    if name == "saturation_slope":
        return prior.rng.lognormal(*priors.SLOPE_PRIOR, size)
    is_logistic = kind == SaturationKind.LOGISTIC
    location, scale = priors.LOGISTIC_PRIOR if is_logistic else priors.HALF_SATURATION_PRIOR
    return prior.rng.lognormal(location, scale, size)


def _mean_shapes(prior: _Prior, shapes: Variables) -> NDArray[np.float64]:
    """Mean shape over the fitted window, ``(draw, channel, entity)``."""
    unit = np.ones((prior.n_draws, prior.n_entities, prior.n_channels))
    drawn = prior.dataset({**shapes, "saturation_beta": ((ENTITY_DIM, CHANNEL_DIM), unit)})
    model = MmmFitted(drawn, prior.inputs)
    window = prior.panel[IS_ESTIMATION].values
    scale = prior.inputs.scales["kpi_scale"].to_numpy()
    means = [
        model.contribution(Component(str(name), ComponentKind.CHANNEL), prior.panel)[
            :, :, window
        ].mean(axis=-1)
        / scale
        for name in prior.panel[CHANNEL_DIM].values
    ]
    return np.stack(means, axis=1)


def _signs(inputs: ModelInputs) -> NDArray[np.float64]:
    kinds = [channel["kind"] for channel in inputs.metadata["channels"]]
    return np.array([-1.0 if kind == ChannelKind.COMPETITOR else 1.0 for kind in kinds])


def _shares(
    prior: _Prior, mean_shape: NDArray[np.float64]
) -> tuple[NDArray[np.float64], Variables]:
    """``log(share)`` per draw, ``(draw, channel, entity)``, and as the fit publishes it."""
    stated = priors.share_priors(prior.panel, prior.inputs)
    middle = stated.log_median + stated.spread * _stratified(prior, prior.n_channels)
    log_size = middle[:, :, None]
    if prior.n_entities > 1:
        location, scale = priors.ENTITY_SPREAD_PRIOR
        spread = prior.rng.lognormal(location, scale, (prior.n_draws, prior.n_channels))
        offsets = prior.normal(prior.n_channels, prior.n_entities)
        log_size = log_size + spread[:, :, None] * offsets
    is_coefficient = np.array(
        [
            (channel.get("prior") or {}).get("quantity") == PriorQuantity.COEFFICIENT
            for channel in prior.inputs.metadata["channels"]
        ]
    )
    # A coefficient of beta gives the share beta * mean shape / mean KPI.
    per_coefficient = np.log(mean_shape + _SAFE) - np.log(prior.kpi.mean(axis=-1))
    log_share = log_size + np.where(is_coefficient[:, None], per_coefficient, 0.0)
    if prior.n_entities == 1:
        return log_share, {"log_share": ((CHANNEL_DIM,), log_share[:, :, 0])}
    return log_share, {
        "log_share": ((CHANNEL_DIM, ENTITY_DIM), log_share),
        "log_share_mean": ((CHANNEL_DIM,), middle),
    }


def _stratified(prior: _Prior, n: int) -> NDArray[np.float64]:
    """Standard normal draws, ``(draw, n)``, one per quantile, so that intervals are as stated."""
    ranks = prior.rng.permuted(np.tile(np.arange(prior.n_draws), (n, 1)), axis=1).T
    return ndtri((ranks + 0.5) / prior.n_draws)


def _linear(prior: _Prior) -> tuple[Variables, NDArray[np.float64]]:
    """Coefficients of the linear terms, and what they add to the mean KPI, ``(draw, entity)``."""
    window = prior.panel[IS_ESTIMATION].values
    design = linear_design(prior.panel, prior.inputs)[:, :, window]
    terms = linear_terms(prior.inputs)
    if not terms:
        return {}, np.zeros((prior.n_draws, prior.n_entities))
    term_spread = design.std(axis=(0, 2))
    unit = prior.kpi.std(axis=-1).mean() / np.where(term_spread > 0, term_spread, 1.0)
    sigma = priors.LINEAR_SIGMA * unit * np.array([term.relative_sd for term in terms])
    gamma = (sigma * prior.normal(len(terms)))[:, None, :]
    if prior.n_entities > 1:
        location, scale = priors.LINEAR_SPREAD_PRIOR
        spread = prior.rng.lognormal(location, scale, (prior.n_draws, len(terms))) * unit
        gamma = gamma + spread[:, None, :] * prior.normal(prior.n_entities, len(terms))
    signs = np.array([term.sign for term in terms])
    gamma = np.where(signs == 0, gamma, signs * np.abs(gamma))
    offset = np.einsum("set,et->se", gamma, design.mean(axis=-1))
    dims = (ENTITY_DIM, TERM_DIM) if prior.n_entities > 1 else (TERM_DIM,)
    return {"gamma_linear": (dims, gamma if prior.n_entities > 1 else gamma[:, 0])}, offset
