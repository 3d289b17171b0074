"""Own worlds with known contributions, drawn from a law that is not our prior.

    KPI[e, t] = level[e] * (1 + trend + seasonality + controls) + sum of channels + noise
    channel   = share[e, c] * KPI level * shape / mean of shape
    shape     = hill(adstock(spend / its entity's maximum)), geometric weights over 8 weeks

What is true of a world, against what the product assumes before it sees data:

- All channels together: share uniform in [0.10, 0.45] of the KPI. The prior has a log-normal per
  channel, split evenly.
- A channel's part of that: its **spend** times a random effectiveness, log-normal with spread 0.6
  between channels and 0.25 between entities. The prior knows nothing of spend.
- Retention uniform in [0, 0.7] (prior: Beta(1, 3)); Hill slope uniform in [0.8, 2] and
  half-saturation uniform in [0.15, 1.2] of the maximum (prior: log-normal both).
- Noise: normal, 2 to 6 % of the level. Trend linear, two yearly harmonics, controls AR(1).

Spend is always-on, on-off, delayed start or seasonal, as in the published generators.
"""

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from benchmarks.recovery.media_truth import MediaTruth
from benchmarks.recovery.worlds import CONTROL_PREFIX, KPI_COLUMN, SPEND_PREFIX, World, make_world
from schemas.names import CHANNEL_DIM, DATE_DIM, ENTITY_COLUMN, ENTITY_DIM, PERIOD_COLUMN

Array = NDArray[np.float64]
FIRST_WEEK = "2021-01-04"
MEDIA_SHARE = (0.10, 0.45)
CHANNEL_EFFECTIVENESS = 0.6
ENTITY_EFFECTIVENESS = 0.25
RETENTION = (0.0, 0.7)
SLOPE = (0.8, 2.0)
HALF_SATURATION = (0.15, 1.2)
NOISE = (0.02, 0.06)


@dataclass(frozen=True)
class Shape:
    """Size of a world."""

    n_weeks: int
    n_entities: int
    n_channels: int
    n_controls: int = 2


SHAPES = tuple(
    Shape(n_weeks, n_entities, n_channels)
    for n_weeks, n_entities, n_channels in (
        (104, 1, 4),
        (130, 2, 5),
        (156, 3, 6),
        (104, 4, 4),
        (130, 1, 6),
        (156, 2, 4),
        (104, 3, 5),
        (130, 4, 6),
        (156, 1, 5),
        (104, 2, 6),
    )
)
"""Between the published small and medium; each takes seconds."""


class KnownWorld(NamedTuple):
    """A world, and the law that made its media contributions."""

    world: World
    media: MediaTruth


def generate_world(seed: int, shape: Shape, *, model: dict | None = None) -> World:
    """Draw one world; ``generate_known_world`` without the law."""
    return generate_known_world(seed, shape, model=model).world


def generate_known_world(seed: int, shape: Shape, *, model: dict | None = None) -> KnownWorld:
    """Draw one world.

    Parameters
    ----------
    seed
        Seed of everything in it.
    shape
        Its size.
    model
        What differs from the default ``model`` block of the run spec.
    """
    rng = np.random.default_rng(seed)
    spend = _spend(rng, shape)
    level = 50_000 * rng.lognormal(0, 0.5, shape.n_entities)
    controls = _autoregressive(rng, (shape.n_entities, shape.n_controls, shape.n_weeks))
    media = _media_truth(rng, spend, level)
    contribution = media.contribution(spend)
    base = (level - contribution.mean(axis=-1).sum(axis=-1))[:, None]
    noise = (
        rng.uniform(*NOISE)
        * level[:, None]
        * rng.standard_normal(base.shape[:1] + spend.shape[-1:])
    )
    kpi = base * _wave(rng, controls) + contribution.sum(axis=1) + noise
    entities = [f"market_{i + 1}" for i in range(shape.n_entities)]
    weeks = pd.date_range(FIRST_WEEK, periods=shape.n_weeks, freq="7D")
    truth = xr.DataArray(
        contribution,
        dims=(ENTITY_DIM, CHANNEL_DIM, DATE_DIM),
        coords={
            ENTITY_DIM: entities,
            CHANNEL_DIM: [f"channel_{i + 1}" for i in range(shape.n_channels)],
            DATE_DIM: weeks,
        },
    )
    known = {"adstock": {"l_max": 8}} | (model or {})
    world = make_world(f"own_{seed}", _rows(truth, kpi, spend, controls), truth, model=known)
    return KnownWorld(world, media)


def _rows(truth: xr.DataArray, kpi: Array, spend: Array, controls: Array) -> pd.DataFrame:
    """Canonical rows, entity by entity."""
    frames = []
    for index, entity in enumerate(truth[ENTITY_DIM].values):
        columns = {
            ENTITY_COLUMN: str(entity),
            PERIOD_COLUMN: truth[DATE_DIM].values,
            KPI_COLUMN: kpi[index],
        }
        for position, channel in enumerate(truth[CHANNEL_DIM].values):
            columns[f"{SPEND_PREFIX}{channel}"] = spend[index, position]
        for position in range(controls.shape[1]):
            columns[f"{CONTROL_PREFIX}{position + 1}"] = controls[index, position]
        frames.append(pd.DataFrame(columns))
    return pd.concat(frames, ignore_index=True)


def _media_truth(rng: np.random.Generator, spend: Array, level: Array) -> MediaTruth:
    """Draw the law: spend times effectiveness sets the total of a channel."""
    n_entities, n_channels, _ = spend.shape
    unit = MediaTruth(
        retention=rng.uniform(*RETENTION, n_channels),
        slope=rng.uniform(*SLOPE, n_channels),
        half_saturation=rng.uniform(*HALF_SATURATION, n_channels),
        scale=spend.max(axis=-1),
        amplitude=np.ones((n_entities, n_channels)),
    )
    effectiveness = rng.lognormal(0, CHANNEL_EFFECTIVENESS, n_channels)
    effectiveness = effectiveness * rng.lognormal(0, ENTITY_EFFECTIVENESS, (n_entities, n_channels))
    pull = spend.mean(axis=-1) * effectiveness
    share = rng.uniform(*MEDIA_SHARE) * pull / pull.sum(axis=1, keepdims=True)
    return replace(unit, amplitude=share * level[:, None] / unit.shape(spend).mean(axis=-1))


def _wave(rng: np.random.Generator, controls: Array) -> Array:
    """Base over its mean, ``(entity, week)``: trend, two harmonics, controls."""
    n_weeks = controls.shape[-1]
    position = np.linspace(-1, 1, n_weeks)
    angle = 2 * np.pi * np.arange(n_weeks) / 52.18
    season = sum(
        rng.normal(0, 0.05 / k) * np.sin(k * angle) + rng.normal(0, 0.05 / k) * np.cos(k * angle)
        for k in (1, 2)
    )
    effects = rng.normal(0, 0.03, controls.shape[1])
    wave = 1 + rng.normal(0, 0.06) * position + season
    return wave + np.einsum("k,ekt->et", effects, controls)


def _spend(rng: np.random.Generator, shape: Shape) -> Array:
    """Weekly spend, ``(entity, channel, week)``; the kinds of flighting take turns."""
    patterns = (_always_on, on_off, _delayed_start, _seasonal)
    first = int(rng.integers(len(patterns)))
    level = 1000 * rng.lognormal(0, 0.7, shape.n_channels)
    size = rng.lognormal(0, 0.4, shape.n_entities)
    spend = np.zeros((shape.n_entities, shape.n_channels, shape.n_weeks))
    for channel in range(shape.n_channels):
        draw = patterns[(first + channel) % len(patterns)]
        for entity in range(shape.n_entities):
            spend[entity, channel] = draw(rng, shape.n_weeks) * level[channel] * size[entity]
    return spend.round(2)


def _always_on(rng: np.random.Generator, n_weeks: int) -> Array:
    return np.exp(0.35 * _autoregressive(rng, (n_weeks,)))


def on_off(rng: np.random.Generator, n_weeks: int) -> Array:
    """Bursts of about five weeks, pauses of about six."""
    out = np.zeros(n_weeks)
    week = int(rng.integers(0, 6))
    while week < n_weeks:
        end = week + int(rng.integers(3, 8))
        out[week:end] = rng.uniform(0.5, 1.5) * rng.gamma(10, 0.1, len(out[week:end]))
        week = end + int(rng.integers(3, 10))
    return out


def _delayed_start(rng: np.random.Generator, n_weeks: int) -> Array:
    """Nothing in the first fifth to half of the weeks, always-on afterwards."""
    out = _always_on(rng, n_weeks)
    out[: int(rng.uniform(0.2, 0.5) * n_weeks)] = 0
    return out


def _seasonal(rng: np.random.Generator, n_weeks: int) -> Array:
    """One broad peak a year at a random time, with noise."""
    angle = 2 * np.pi * (np.arange(n_weeks) - rng.uniform(0, 52)) / 52.18
    return np.maximum(0.3 + np.cos(angle), 0) * rng.gamma(8, 0.125, n_weeks)


def _autoregressive(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """AR(1) with coefficient 0.6 and unit variance along the last axis."""
    out = rng.standard_normal(shape)
    for week in range(1, shape[-1]):
        out[..., week] = 0.6 * out[..., week - 1] + 0.8 * out[..., week]
    return out
