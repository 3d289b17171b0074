"""Simulated KPIs: which worlds, what is odd in each, and its noise."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from schemas.answers.recovery import WorldKind, WorldPlan
from schemas.names import CHANNEL_DIM, DATE_DIM, ENTITY_DIM
from tasks.mathematics.panel import IS_ESTIMATION, estimation_window, has_negative_kpi, observed_of
from tasks.models.contract import FittedModel
from tasks.recover.law import Law, longer_curves

Array = NDArray[np.float64]

UNLIKE = (
    WorldKind.LONG_CARRYOVER, WorldKind.CONFOUNDER, WorldKind.STEP, WorldKind.LASTING_NOISE,
)  # fmt: skip
"""Worlds in which the model is wrong, each in one way."""
SHARE_UNLIKE = 0.4
"""Of all worlds; every kind at least once."""
SHARE_SILENT = 0.2
"""Of the channels of each world: they have no effect in it, one after the other."""

DEMAND_SIZE, DEMAND_WITH_SPEND = 0.06, 0.7
"""Standard deviation of unseen demand over the mean KPI, and its correlation with spend."""
STEP_SIZE = 0.12
"""Of the mean KPI."""
LASTING_SHARE = 0.85
"""Share of noise that lasts into the next period."""

MOST_MEDIA = 0.8
"""Share of the KPI above which media of a draw bring more than any company would believe."""
MOST_UNLIKE = float(np.log(2.0))
"""Logarithm of the times by which mean, spread and steps of a simulated KPI may differ."""


def plan_worlds(n_worlds: int, channels: Sequence[str]) -> list[WorldPlan]:
    """Choose kinds of worlds, and which channels have no effect in each.

    Parameters
    ----------
    n_worlds
        At least 4.
    channels
        Channels of the spec.
    """
    n_unlike = max(len(UNLIKE), round(SHARE_UNLIKE * n_worlds)) if n_worlds > len(UNLIKE) else 0
    kinds = [WorldKind.AS_ASSUMED] * (n_worlds - n_unlike)
    kinds += [UNLIKE[place % len(UNLIKE)] for place in range(n_unlike)]
    n_silent = max(1, round(SHARE_SILENT * len(channels)))
    worlds = []
    for number, kind in enumerate(kinds):
        # A single channel is silent in every other world, never in all of them.
        turn = number * n_silent if len(channels) > 1 else number // 2
        places = {(turn + k) % len(channels) for k in range(n_silent)}
        silent = [c for place, c in enumerate(channels) if place in places]
        worlds.append(
            WorldPlan(
                number=number,
                kind=kind,
                silent=silent if len(channels) > 1 or number % 2 else [],
            )
        )
    return worlds


def plausible_draws(
    model: FittedModel, panel: xr.Dataset, least: int, *, seed: int
) -> NDArray[np.intp]:
    """Return the samples whose KPI could be this dataset's, by their position.

    Its mean, its standard deviation and that of its steps from period to period are within
    ``MOST_UNLIKE`` of the real KPI's; where that holds of fewer than ``least``, the nearest ones.
    A KPI that would be negative, or mostly media, is none of them.

    Parameters
    ----------
    model
        Draws of a prior or a posterior.
    panel
        The panel of the fit.
    least
        How many are needed.
    seed
        Seed of the noise.

    Returns
    -------
    NDArray
        Positions ``(sample,)``.
    """
    window = panel[IS_ESTIMATION].to_numpy()
    is_open = observed_of(panel)[:, window]
    names = [str(c) for c in panel[CHANNEL_DIM].values]
    everywhere = model.expected(panel)
    expected = np.where(is_open, everywhere[..., window], 0.0)
    media = sum(model.incremental(n, panel)[..., window].sum(axis=(1, 2)) for n in names)
    made = model.sample_kpi(panel, everywhere, seed=seed)[..., window]
    real = np.where(is_open, estimation_window(panel)["kpi"].to_numpy(), 0.0)
    signed = has_negative_kpi(panel)
    off = _unlikeness(np.where(is_open, made, 0.0).sum(axis=1), real.sum(axis=0), signed=signed)
    if not signed:
        positive = expected[:, is_open].min(axis=1) > 0
        off[~positive | (np.abs(media) > MOST_MEDIA * expected.sum(axis=(1, 2)))] = np.inf
    near = np.flatnonzero(off <= MOST_UNLIKE)
    if len(near) >= least:
        return near
    nearest = np.argsort(off, kind="stable")[:least]
    return nearest[np.isfinite(off[nearest])]


def _unlikeness(made: Array, real: Array, *, signed: bool) -> Array:
    """Largest absolute log ratio of three statistics, ``(sample,)``; of two where signs differ."""

    def sizes(values: Array) -> Array:
        steps = np.diff(values, axis=-1).std(axis=-1)
        found = [values.std(axis=-1), steps, *([] if signed else [values.mean(axis=-1)])]
        return np.stack(found)

    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.abs(np.log(sizes(made) / sizes(real)[:, None]))
    return np.asarray(np.nan_to_num(ratio, nan=np.inf).max(axis=0))


class World(NamedTuple):
    """One simulated KPI."""

    law: Law
    kpi: Array
    """``(entity, date)``, NaN where an entity is not open."""


def simulate(plan: WorldPlan, model: FittedModel, panel: xr.Dataset, seed: int) -> World:
    """Simulate one KPI.

    Parameters
    ----------
    plan
        Its kind and its silent channels.
    model
        One draw.
    panel
        The panel of the fit.
    seed
        Seed of all that is drawn.
    """
    rng = np.random.default_rng(seed)
    law = Law(model, [str(c) for c in panel[CHANNEL_DIM].values], plan.silent)
    noise = _noise(model, panel, seed)
    if plan.kind is WorldKind.LONG_CARRYOVER:
        law = longer_curves(law, panel, rng)
    elif plan.kind is WorldKind.LASTING_NOISE:
        noise = noise.std(axis=1, keepdims=True) * lasting(rng, noise.shape, LASTING_SHARE)
    expected = law.expected(panel)
    kpi = expected + _added(plan.kind, panel, expected, rng) + noise
    if not has_negative_kpi(panel):
        kpi = np.maximum(kpi, 0.01 * expected.mean(axis=1, keepdims=True))
    return World(law, np.where(observed_of(panel), kpi, np.nan))


def _noise(model: FittedModel, panel: xr.Dataset, seed: int) -> Array:
    """Noise of the draw, ``(entity, date)``."""
    expected = model.expected(panel)
    return np.asarray((model.sample_kpi(panel, expected, seed=seed) - expected)[0])


def _added(kind: WorldKind, panel: xr.Dataset, expected: Array, rng: np.random.Generator) -> Array:
    """What the world adds to the expected KPI, ``(entity, date)``."""
    level = np.abs(expected.mean(axis=1, keepdims=True))
    n_dates = expected.shape[1]
    if kind is WorldKind.STEP:
        at = int(rng.uniform(0.3, 0.7) * n_dates)
        return np.asarray(rng.choice((-1, 1)) * STEP_SIZE * level * (np.arange(n_dates) >= at))
    if kind is WorldKind.CONFOUNDER:
        own = np.sqrt(1 - DEMAND_WITH_SPEND**2) * lasting(rng, (n_dates,), 0.9)
        return np.asarray(DEMAND_SIZE * level * (DEMAND_WITH_SPEND * _spend(panel) + own))
    return np.zeros_like(expected)


def _spend(panel: xr.Dataset) -> Array:
    """How all media rise and fall together, mean zero and variance one, ``(date,)``."""
    media = panel["media"].sum(ENTITY_DIM).transpose(CHANNEL_DIM, DATE_DIM).to_numpy()
    level = np.where(media.mean(axis=1) > 0, media.mean(axis=1), 1.0)
    logs = np.log1p(media / level[:, None])
    together = (logs - logs.mean(axis=1, keepdims=True)).sum(axis=0)
    size = together.std()
    return np.asarray(together / size if size > 0 else together)


def lasting(rng: np.random.Generator, shape: tuple[int, ...], retention: float) -> Array:
    """Draw AR(1) noise with unit variance along the last axis.

    Parameters
    ----------
    rng, shape
        Where it comes from, and the shape of what is returned.
    retention
        Share that lasts into the next period, in [0, 1).

    Returns
    -------
    NDArray
        Of the given shape.
    """
    out = rng.standard_normal(shape)
    for t in range(1, shape[-1]):
        out[..., t] = retention * out[..., t - 1] + np.sqrt(1 - retention**2) * out[..., t]
    return out
