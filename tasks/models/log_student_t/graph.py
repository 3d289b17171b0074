"""The PyMC graph of kind ``log_student_t``.

    log(y + 1) ~ StudentT(nu, mu, sigma),  mu = intercept + X_channels @ beta + X_controls @ gamma

Priors are the mission's: intercept Normal(0, 2), sigma_beta HalfNormal(0.5), beta[c]
HalfNormal(sigma_beta), gamma Normal(0, 0.5), sigma HalfNormal(1), nu Exponential(1/10).
"""

import numpy as np
import pymc as pm
import xarray as xr
from numpy.typing import NDArray

from schemas.errors import DataContractError
from schemas.names import CHANNEL_DIM, DATE_DIM, ENTITY_DIM, TERM_DIM
from tasks.mathematics.panel import IS_ESTIMATION
from tasks.models.contract import ModelInputs
from tasks.models.linear import linear_design, linear_terms
from tasks.models.log_student_t.design import standardize_media
from tasks.models.regression import regress

_LOG_HALF_NORMAL_VARIANCE = np.pi**2 / 8
"""Variance of the logarithm of a standard half-normal."""


def build_graph(panel: xr.Dataset, inputs: ModelInputs) -> pm.Model:
    """Build the model of one panel; all entities share coefficients.

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
    media = standardize_media(panel, inputs.metadata, inputs.scales)[:, :, window]
    design = linear_design(panel, inputs)[:, :, window]
    coords = {
        ENTITY_DIM: panel[ENTITY_DIM].values,
        CHANNEL_DIM: panel[CHANNEL_DIM].values,
        TERM_DIM: [term.name for term in linear_terms(inputs)],
        DATE_DIM: panel[DATE_DIM].values[window],
    }
    with pm.Model(coords=coords) as model:
        intercept = pm.Normal("intercept", mu=0.0, sigma=2.0)
        sigma_beta = pm.HalfNormal("sigma_beta", sigma=0.5)
        # beta ~ HalfNormal(sigma_beta) for every weight w: beta = sigma_beta^(1-w) z with
        # z ~ HalfNormal(sigma_beta^w). Channels that the data resolve sample best centered (w = 1),
        # the others scaled (w = 0), where sigma_beta and a small beta would form a funnel.
        weight = _resolved_share(media, design, np.log1p(kpi))
        z = pm.HalfNormal("beta_z", sigma=sigma_beta**weight, dims=CHANNEL_DIM)
        beta = pm.Deterministic("beta", sigma_beta ** (1 - weight) * z, dims=CHANNEL_DIM)
        mu = intercept + (beta[None, :, None] * media).sum(axis=1)
        if design.shape[1]:
            gamma = pm.Normal("gamma", mu=0.0, sigma=0.5, dims=TERM_DIM)
            mu = mu + (gamma[None, :, None] * design).sum(axis=1)
        sigma = pm.HalfNormal("sigma", sigma=1.0)
        nu = pm.Exponential("nu", lam=0.1)
        pm.StudentT(
            "y", nu=nu, mu=mu, sigma=sigma, observed=np.log1p(kpi), dims=(ENTITY_DIM, DATE_DIM)
        )
    return model


def _resolved_share(
    media: NDArray[np.float64], design: NDArray[np.float64], log_kpi: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Share of the prior variance of ``log(beta)`` that the data resolve, ``(channel,)``."""
    columns = np.concatenate([media, design], axis=1)
    flat = np.moveaxis(columns, 1, 2).reshape(-1, columns.shape[1])
    estimates, errors = regress(flat, log_kpi.ravel())
    estimates, errors = estimates[: media.shape[1]], errors[: media.shape[1]]
    relative = errors / np.maximum(estimates, 1e-6)
    return _LOG_HALF_NORMAL_VARIANCE / (_LOG_HALF_NORMAL_VARIANCE + relative**2)
