"""Trained members as a posterior: numbers in units of the scaled KPI, gates multiplied in."""

from typing import NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from schemas.documents.features import FeatureMetadata
from schemas.names import CHANNEL_DIM, ENTITY_DIM, TERM_DIM
from schemas.spec.sampler import SamplerSpec
from tasks.models.causal_gru import names
from tasks.models.causal_gru.sequences import Sequences, context_names
from tasks.models.causal_gru.training import Trained
from tasks.models.linear import describe_terms

Array = NDArray[np.float64]


class Standard(NamedTuple):
    """Mean and spread of the KPI over some periods, ``(entity, 1)`` each."""

    mean: Array
    spread: Array


def standardize(kpi: Array) -> Standard:
    """Return mean and spread of ``(entity, period)``; 1 where the KPI never moves."""
    spread = kpi.std(axis=1, keepdims=True)
    return Standard(kpi.mean(axis=1, keepdims=True), np.where(spread > 0, spread, 1.0))


def publish_members(
    sequences: Sequences,
    trained: Trained,
    noise: tuple[Standard, Array],
    metadata: FeatureMetadata,
    settings: SamplerSpec,
) -> xr.Dataset:
    """Return members as a posterior.

    Parameters
    ----------
    sequences
        Panel that they were trained on.
    trained
        The members.
    noise
        What the KPI was standardized by, and the noise over that spread, ``(entity,)``.
    metadata
        Its order of channels, terms and controls is that of the posterior.
    settings
        Chains and draws that the members are laid out as.

    Returns
    -------
    xr.Dataset
        Dims ``(chain, draw, ...)``; variables as ``names`` has them.
    """
    variables = {
        **_direct(sequences, trained, *noise),
        **_recurrent(sequences, trained),
        names.EDGE_GATE: ((names.DRIVER_DIM,), trained.gates),
    }
    posterior = xr.Dataset(
        {
            name: (
                ("chain", "draw", *dims),
                values.reshape(settings.chains, settings.draws, *values.shape[1:]),
            )
            for name, (dims, values) in variables.items()
        },
        coords={
            ENTITY_DIM: metadata.entities,
            CHANNEL_DIM: sequences.channels,
            TERM_DIM: sequences.terms,
            names.CONTEXT_DIM: sequences.context_names,
            names.DRIVER_DIM: [*sequences.channels, *sequences.controls],
        },
    )
    controls = [control.name for control in metadata.controls]
    return posterior.sel(
        {
            CHANNEL_DIM: metadata.channel_names,
            TERM_DIM: [term.name for term in describe_terms(metadata)],
            names.CONTEXT_DIM: context_names(metadata),
            names.DRIVER_DIM: [*metadata.channel_names, *controls],
        }
    )


_Variables = dict[str, tuple[tuple[str, ...], Array]]


def _direct(sequences: Sequences, trained: Trained, standard: Standard, sigma: Array) -> _Variables:
    member, gates = trained.member, trained.gates
    n_members, n_channels = len(gates), len(sequences.channels)
    spread = standard.spread[:, 0]
    opened = np.ones((n_members, len(sequences.terms)))
    opened[:, : len(sequences.controls)] = gates[:, n_channels:]
    gamma = (_drawn(member.gamma)[:, None] + _drawn(member.gamma_apart)) * opened[:, None]
    signed = sequences.signs * gates[:, :n_channels]
    sizes = _softplus(member.size)[:, None] * np.exp(_drawn(member.apart))
    return {
        names.RETENTION: ((CHANNEL_DIM,), 1 / (1 + np.exp(-_drawn(member.retention)))),
        names.HALF_SATURATION: ((CHANNEL_DIM,), np.exp(_drawn(member.log_half))),
        names.SLOPE: ((CHANNEL_DIM,), np.exp(_drawn(member.log_slope))),
        names.CHANNEL_EFFECT: (
            (ENTITY_DIM, CHANNEL_DIM),
            sizes * signed[:, None] * spread[:, None],
        ),
        names.TERM_EFFECT: ((ENTITY_DIM, TERM_DIM), gamma * spread[:, None]),
        names.KPI_LEVEL: ((ENTITY_DIM,), standard.mean[:, 0] + spread * _drawn(member.level)),
        names.KPI_NOISE: ((ENTITY_DIM,), np.broadcast_to(sigma * spread, (n_members, len(spread)))),
        names.SPREAD: ((ENTITY_DIM,), np.broadcast_to(spread, (n_members, len(spread)))),
    }


def _recurrent(sequences: Sequences, trained: Trained) -> _Variables:
    member, n_channels = trained.member, len(sequences.channels)
    signed = sequences.signs * trained.gates[:, :n_channels]
    return {
        names.RECURRENT_MEDIA: (
            (CHANNEL_DIM, names.UNIT_DIM),
            _softplus(member.recurrent_size) * signed[..., None],
        ),
        names.RECURRENT_SCALE: ((names.UNIT_DIM,), _softplus(member.recurrent_scale)),
        names.READOUT: ((names.UNIT_DIM,), _drawn(member.readout)),
        names.KEEP_WEIGHT: ((names.UNIT_DIM, names.STATE_DIM), _drawn(member.keep.weight)),
        names.KEEP_BIAS: ((names.UNIT_DIM,), _drawn(member.keep.bias)),
        names.INPUT_WEIGHT: (
            (names.GRU_GATE_DIM, names.CONTEXT_DIM),
            _opened_inputs(_drawn(member.cell.weight_ih), trained.gates[:, n_channels:]),
        ),
        names.STATE_WEIGHT: ((names.GRU_GATE_DIM, names.STATE_DIM), _drawn(member.cell.weight_hh)),
        names.INPUT_BIAS: ((names.GRU_GATE_DIM,), _drawn(member.cell.bias)),
        names.CANDIDATE_BIAS: ((names.UNIT_DIM,), _drawn(member.cell.bias_n)),
    }


def _opened_inputs(weights: Array, gates: Array) -> Array:
    """Weights of what the network reads, those of controls times their gates."""
    opened = np.ones((len(weights), weights.shape[-1]))
    opened[:, weights.shape[-1] - gates.shape[1] :] = gates
    return weights * opened[:, None]


def _drawn(values: object) -> Array:
    return np.asarray(values, dtype=float)


def _softplus(values: object) -> Array:
    return np.asarray(np.logaddexp(0.0, _drawn(values)))
