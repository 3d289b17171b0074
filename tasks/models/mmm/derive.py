"""From points of the sampler to the draws that are published, in NumPy."""

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.special import expit

from schemas.names import CHANNEL_DIM, ENTITY_DIM, SAMPLE_DIM, TERM_DIM
from tasks.models.mmm.constants import SAFE, FitConstants, design_means
from tasks.models.mmm.parameters import Parameter, PooledParameter, PriorKind, contrasts
from tasks.models.mmm.unit_response import unit_response

Array = NDArray[np.float64]
Variables = dict[str, tuple[tuple[str, ...], Array]]
"""Dims and values, ``(sample, ...)``, by published name."""


def publish_points(points: Array, constants: FitConstants) -> xr.Dataset:
    """Name, constrain and complete what the sampler recorded.

    Parameters
    ----------
    points
        Unconstrained points ``(chain, draw, position)``, as ``constants.table`` orders them.
    constants
        Of the same fit.

    Returns
    -------
    xr.Dataset
        Dims ``(chain, draw, ...)``: every parameter but contrasts, ``saturation_beta``,
        ``gamma_linear``, ``intercept_contribution``; scaled units. Where a channel's prior is on
        the plain coefficient, ``log_share`` is the logarithm of that.
    """
    n_chains, n_draws, size = points.shape
    variables = _parameters(points.reshape(-1, size), constants)
    if "gamma_raw" in variables:
        variables["gamma_linear"] = _signed(*variables["gamma_raw"], constants)
    variables |= _amplitudes(variables, constants)
    used = {dim for dims, _ in variables.values() for dim in dims}
    return xr.Dataset(
        {
            name: (("chain", "draw", *dims), values.reshape(n_chains, n_draws, *values.shape[1:]))
            for name, (dims, values) in variables.items()
        },
        coords={
            "chain": np.arange(n_chains),
            "draw": np.arange(n_draws),
            **{dim: labels for dim, labels in constants.table.coords.items() if dim in used},
        },
    )


def _parameters(points: Array, constants: FitConstants) -> Variables:
    """Free parameters and pooled values, contrasts left out."""
    offsets = constants.table.offsets()
    variables: Variables = {}
    for entry in constants.table.entries:
        size = int(np.prod(entry.shape))
        x = points[:, offsets[entry.name] : offsets[entry.name] + size].reshape(-1, *entry.shape)
        if isinstance(entry, PooledParameter):
            variables[entry.name] = (entry.dims, _pooled(x, entry, variables))
        else:
            prior = entry.prior if isinstance(entry, Parameter) else PriorKind.NORMAL
            variables[entry.name] = (entry.dims, _constrained(x, prior))
    return variables


def _constrained(x: Array, prior: PriorKind) -> Array:
    if prior is PriorKind.NORMAL:
        return x
    return np.asarray(expit(x)) if prior is PriorKind.BETA else np.exp(x)


def _pooled(z: Array, entry: PooledParameter, variables: Variables) -> Array:
    spread = (variables[entry.spread][1] * entry.unit)[:, :, None]
    deviations = spread ** (1 - entry.weight[:, None]) * z @ contrasts(entry.n_entities).T
    values = variables[entry.mean][1][:, :, None] + deviations + entry.offset
    return values if entry.group_axis == 0 else values.swapaxes(1, 2)


def _signed(
    dims: tuple[str, ...], raw: Array, constants: FitConstants
) -> tuple[tuple[str, ...], Array]:
    signs = constants.term_signs
    return dims, np.where(signs == 0, raw, signs * np.exp(np.where(signs == 0, 0.0, raw)))


def _amplitudes(variables: Variables, constants: FitConstants) -> Variables:
    """Coefficients of the responses, and the baseline that media and linear terms leave."""
    media, by_entity = constants.media, variables["log_share"][1]
    if by_entity.ndim == 2:
        by_entity = by_entity[:, :, None]
    samples = xr.Dataset(
        {name: ((SAMPLE_DIM, *dims), values) for name, (dims, values) in variables.items()}
    )
    multiplier = constants.multiplier(samples)
    beta = np.empty((len(by_entity), constants.kpi.shape[0], len(media.names)))
    media_mean = np.zeros(beta.shape[:2])
    for index in range(len(media.names)):
        response = unit_response(samples, media, index)[:, :, constants.window]
        mean = constants.mean(response) + SAFE if constants.by_share[index] else 1.0
        beta[:, :, index] = np.exp(by_entity[:, index]) * constants.reference[index] / mean
        if multiplier is not None:
            response = response * multiplier[:, None, :]
        media_mean += beta[:, :, index] * constants.mean(response)
    baseline = variables["level"][1] - media_mean
    if "gamma_linear" in variables:
        dims, gamma = variables["gamma_linear"]
        by_term = gamma if dims != (TERM_DIM,) else gamma[:, None, :]
        baseline = baseline - (by_term * design_means(constants)).sum(axis=-1)
    return {
        "saturation_beta": ((ENTITY_DIM, CHANNEL_DIM), beta),
        "intercept_contribution": ((ENTITY_DIM,), baseline),
    }
