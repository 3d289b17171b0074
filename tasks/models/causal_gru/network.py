"""One member of the ensemble in JAX: a direct path, and a recurrent network for what it leaves.

The direct path is geometric carryover, a Hill curve and linear terms. A GRU reads the calendar and
the controls over the last periods. Its state says how long each of its units keeps what media put
in, and adds what linear terms cannot say. A channel's part rises with its input and is zero without
it, whatever the state; and it is a part of its own, so that taking the channel away takes exactly
this part. Every edge into the KPI has a gate.
"""

from functools import partial

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from tasks.models.causal_gru.sequences import Sequences

_LEAST_INPUT = 1e-6
"""Of the Hill curve, as a share of the largest input: single precision has no gradient below."""
OPEN_LOGIT = 2.0
"""Logit of a gate before training: open, for the sparse prior to close."""


class Columns(eqx.Module):
    """What a member reads, in single precision; see ``Sequences``."""

    media: Array
    linear: Array
    context: Array
    signs: Array
    free: Array
    """1 where an edge's gate is learned, ``(driver,)``; channels first."""
    fixed: Array
    """Gate of the other edges: 1 required, 0 forbidden, ``(driver,)``."""
    l_max: int = eqx.field(static=True)
    memory: int = eqx.field(static=True)


def read_columns(sequences: Sequences, memory: int, free: np.ndarray, fixed: np.ndarray) -> Columns:
    """Return sequences and what is known of edges into the KPI as JAX arrays."""
    single = partial(jnp.asarray, dtype=jnp.float32)
    return Columns(
        media=single(sequences.media),
        linear=single(sequences.linear),
        context=single(sequences.context),
        signs=single(sequences.signs),
        free=single(free),
        fixed=single(fixed),
        l_max=sequences.l_max,
        memory=memory,
    )


class Member(eqx.Module):
    """Parameters of one member, over the spread of the KPI."""

    level: Array
    size: Array
    """Of a channel's effect before ``softplus``, ``(channel,)``."""
    apart: Array
    """Logarithm of an entity's own factor, ``(entity, channel)``."""
    retention: Array
    """Logit, ``(channel,)``."""
    log_half: Array
    log_slope: Array
    logits: Array
    """Of the gates of edges into the KPI, channels first, ``(driver,)``."""
    gamma: Array
    gamma_apart: Array
    """An entity's own difference, ``(entity, term)``."""
    cell: eqx.nn.GRUCell
    keep: eqx.nn.Linear
    recurrent_size: Array
    """Before ``softplus``, ``(channel, unit)``."""
    recurrent_scale: Array
    """Before ``softplus``, ``(unit,)``."""
    readout: Array

    def gates(self, columns: Columns) -> Array:
        """How far every edge into the KPI is open, ``(driver,)``."""
        return columns.free * jax.nn.sigmoid(self.logits) + columns.fixed

    def amplitudes(self) -> Array:
        """Size of each channel's direct effect, gates aside, ``(entity, channel)``."""
        return jax.nn.softplus(self.size) * jnp.exp(self.apart)

    def shapes(self, columns: Columns) -> Array:
        """Carryover and saturation of media, ``(entity, channel, period)``, in [0, 1]."""
        alpha = jax.nn.sigmoid(self.retention)[:, None]
        weights = alpha ** jnp.arange(columns.l_max)
        weights = weights / weights.sum(axis=1, keepdims=True)
        n_periods = columns.media.shape[-1]
        before = jnp.pad(columns.media, ((0, 0), (0, 0), (columns.l_max - 1, 0)))
        carried = sum(
            weights[:, lag, None]
            * jax.lax.dynamic_slice_in_dim(before, columns.l_max - 1 - lag, n_periods, axis=2)
            for lag in range(columns.l_max)
        )
        is_on = carried > _LEAST_INPUT
        log_input = jnp.log(jnp.where(is_on, carried, 1.0))
        odds = jnp.exp(self.log_slope)[:, None] * (log_input - self.log_half[:, None])
        return jnp.where(is_on, jax.nn.sigmoid(odds), 0.0)

    def states(self, columns: Columns) -> Array:
        """State of the network after each look back, ``(step, entity, period, unit)``."""
        gates = self.gates(columns)[columns.media.shape[1] :]
        n_open = columns.context.shape[1] - gates.shape[0]
        opened = columns.context * jnp.concatenate([jnp.ones(n_open), gates])[:, None]
        past = look_back(jnp.moveaxis(opened, 1, 2), columns.memory)
        cell = jax.vmap(jax.vmap(self.cell))

        def step(state: Array, inputs: Array) -> tuple[Array, Array]:
            after = cell(inputs, state)
            return after, after

        start = jnp.zeros((*past.shape[1:3], self.readout.shape[0]))
        return jax.lax.scan(step, start, past)[1]

    def __call__(self, columns: Columns) -> Array:
        """Expected KPI over its spread, ``(entity, period)``."""
        gates, n_channels = self.gates(columns), columns.media.shape[1]
        shapes, states = self.shapes(columns), self.states(columns)
        signed = columns.signs * gates[:n_channels]
        direct = jnp.einsum("ec,ect->et", self.amplitudes() * signed, shapes)
        kept = jax.nn.sigmoid(jax.vmap(jax.vmap(jax.vmap(self.keep)))(states))
        filled = jnp.tanh(shapes[..., None] * jax.nn.softplus(self.recurrent_scale))
        sizes = jax.nn.softplus(self.recurrent_size) * signed[:, None]
        # How long a unit keeps depends on no channel: what all put in is summed before it is kept.
        past = look_back(jnp.einsum("ch,ecth->eth", sizes, filled), columns.memory)
        memory = jnp.zeros(past.shape[1:])
        for share, put_in in zip(kept, past, strict=True):
            memory = share * memory + (1 - share) * put_in
        recurrent = memory.sum(axis=-1) + states[-1] @ self.readout
        n_controls = len(gates) - n_channels
        opened = jnp.concatenate(
            [gates[n_channels:], jnp.ones(columns.linear.shape[1] - n_controls)]
        )
        gamma = (self.gamma + self.gamma_apart) * opened
        linear = jnp.einsum("ek,ekt->et", gamma, columns.linear)
        return self.level[:, None] + direct + linear + recurrent


def look_back(values: Array, memory: int) -> Array:
    """Stack each period with those before it, oldest first; zeros before the first period.

    Parameters
    ----------
    values
        ``(entity, period, ...)``.
    memory
        Number of periods, the period itself included.

    Returns
    -------
    Array
        ``(memory, entity, period, ...)``.
    """
    rest = [(0, 0)] * (values.ndim - 2)
    before = jnp.pad(values, [(0, 0), (memory - 1, 0), *rest])
    n_periods = values.shape[1]
    return jnp.stack([before[:, k : k + n_periods] for k in range(memory)])


def start_member(key: Array, columns: Columns, units: int) -> Member:
    """Return a member before training; only the recurrent network depends on ``key``."""
    n_entities, n_channels = columns.media.shape[:2]
    n_terms, n_context = columns.linear.shape[1], columns.context.shape[1]
    for_cell, for_keep, for_sizes = jax.random.split(key, 3)
    keep = eqx.nn.Linear(units, units, key=for_keep)
    return Member(
        level=jnp.zeros(n_entities),
        size=jnp.full(n_channels, -0.5),
        apart=jnp.zeros((n_entities, n_channels)),
        retention=jnp.full(n_channels, -0.7),
        log_half=jnp.full(n_channels, jnp.log(0.6)),
        log_slope=jnp.full(n_channels, jnp.log(1.2)),
        logits=jnp.full(columns.free.shape, OPEN_LOGIT),
        gamma=jnp.zeros(n_terms),
        gamma_apart=jnp.zeros((n_entities, n_terms)),
        cell=eqx.nn.GRUCell(n_context, units, key=for_cell),
        keep=keep,
        recurrent_size=jnp.full((n_channels, units), -5.0),
        recurrent_scale=jax.random.uniform(for_sizes, (units,), minval=0.0, maxval=2.0),
        readout=jnp.zeros(units),
    )
