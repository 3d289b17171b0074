"""Training of an ensemble in JAX: many members at once, each on weights of its own.

A member minimizes minus the log posterior of normal noise whose size is profiled out; priors are
those of the Bayesian core where it has the same parameter. Members that hold periods out stop where
the error there is smallest; others after as many steps as those took.
"""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import Array
from numpy.typing import NDArray

from schemas.spec.causal_gru import CausalGruSpec
from tasks.models.causal_gru.network import (
    OPEN_LOGIT,
    Columns,
    Member,
    read_columns,
    start_member,
)
from tasks.models.causal_gru.sequences import Sequences

_RATE = 0.03
_STEPS_AT_ONCE = 25
"""Between two reports of progress."""
_MOST_SQUARES = 1e-6
"""Mean square below which nothing is gained: a KPI without noise has no infinite likelihood."""


class Job(NamedTuple):
    """What each member is trained on; a leading axis ``member`` everywhere."""

    kpi: NDArray[np.float64]
    """Over its spread, ``(member, entity, period)``."""
    weights: NDArray[np.float64]
    """Of every period in the likelihood, ``(member, period)``."""
    held_out: NDArray[np.float64]
    """1 in periods that say when to stop, ``(member, period)``; all 0 of those without any."""
    n_steps: NDArray[np.int64]
    """After which a member without held-out periods stops, ``(member,)``."""


class Trained(NamedTuple):
    """Members at the step where they stopped."""

    member: Member
    """Leading axis ``member`` on every array."""
    expected: NDArray[np.float64]
    """Over the spread of the KPI, ``(member, entity, period)``."""
    gates: NDArray[np.float64]
    """``(member, driver)``."""
    steps: NDArray[np.int64]
    """Where each stopped, ``(member,)``."""


class _Progress(NamedTuple):
    member: Member
    moments: optax.OptState
    best: Member
    best_error: Array
    best_step: Array


def train(
    sequences: Sequences,
    edges: tuple[NDArray[np.float64], NDArray[np.float64]],
    job: Job,
    settings: CausalGruSpec,
    *,
    seed: int,
    watch: Callable[[float], None],
) -> Trained:
    """Train members together.

    Parameters
    ----------
    sequences
        The panel.
    edges
        Where gates into the KPI are free, and what the others are, ``(driver,)`` each.
    job
        What each member sees.
    settings
        Units, look back, sparse prior, and steps at most.
    seed
        The same one gives the same members.
    watch
        Called with the finished share, in [0, 1].
    """
    # Small arrays, one after the other: a GPU would wait for itself, and round in another way.
    with jax.default_device(jax.devices("cpu")[0]):
        columns = read_columns(sequences, settings.memory_periods, *edges)
        keys = jax.random.split(jax.random.key(seed), len(job.kpi))
        members = jax.vmap(partial(start_member, columns=columns, units=settings.hidden_units))(
            keys
        )
        seen = tuple(jnp.asarray(v, jnp.float32) for v in (job.kpi, job.weights, job.held_out))
        limits = jnp.asarray(job.n_steps, jnp.int32)
        state = jax.tree.map(_strong, jax.vmap(_begin)(members))
        n_steps = _needed_steps(job, settings.max_steps)
        for first in range(0, n_steps, _STEPS_AT_ONCE):
            number = jnp.asarray(first, jnp.int32)
            state = _advance(state, columns, (*seen, limits), number, settings.sparsity)
            watch(min(1.0, (first + _STEPS_AT_ONCE) / n_steps))
        expected, gates = _evaluate(state.best, columns)
        return Trained(
            state.best,
            np.asarray(expected, float),
            np.asarray(gates, float),
            np.asarray(state.best_step),
        )


def _needed_steps(job: Job, most: int) -> int:
    """Steps after which no member changes any more: only held-out periods ask for all."""
    if job.held_out.any():
        return most
    return min(most, int(job.n_steps.max()) + 1)


@eqx.filter_jit
def _evaluate(members: Member, columns: Columns) -> tuple[Array, Array]:
    return jax.vmap(lambda member: (member(columns), member.gates(columns)))(members)


def _optimizer() -> optax.GradientTransformation:
    return optax.chain(optax.clip_by_global_norm(10.0), optax.adam(_RATE))


def _strong(values: Array) -> Array:
    """Fix the type of constants: a state whose types change is compiled twice."""
    return jax.lax.convert_element_type(values, values.dtype)


def _begin(member: Member) -> _Progress:
    moments = _optimizer().init(eqx.filter(member, eqx.is_array))
    return _Progress(
        member, moments, member, jnp.asarray(jnp.inf, jnp.float32), jnp.asarray(0, jnp.int32)
    )


@eqx.filter_jit
def _advance(
    state: _Progress, columns: Columns, seen: tuple[Array, ...], first: Array, sparsity: float
) -> _Progress:
    """Take some steps with every member."""

    def step(before: _Progress, number: Array) -> tuple[_Progress, None]:
        return jax.vmap(partial(_step, columns, sparsity, number))(before, seen), None

    return jax.lax.scan(step, state, first + jnp.arange(_STEPS_AT_ONCE, dtype=jnp.int32))[0]


def _step(
    columns: Columns, sparsity: float, number: Array, before: _Progress, seen: tuple[Array, ...]
) -> _Progress:
    kpi, weights, held_out, limit = seen

    def loss(member: Member) -> tuple[Array, Array]:
        squares = (kpi - member(columns)) ** 2
        mean = (squares * weights).sum(axis=1) / weights.sum()
        likelihood = 0.5 * weights.sum() * jnp.log(mean + _MOST_SQUARES).sum()
        return likelihood + _penalty(member, columns, sparsity), (squares * held_out).sum()

    (_, error), gradient = eqx.filter_value_and_grad(loss, has_aux=True)(before.member)
    # The error is that of the member as it comes in, after ``number`` steps.
    has_tail = held_out.sum() > 0
    better = jnp.where(has_tail, error < before.best_error, number <= limit)
    update, moments = _optimizer().update(gradient, before.moments)
    return _Progress(
        eqx.apply_updates(before.member, update),
        moments,
        jax.tree.map(partial(jnp.where, better), before.member, before.best),
        jnp.where(better & has_tail, error, before.best_error),
        jnp.where(better, number, before.best_step),
    )


def _penalty(member: Member, columns: Columns, sparsity: float) -> Array:
    """Minus the log prior density, but for a constant."""
    open_gates = (columns.free * jax.nn.sigmoid(member.logits)).sum()
    network = [member.cell.weight_ih, member.cell.weight_hh, member.keep.weight]
    return (
        sparsity * open_gates
        + _normal(member.logits, OPEN_LOGIT, 2.0)
        + _normal(jax.nn.softplus(member.size), 0.0, 2.0)
        + _normal(member.apart, 0.0, 0.3)
        + _normal(member.retention, -0.7, 1.2)
        + _normal(member.log_half, jnp.log(0.6), 0.7)
        + _normal(member.log_slope, jnp.log(1.2), 0.35)
        + _normal(member.gamma, 0.0, 1.0)
        + _normal(member.gamma_apart, 0.0, 0.3)
        + sum(_normal(weights, 0.0, 1.0) for weights in network)
        + _normal(member.recurrent_scale, 1.0, 1.0)
        + (jax.nn.softplus(member.recurrent_size) / 0.05).sum()
        + _normal(member.readout, 0.0, 0.1)
    )


def _normal(values: Array, mean: Array | float, sd: float) -> Array:
    return 0.5 * (((values - mean) / sd) ** 2).sum()
