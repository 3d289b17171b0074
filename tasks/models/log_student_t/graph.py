"""The PyMC graph of kind ``log_student_t``.

    log(y + 1) ~ StudentT(nu, mu, sigma),  mu = intercept + X_channels @ beta + X_controls @ gamma

Priors are the mission's: intercept Normal(0, 2), sigma_beta HalfNormal(0.5), beta[c]
HalfNormal(sigma_beta), gamma Normal(0, 0.5), sigma HalfNormal(1), nu Exponential(1/10).

That is ``model.pooling: complete``, the default: entities share everything. With ``none`` each has
all of it alone. With ``partial`` each has a level and noise of its own, and effects around common
ones that have these priors:

    beta[e, c] = beta_mean[c] exp(d[e, c]),   d[e, c] ~ Normal(0, beta_spread[c])
    gamma[e, k] = gamma_mean[k] + g[e, k],    g[e, k] ~ Normal(0, gamma_spread[k])
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pymc as pm
import xarray as xr
from numpy.typing import NDArray

from schemas.errors import DataContractError
from schemas.names import CHANNEL_DIM, DATE_DIM, ENTITY_DIM, TERM_DIM
from schemas.spec.ridge import Pooling
from tasks.mathematics.panel import IS_ESTIMATION
from tasks.models.contract import ModelInputs
from tasks.models.linear import linear_design, linear_terms
from tasks.models.log_student_t.design import pooling_of, standardize_media
from tasks.models.regression import regress

BETA_SPREAD_PRIOR = (np.log(0.3), 0.5)
"""Log-normal: entities differ by about 35 % in a channel's effect, as in kind ``mmm``."""
GAMMA_SPREAD_PRIOR = (np.log(0.075), 0.5)
"""Log-normal, in units of ``log(y + 1)`` per standard deviation of the term."""
_LOG_HALF_NORMAL_VARIANCE = np.pi**2 / 8
"""Variance of the logarithm of a standard half-normal."""


class _Data(NamedTuple):
    media: NDArray[np.float64]
    """``(entity, channel, date)``, standardized."""
    design: NDArray[np.float64]
    """``(entity, term, date)``."""
    log_kpi: NDArray[np.float64]
    """``(entity, date)``."""

    def of(self, entity: int) -> "_Data":
        """Return one entity's part, its dimension kept."""
        return _Data(*(values[entity : entity + 1] for values in self))


class _Terms(NamedTuple):
    """Parameters of the noise as PyTensor variables; each broadcasts to ``(entity, date)``."""

    mu: Any
    sigma: Any
    nu: Any


def build_graph(panel: xr.Dataset, inputs: ModelInputs) -> pm.Model:
    """Build the model of one panel.

    Raises
    ------
    DataContractError
        If the KPI is below zero somewhere: its logarithm does not exist.
    """
    window = panel[IS_ESTIMATION].values
    kpi = panel["kpi"].transpose(ENTITY_DIM, DATE_DIM).to_numpy()[:, window]
    if (kpi < 0).any():
        raise DataContractError(
            "The KPI is negative in some periods; model.kind log_student_t takes its logarithm. "
            "Correct these periods or use model.kind mmm."
        )
    data = _Data(
        standardize_media(panel, inputs.metadata, inputs.scales)[:, :, window],
        linear_design(panel, inputs)[:, :, window],
        np.log1p(kpi),
    )
    coords = {
        ENTITY_DIM: panel[ENTITY_DIM].values,
        CHANNEL_DIM: panel[CHANNEL_DIM].values,
        TERM_DIM: [term.name for term in linear_terms(inputs)],
        DATE_DIM: panel[DATE_DIM].values[window],
    }
    with pm.Model(coords=coords) as model:
        terms = _POOLED[pooling_of(inputs.metadata)](data)
        pm.StudentT("y", **terms._asdict(), observed=data.log_kpi, dims=(ENTITY_DIM, DATE_DIM))
    return model


def _common(data: _Data) -> _Terms:
    """One of everything, for all entities."""
    intercept = pm.Normal("intercept", mu=0.0, sigma=2.0)
    sigma_beta = pm.HalfNormal("sigma_beta", sigma=0.5)
    beta = _positive("beta", sigma_beta, _resolved_share(data), (CHANNEL_DIM,))
    mu = intercept + (beta[None, :, None] * data.media).sum(axis=1)
    if data.design.shape[1]:
        gamma = pm.Normal("gamma", mu=0.0, sigma=0.5, dims=TERM_DIM)
        mu = mu + (gamma[None, :, None] * data.design).sum(axis=1)
    return _Terms(mu, pm.HalfNormal("sigma", sigma=1.0), pm.Exponential("nu", lam=0.1))


def _alone(data: _Data) -> _Terms:
    """One of everything for each entity."""
    dims = (ENTITY_DIM,)
    intercept = pm.Normal("intercept", mu=0.0, sigma=2.0, dims=dims)
    sigma_beta = pm.HalfNormal("sigma_beta", sigma=0.5, dims=dims)
    weight = np.stack([_resolved_share(data.of(e)) for e in range(len(data.media))])
    beta = _positive("beta", sigma_beta[:, None], weight, (*dims, CHANNEL_DIM))
    mu = intercept[:, None] + (beta[:, :, None] * data.media).sum(axis=1)
    if data.design.shape[1]:
        gamma = pm.Normal("gamma", mu=0.0, sigma=0.5, dims=(*dims, TERM_DIM))
        mu = mu + (gamma[:, :, None] * data.design).sum(axis=1)
    sigma = pm.HalfNormal("sigma", sigma=1.0, dims=dims)
    nu = pm.Exponential("nu", lam=0.1, dims=dims)
    return _Terms(mu, sigma[:, None], nu[:, None])


def _around_common(data: _Data) -> _Terms:
    """Level and noise of each entity; effects around common ones."""
    intercept = pm.Normal("intercept", mu=0.0, sigma=2.0, dims=ENTITY_DIM)
    sigma_beta = pm.HalfNormal("sigma_beta", sigma=0.5)
    by_entity = [_regress(data.of(e)) for e in range(len(data.media))]
    estimates, errors = (np.stack(part) for part in zip(*by_entity, strict=True))
    n_channels = data.media.shape[1]
    relative = errors[:, :n_channels] / np.maximum(estimates[:, :n_channels], 1e-6)
    mean = _positive("beta_mean", sigma_beta, _resolved_share(_within(data)), (CHANNEL_DIM,))
    beta = pm.Deterministic(
        "beta",
        mean * pm.math.exp(_deviations("beta", BETA_SPREAD_PRIOR, relative, CHANNEL_DIM)),
        dims=(ENTITY_DIM, CHANNEL_DIM),
    )
    mu = intercept[:, None] + (beta[:, :, None] * data.media).sum(axis=1)
    if data.design.shape[1]:
        common = pm.Normal("gamma_mean", mu=0.0, sigma=0.5, dims=TERM_DIM)
        own = _deviations("gamma", GAMMA_SPREAD_PRIOR, errors[:, n_channels:], TERM_DIM)
        gamma = pm.Deterministic("gamma", common + own, dims=(ENTITY_DIM, TERM_DIM))
        mu = mu + (gamma[:, :, None] * data.design).sum(axis=1)
    sigma = pm.HalfNormal("sigma", sigma=1.0, dims=ENTITY_DIM)
    return _Terms(mu, sigma[:, None], pm.Exponential("nu", lam=0.1))


_POOLED: dict[Pooling, Callable[[_Data], _Terms]] = {
    Pooling.COMPLETE: _common,
    Pooling.NONE: _alone,
    Pooling.PARTIAL: _around_common,
}


def _positive(name: str, scale: Any, weight: NDArray[np.float64], dims: tuple[str, ...]) -> Any:
    """Return an effect that is ``HalfNormal(scale)`` for every weight ``w``.

    It is ``scale^(1-w) z`` with ``z ~ HalfNormal(scale^w)``. What the data resolve samples best
    centered (``w = 1``), the rest scaled (``w = 0``), where scale and a small effect would form a
    funnel.
    """
    z = pm.HalfNormal(f"{name}_z", sigma=scale**weight, dims=dims)
    return pm.Deterministic(name, scale ** (1 - weight) * z, dims=dims)


def _deviations(
    name: str, prior: tuple[float, float], errors: NDArray[np.float64], dim: str
) -> Any:
    """Return what entities deviate by, ``(entity, dim)``: ``Normal(0, spread)``.

    Their coordinates are laid out as those of ``_positive``, by what each entity's own data say:
    ``errors`` are its standard errors, ``(entity, dim)``.
    """
    spread = pm.LogNormal(f"{name}_spread", *prior, dims=dim)
    variance = np.exp(2 * prior[0])
    weight = variance / (variance + errors**2)
    z = pm.Normal(f"{name}_z", mu=0.0, sigma=spread[None] ** weight, dims=(ENTITY_DIM, dim))
    return spread[None] ** (1 - weight) * z


def _within(data: _Data) -> _Data:
    """Return the KPI less each entity's mean: levels are not what effects are read from."""
    return data._replace(log_kpi=data.log_kpi - data.log_kpi.mean(axis=1, keepdims=True))


def _resolved_share(data: _Data) -> NDArray[np.float64]:
    """Share of the prior variance of ``log(beta)`` that the data resolve, ``(channel,)``."""
    estimates, errors = (part[: data.media.shape[1]] for part in _regress(data))
    relative = errors / np.maximum(estimates, 1e-6)
    return np.asarray(_LOG_HALF_NORMAL_VARIANCE / (_LOG_HALF_NORMAL_VARIANCE + relative**2))


def _regress(data: _Data) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Estimates and standard errors of channels, then terms."""
    columns = np.concatenate([data.media, data.design], axis=1)
    flat = np.moveaxis(columns, 1, 2).reshape(-1, columns.shape[1])
    return regress(flat, data.log_kpi.ravel())
