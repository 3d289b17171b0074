"""Direct and total interventions: what a channel takes with it when others follow it.

``do(channel = 0)`` with all other channels as they ran is the channel's contribution. In the total
one, channels that follow it in the graph move as well: spend of each is regressed on its own last
period, on that of those it follows, and on seasons, trend and events, anew for every member on
resampled blocks of periods, and the change runs through these equations in time.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from schemas.documents.causal_graph import ChannelIntervention
from schemas.names import CHANNEL_DIM, DATE_DIM, ENTITY_DIM
from tasks.mathematics.draws import summarize
from tasks.models.causal_gru.resampling import block_length, draw_weights
from tasks.models.causal_gru.sequences import Sequences
from tasks.models.contract import FittedModel

Array = NDArray[np.float64]
Ends = tuple[str, str]

_MOST_KEPT = 0.95
"""Of a spend's own last period: what grows without bound is no budget."""
_SEED = 0


class Following(NamedTuple):
    """How one channel's spend follows, over the scale of each channel's input."""

    own: float
    """Of its own last period."""
    others: Mapping[str, float]
    """Of the last period of those it follows."""


def measure_interventions(
    members: Sequence[FittedModel],
    panel: xr.Dataset,
    scales: Array,
    sequences: Sequences,
    found: Sequence[Ends],
) -> dict[str, ChannelIntervention]:
    """Measure direct and total interventions on every channel over the fitted periods.

    Parameters
    ----------
    members
        The members of a fit, each as a model of one draw.
    panel
        Its panel.
    scales
        Of its media, ``(entity, channel)`` in the order of the panel.
    sequences
        The panel as sequences.
    found
        Edges of the graph, source and target.

    Returns
    -------
    dict
        By channel, in the order of the panel.
    """
    names = sequences.channels
    edges = [(s, t) for s, t in found if s in names and t in names]
    draws = follow(sequences, edges, len(members))
    window, answers = sequences.window, {}
    for name in panel[CHANNEL_DIM].values.tolist():
        through = followers(name, edges)
        direct = np.array([m.incremental(name, panel)[..., window].sum() for m in members])
        total = direct + np.array(
            [
                _taken_with_it(member, panel, scales, change_without(sequences, name, drawn))
                if through
                else 0.0
                for member, drawn in zip(members, draws, strict=True)
            ]
        )
        answers[name] = ChannelIntervention(
            **summarize(direct, "direct"), **summarize(total, "total"), through=through
        )
    return answers


def followers(name: str, edges: Sequence[Ends]) -> list[str]:
    """Return the channels that follow one, directly or by others, each once, sorted."""
    reached: set[str] = set()
    waiting = [name]
    while waiting:
        current = waiting.pop()
        new = {target for source, target in edges if source == current} - reached - {name}
        reached |= new
        waiting += sorted(new)
    return sorted(reached)


def follow(sequences: Sequences, edges: Sequence[Ends], n_draws: int) -> list[dict[str, Following]]:
    """Regress the spend of every channel that follows another, on resampled blocks.

    Returns
    -------
    list
        One mapping per draw, by the channel that follows.
    """
    fitted = np.flatnonzero(sequences.window)
    fitted = fitted[fitted > 0]
    rng = np.random.default_rng(_SEED)
    weights = draw_weights(rng, n_draws, len(fitted), block_length(None, len(fitted)))
    place = {name: k for k, name in enumerate(sequences.channels)}
    given = sequences.linear[:, len(sequences.controls) :, fitted]
    draws: list[dict[str, Following]] = [{} for _ in range(n_draws)]
    for target in dict.fromkeys(t for _, t in edges):
        sources = sorted(s for s, t in edges if t == target)
        media = sequences.media[:, [place[n] for n in (target, *sources)]]
        columns = np.concatenate([media[..., fitted - 1], given], axis=1)
        explained = media[:, 0, fitted]
        for drawn, weight in zip(draws, weights, strict=True):
            beta = _weighted(columns, explained, weight)
            own = float(np.clip(beta[0], 0.0, _MOST_KEPT))
            drawn[target] = Following(own, dict(zip(sources, beta[1:].tolist(), strict=False)))
    return draws


def _weighted(columns: Array, explained: Array, weight: Array) -> Array:
    """Least squares with a level of each entity; the shortest solution where there are many."""
    root = np.sqrt(weight)
    total = weight.sum()
    x = columns - (columns * weight).sum(axis=-1, keepdims=True) / total
    y = explained - (explained * weight).sum(axis=-1, keepdims=True) / total
    flat = np.moveaxis(x * root, 1, -1).reshape(-1, x.shape[1])
    return np.asarray(np.linalg.lstsq(flat, (y * root).ravel(), rcond=1e-8)[0])


def change_without(
    sequences: Sequences, name: str, equations: Mapping[str, Following]
) -> dict[str, Array]:
    """Return how others change where a channel spends nothing from the first fitted period on.

    Returns
    -------
    dict
        ``(entity, period)`` over each one's scale, by the channel that follows.
    """
    media = sequences.media[:, sequences.channels.index(name)]
    changes = {name: np.where(sequences.window, -media, 0.0)}
    moved = [channel for channel in equations if channel != name]
    changes |= {channel: np.zeros_like(media) for channel in moved}
    for t in range(1, media.shape[1]):
        for channel in moved:
            own, others = equations[channel]
            change = own * changes[channel][:, t - 1]
            for source, size in others.items():
                if source in changes:
                    change = change + size * changes[source][:, t - 1]
            changes[channel][:, t] = change
    return {channel: changes[channel] for channel in moved if changes[channel].any()}


def _taken_with_it(
    member: FittedModel, panel: xr.Dataset, scales: Array, changes: Mapping[str, Array]
) -> float:
    """KPI that is lost because those that follow a channel move; its own part stays as it ran."""
    media = panel["media"].transpose(ENTITY_DIM, CHANNEL_DIM, DATE_DIM)
    values, order = media.to_numpy().copy(), media[CHANNEL_DIM].values.tolist()
    window = panel["is_estimation"].to_numpy()
    before = sum(member.incremental(channel, panel)[..., window].sum() for channel in changes)
    for channel, change in changes.items():
        place = order.index(channel)
        values[:, place] = np.maximum(values[:, place] + change * scales[:, [place]], 0.0)
    changed = panel.assign(media=media.copy(data=values))
    after = sum(member.incremental(channel, changed)[..., window].sum() for channel in changes)
    return float(before - after)
