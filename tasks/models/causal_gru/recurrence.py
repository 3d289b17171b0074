"""The recurrent network in NumPy: states after a look back, and how long units keep media."""

from typing import NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from schemas.names import SAMPLE_DIM
from tasks.models.causal_gru import names

Array = NDArray[np.float64]


def look_back(values: Array, memory: int) -> Array:
    """Stack each period with those before it, oldest first; zeros before the first period.

    Parameters
    ----------
    values
        ``(sample, entity, period, ...)``.
    memory
        Number of periods, the period itself included.

    Returns
    -------
    NDArray
        ``(memory, sample, entity, period, ...)``.
    """
    stacked = np.zeros((memory, *values.shape))
    for step in range(memory):
        lag = memory - 1 - step
        if lag < values.shape[2]:
            stacked[step][:, :, lag:] = values[:, :, : values.shape[2] - lag]
    return stacked


class Recurrence(NamedTuple):
    """What the network makes of the calendar and the controls."""

    state: Array
    """After the look back, ``(sample, entity, period, unit)``."""
    kept: Array
    """From ``keep_shares``."""


def run_network(samples: xr.Dataset, context: Array, memory: int) -> Recurrence:
    """Run the network over every look back; arguments as ``network_states`` takes them."""
    states = network_states(samples, context, memory)
    return Recurrence(states[-1], keep_shares(samples, states))


def network_states(samples: xr.Dataset, context: Array, memory: int) -> Array:
    """State of the network at every step of its look back.

    Parameters
    ----------
    samples
        Draws with dimension ``sample``.
    context
        What the network reads, ``(entity, context, period)``.
    memory
        Periods of a look back; the state before it is zero.

    Returns
    -------
    NDArray
        ``(step, sample, entity, period, unit)``.

    References
    ----------
    Cho et al. (2014), with the reset gate inside the candidate, as equinox's ``GRUCell`` has it.
    """
    by_input = _of(samples, names.INPUT_WEIGHT, names.GRU_GATE_DIM, names.CONTEXT_DIM)
    by_state = _of(samples, names.STATE_WEIGHT, names.GRU_GATE_DIM, names.STATE_DIM)
    bias = _of(samples, names.INPUT_BIAS, names.GRU_GATE_DIM)[:, None, None]
    candidate_bias = _of(samples, names.CANDIDATE_BIAS, names.UNIT_DIM)[:, None, None]
    read = np.einsum("sgf,eft->setg", by_input, context)
    # Before the first period there is nothing to read, but the bias is there.
    past = look_back(read, memory) + bias
    n_units = by_state.shape[-1]
    reset, update, candidate = (slice(k * n_units, (k + 1) * n_units) for k in range(3))
    state = np.zeros((*read.shape[:3], n_units))
    states = []
    for inputs in past:
        hidden = np.einsum("sgu,setu->setg", by_state, state)
        opened = _sigmoid(inputs[..., reset] + hidden[..., reset])
        kept = _sigmoid(inputs[..., update] + hidden[..., update])
        let_through = opened * (hidden[..., candidate] + candidate_bias)
        new = np.tanh(inputs[..., candidate] + let_through)
        state = new + kept * (state - new)
        states.append(state)
    return np.array(states)


def keep_shares(samples: xr.Dataset, states: Array) -> Array:
    """Share of what came in at each step that a unit still has at the last one.

    Parameters
    ----------
    samples, states
        Draws, and what ``network_states`` returns of them.

    Returns
    -------
    NDArray
        ``(step, sample, entity, period, unit)``, in [0, 1], at most one in total.
    """
    weight = _of(samples, names.KEEP_WEIGHT, names.UNIT_DIM, names.STATE_DIM)
    bias = _of(samples, names.KEEP_BIAS, names.UNIT_DIM)[:, None, None]
    keep = _sigmoid(np.einsum("svu,ksetu->ksetv", weight, states) + bias)
    later = np.ones_like(keep)
    for step in range(len(keep) - 2, -1, -1):
        later[step] = later[step + 1] * keep[step + 1]
    return np.asarray((1 - keep) * later)


def _of(samples: xr.Dataset, name: str, *dims: str) -> Array:
    return np.asarray(samples[name].transpose(SAMPLE_DIM, *dims).to_numpy())


def _sigmoid(values: Array) -> Array:
    return np.asarray(0.5 * (1 + np.tanh(0.5 * values)))
