"""Own worlds of several markets and of controls that come in blocks, with known truth.

    KPI[e, t] = level[e] * (1 + trend + two harmonics) + sum of channels + controls + noise
    channel   = amplitude * hill(carried spend / its maximum)

A channel's return is 1.5 times a factor of its own (log-normal, spread 0.3), and of each market in
it (0.1); it spends about as much per KPI everywhere. A market that opened midway had neither sales
nor media before. Carryover, curve and season are drawn as in ``hard_worlds``; nothing is drawn from
the priors of the product.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from benchmarks.recovery.generator import on_off
from benchmarks.recovery.hard_worlds import FIRST_WEEK, LEAD, MediaLaw, always_on, late
from benchmarks.recovery.worlds import CONTROL_PREFIX, KPI_COLUMN, SPEND_PREFIX, World, make_world
from schemas.names import CHANNEL_DIM, DATE_DIM, ENTITY_COLUMN, ENTITY_DIM, PERIOD_COLUMN

Array = NDArray[np.float64]
N_WEEKS = 156
N_LAGS = 40
NOISE = 0.03
"""Standard deviation over a market's level."""
SPEND_SHARE = 0.055
"""Of the KPI, each channel."""
RETURN = 1.5
PATTERNS = {"tv": on_off, "search": always_on, "social": late}
"""Channels, by how they spend."""
N_PROMOTIONS, PROMOTION = 26, 0.25
CLOSED_BLOCKS, BLOCK, CLOSED = 2, 5, -0.3
"""Weeks, and what one adds to the KPI over the level."""


@dataclass(frozen=True)
class MarketRecipe:
    """What a world is like."""

    levels: tuple[float, ...] = (360_000, 215_000, 105_000)
    """KPI per week of each market."""
    opened: tuple[int, ...] = (0, 0, 0)
    """First week of each."""
    slope: tuple[float, float] = (0.8, 2.0)
    """Of the Hill curve; 1 has no bend upwards anywhere."""
    has_controls: bool = False
    """Promotions of a week, and weeks in which shops are closed, in blocks."""


MARKET_RECIPES: dict[str, MarketRecipe] = {
    "three markets": MarketRecipe(),
    "new market": MarketRecipe(opened=(0, 0, 66)),
    "new, concave": MarketRecipe(opened=(0, 0, 66), slope=(1.0, 1.0)),
    "closed weeks": MarketRecipe(levels=(475_000,), opened=(0,), has_controls=True),
}
"""By name; the third has the same draws as the second but for its curves."""


class MarketWorld(NamedTuple):
    """A world as a refit would see it, with what its controls truly brought."""

    world: World
    controls: dict[str, float]
    """Sum over all weeks, KPI units, by control."""


def generate_market_world(name: str, seed: int, *, model: dict | None = None) -> MarketWorld:
    """Draw one world of a recipe.

    Parameters
    ----------
    name
        Key of ``MARKET_RECIPES``.
    seed
        Seed of everything in it; recipes share what they have in common.
    model
        What differs from the default ``model`` block of the run spec.
    """
    recipe = MARKET_RECIPES[name]
    rng = np.random.default_rng([seed, len(recipe.levels)])
    channels = list(PATTERNS)
    curves = _Curves.draw(rng, recipe, len(channels))
    returns = RETURN * rng.lognormal(0, 0.3, len(channels))
    flags = _flags(rng)
    effects = {"promo": PROMOTION, "closed": CLOSED} if recipe.has_controls else {}
    frames, truths = [], []
    for place, (level, opened) in enumerate(zip(recipe.levels, recipe.opened, strict=True)):
        spend = _spend(rng, level, opened)
        law = curves.law(spend, returns * rng.lognormal(0, 0.1, len(channels)), opened)
        media = law.parts(spend)[:, LEAD:]
        own = {k: level * size * flags[k] for k, size in effects.items()}
        kpi = level * (_wave(rng) + NOISE * rng.standard_normal(N_WEEKS)) + media.sum(axis=0)
        frame = pd.DataFrame(
            {
                ENTITY_COLUMN: f"market_{place + 1}",
                PERIOD_COLUMN: pd.date_range(FIRST_WEEK, periods=N_WEEKS, freq="7D"),
                KPI_COLUMN: kpi + sum(own.values()),
                **{SPEND_PREFIX + c: spend[i, LEAD:].round(2) for i, c in enumerate(channels)},
                **{CONTROL_PREFIX + k: flags[k] for k in effects},
            }
        )
        frames.append(frame.iloc[opened:])
        truths.append(np.where(np.arange(N_WEEKS) >= opened, media, 0.0))
    truth = xr.DataArray(
        np.array(truths),
        dims=(ENTITY_DIM, CHANNEL_DIM, DATE_DIM),
        coords={
            ENTITY_DIM: [f"market_{i + 1}" for i in range(len(truths))],
            CHANNEL_DIM: channels,
            DATE_DIM: pd.date_range(FIRST_WEEK, periods=N_WEEKS, freq="7D"),
        },
    )
    dataset = f"{''.join(c if c.isalnum() else '_' for c in name)}_{seed}"
    world = make_world(dataset, pd.concat(frames, ignore_index=True), truth, model=model)
    sums = {k: recipe.levels[0] * size * float(flags[k].sum()) for k, size in effects.items()}
    return MarketWorld(world, sums)


@dataclass(frozen=True)
class _Curves:
    """Carryover and saturation of all channels, the same in every market."""

    lag_weights: Array
    slope: Array
    half_saturation: Array

    @classmethod
    def draw(cls, rng: np.random.Generator, recipe: MarketRecipe, n_channels: int) -> "_Curves":
        weights = rng.uniform(0.0, 0.7, n_channels)[:, None] ** np.arange(N_LAGS)
        return cls(
            weights / weights.sum(axis=1, keepdims=True),
            rng.uniform(*recipe.slope, n_channels),
            rng.uniform(0.15, 1.2, n_channels),
        )

    def law(self, spend: Array, returns: Array, opened: int) -> MediaLaw:
        """Law of a market in which each channel returns what it should from its opening on."""
        unit = MediaLaw(
            base=np.zeros(spend.shape[1]),
            lag_weights=self.lag_weights,
            slope=self.slope,
            half_saturation=self.half_saturation,
            scale=spend.max(axis=1),
            amplitude=np.ones(len(spend)),
            multiplies=False,
        )
        known = slice(LEAD + opened, None)
        brought = unit.parts(spend)[:, known].sum(axis=1)
        amplitude = returns * spend[:, known].sum(axis=1) / brought
        return MediaLaw(**(vars(unit) | {"amplitude": amplitude}))


def _spend(rng: np.random.Generator, level: float, opened: int) -> Array:
    """Money ``(channel, week)`` from ``LEAD`` weeks before the data on, none before the opening."""
    rows = np.array([pattern(rng, LEAD + N_WEEKS) for pattern in PATTERNS.values()])
    if opened:
        rows[:, : LEAD + opened] = 0
    known = rows[:, LEAD + opened :].mean(axis=1, keepdims=True)
    share = SPEND_SHARE * rng.lognormal(0, 0.1, (len(rows), 1))
    return np.asarray(rows / known * share * level)


def _wave(rng: np.random.Generator) -> Array:
    """Base over the level, ``(week,)``: the rest is media."""
    position = np.linspace(-1, 1, N_WEEKS)
    angle = 2 * np.pi * np.arange(N_WEEKS) / 52.18
    waves = sum(
        rng.normal(0, 0.05 / k) * np.sin(k * angle) + rng.normal(0, 0.05 / k) * np.cos(k * angle)
        for k in (1, 2)
    )
    media = len(PATTERNS) * SPEND_SHARE * RETURN
    return np.asarray(1 - media + rng.normal(0, 0.06) * position + waves)


def _flags(rng: np.random.Generator) -> dict[str, Array]:
    """Controls of zero and one, ``(week,)`` each."""
    promo, closed = np.zeros(N_WEEKS), np.zeros(N_WEEKS)
    promo[rng.choice(N_WEEKS, N_PROMOTIONS, replace=False)] = 1
    for start in rng.choice(N_WEEKS - BLOCK, CLOSED_BLOCKS, replace=False):
        closed[start : start + BLOCK] = 1
    return {"promo": promo, "closed": closed}
