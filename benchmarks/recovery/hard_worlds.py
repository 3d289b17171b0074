"""Own worlds that differ from what the model assumes, each in one way, with known truth.

    KPI[t]     = base[t] + sum of channels + noise[t]              or base * exp(sum of channels)
    base       = level * (1 + trend + two harmonics + two controls + what the world adds)
    channel    = amplitude * hill(carried spend / its maximum)

A channel's return (contribution over spend) is log-normal around the world's common one, whose
median is 1.5 with a spread of 0.5 between worlds and 0.5 between channels; its spend follows from
return and contribution. Nothing here is drawn from the priors of the product.

``RECIPES`` names the worlds after what is odd in them. Contributions are counterfactuals: the
expected KPI less that without the channel.
"""

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from benchmarks.recovery.generator import on_off
from benchmarks.recovery.worlds import CONTROL_PREFIX, KPI_COLUMN, SPEND_PREFIX, World, make_world
from schemas.names import CHANNEL_DIM, DATE_DIM, ENTITY_COLUMN, ENTITY_DIM, PERIOD_COLUMN

Array = NDArray[np.float64]
FIRST_WEEK = "2021-01-04"
HELD_OUT = 13
"""Weeks after the fit whose KPI is known to the benchmark alone."""
N_LAGS = 40
LEAD = 40
"""Weeks of spend before the data begin: companies advertised before they kept these records."""
_YEAR = 52.18
_ENTITY = "total"


@dataclass(frozen=True)
class Recipe:
    """What a world is like; the defaults are the plain one."""

    n_weeks: tuple[int, ...] = (130,)
    n_channels: tuple[int, ...] = (5,)
    media_share: float = 0.3
    """Of the KPI; with ``has_effect`` False only spend is what it would be."""
    noise: float = 0.04
    """Standard deviation over the level."""
    autocorrelation: float = 0.0
    noise_kind: str = "normal"
    """``normal``, ``heteroscedastic``, ``outliers``, ``heavy`` (t with 2.5 degrees of freedom)."""
    baseline: str = "plain"
    """``plain``, ``walk``, ``step``, ``drift``."""
    link: str = "additive"
    """``additive``, ``multiplicative``, ``log_normal`` (the noise multiplies)."""
    slope: tuple[float, float] = (0.8, 2.0)
    half_saturation: tuple[float, float] = (0.15, 1.2)
    carryover: str = "short"
    """``short`` (retention to 0.7), ``delayed``, ``long`` (retention 0.85 to 0.95)."""
    spend: str = "mixed"
    """``mixed``, ``demand``, ``christmas``, ``collinear``, ``bursts``, ``reaction`` (it follows the
    KPI of the week before), ``misreported`` (some weeks of one channel stand there tenfold)."""
    drift: float = 0.0
    """Effects change over the weeks from one plus to one less this share."""
    has_effect: bool = True
    n_weak: int = 0
    """Channels with a tenth of the return."""
    n_tiny: int = 0
    """Channels that spend a thousandth of the KPI or less."""


RECIPES: dict[str, Recipe] = {
    "base": Recipe(),
    "ar 0.5": Recipe(autocorrelation=0.5),
    "ar 0.8": Recipe(autocorrelation=0.8),
    "heteroscedastic": Recipe(noise_kind="heteroscedastic"),
    "outliers": Recipe(noise_kind="outliers"),
    "walking level": Recipe(baseline="walk"),
    "step": Recipe(baseline="step"),
    "drift": Recipe(baseline="drift"),
    "multiplicative": Recipe(link="multiplicative"),
    "log-normal": Recipe(link="log_normal"),
    "s-shaped": Recipe(slope=(2.5, 4.0), half_saturation=(0.4, 0.8)),
    "delayed": Recipe(carryover="delayed"),
    "long carryover": Recipe(carryover="long"),
    "demand": Recipe(spend="demand"),
    "christmas": Recipe(spend="christmas"),
    "media 5 %": Recipe(media_share=0.05),
    "media 70 %": Recipe(media_share=0.7),
    "ten, media 5 %": Recipe(n_channels=(10,), media_share=0.05),
    "ten x 104": Recipe(n_weeks=(104,), n_channels=(10,)),
    "ten x 156": Recipe(n_weeks=(156,), n_channels=(10,)),
    "twenty x 156": Recipe(n_weeks=(156,), n_channels=(20,)),
    "collinear 0.9": Recipe(spend="collinear"),
    "bursts": Recipe(spend="bursts"),
    "one weak": Recipe(n_weak=1),
    "no effect": Recipe(has_effect=False, n_channels=(4, 5, 6), n_weeks=(104, 130, 156)),
    "tiny": Recipe(n_channels=(5,), n_tiny=2),
    "many": Recipe(n_weeks=(104,), n_channels=(12, 14, 16, 18, 20)),
    "4 to 8 x 104": Recipe(n_weeks=(104,), n_channels=(4, 5, 6, 7, 8)),
    "heavy tails": Recipe(noise_kind="heavy"),
    "reverse": Recipe(spend="reaction"),
    "misreported": Recipe(spend="misreported"),
    "drifting effect": Recipe(drift=0.7),
}  # fmt: skip
"""By name. The first 24 are those of one table; the next four have questions of their own, and the
last four are for ``benchmarks/detectors.py``."""
FOR_DETECTORS = ("heavy tails", "reverse", "misreported", "drifting effect")


@dataclass(frozen=True)
class MediaLaw:
    """Everything that is true of a world, for any spend."""

    base: Array
    """Expected KPI without media, ``(week,)``, from ``LEAD`` weeks before the data on."""
    lag_weights: Array
    """``(channel, lag)``, each adding up to one."""
    slope: Array
    half_saturation: Array
    """On carried spend over ``scale``, ``(channel,)``."""
    scale: Array
    """Largest weekly spend, money, ``(channel,)``."""
    amplitude: Array
    """KPI units at full saturation; on the logarithm of the KPI where ``multiplies``."""
    multiplies: bool

    def parts(self, spend: Array) -> Array:
        """Amplitude times unit response, ``(channel, week)``; ``spend`` has the same shape."""
        scaled = spend / self.scale[:, None]
        carried = np.zeros_like(scaled)
        for lag in range(min(N_LAGS, spend.shape[1])):
            carried[:, lag:] += self.lag_weights[:, lag, None] * scaled[:, : spend.shape[1] - lag]
        slope, half = self.slope[:, None], self.half_saturation[:, None]
        return np.asarray(self.amplitude[:, None] * carried**slope / (half**slope + carried**slope))

    def expected(self, spend: Array, base: Array) -> Array:
        """Expected KPI, ``(week,)``."""
        media = self.parts(spend).sum(axis=0)
        return np.asarray(base * np.exp(media) if self.multiplies else base + media)

    def contributions(self, spend: Array, base: Array) -> Array:
        """Expected KPI less that without the channel, ``(channel, week)``."""
        parts = self.parts(spend)
        if not self.multiplies:
            return parts
        return np.asarray(base * np.exp(parts.sum(axis=0)) * (1 - np.exp(-parts)))


class HardWorld(NamedTuple):
    """A world as a refit would see it, with its law and what comes after it."""

    world: World
    law: MediaLaw
    spend: Array
    """Money, ``(channel, week)``, from ``LEAD`` weeks before the data to the held-out ones."""
    rows: pd.DataFrame
    """Rows of all weeks, held-out ones included."""

    def true_gain(self, money: Array, horizon: int) -> float:
        """Gain of a plan over the same money in today's mix, carryover after it included.

        Parameters
        ----------
        money
            Spend of each channel over the horizon, ``(channel,)``.
        horizon
            Planned weeks; today's mix is that of as many weeks before them.
        """
        n = LEAD + self.world.panel.sizes[DATE_DIM]
        recent = self.spend[:, n - horizon : n]
        today = recent.sum(axis=1)
        mix = today * (money.sum() / today.sum())
        return self._outcome(money, n, recent) - self._outcome(mix, n, recent)

    def _outcome(self, money: Array, n: int, recent: Array) -> float:
        today = recent.sum(axis=1)
        times = np.divide(money, today, out=np.zeros_like(today), where=today > 0)
        after = np.zeros((len(today), N_LAGS - 1))
        spend = np.concatenate([self.spend[:, :n], recent * times[:, None], after], axis=1)
        mean = self.law.base[n - recent.shape[1] : n].mean()
        base = np.concatenate([self.law.base[:n], np.full(spend.shape[1] - n, mean)])
        return float(self.law.expected(spend, base)[n:].sum())


def generate_hard_world(name: str, seed: int, *, model: dict | None = None) -> HardWorld:
    """Draw one world of a recipe.

    Parameters
    ----------
    name
        Key of ``RECIPES``.
    seed
        Seed of everything in it; with several sizes they take turns by it.
    model
        What differs from the default ``model`` block of the run spec.
    """
    recipe = RECIPES[name]
    recipe = replace(
        recipe,
        n_weeks=(recipe.n_weeks[seed % len(recipe.n_weeks)],),
        n_channels=(recipe.n_channels[seed % len(recipe.n_channels)],),
    )
    rng = np.random.default_rng([seed, list(RECIPES).index(name)])
    n_weeks = LEAD + recipe.n_weeks[0] + HELD_OUT
    level = 100_000 * rng.lognormal(0, 0.5)
    demand = _autoregressive(rng, (n_weeks,), 0.9)
    season = _christmas(n_weeks)
    pattern = _patterns(rng, recipe, demand, season)
    # Of the recipes of later: what others draw must stay as it is.
    apart = np.random.default_rng([seed, list(RECIPES).index(name), 1])
    early_noise = _noise(apart, recipe, n_weeks)
    controls = _autoregressive(rng, (2, n_weeks), 0.6)
    wave = _wave(rng, recipe, controls, demand, season)
    if recipe.spend == "reaction":
        pattern = _reactions(apart, pattern, wave + early_noise)
    law, spend = _law(rng, recipe, level, wave, pattern)
    noise = early_noise if recipe.spend == "reaction" else _noise(rng, recipe, n_weeks)
    expected = law.expected(spend, law.base)
    kpi = expected * np.exp(noise) if recipe.link != "additive" else expected + level * noise
    truth = law.contributions(spend, law.base) * recipe.has_effect
    change = recipe.drift * -np.linspace(-1, 1, n_weeks)
    kpi, truth = kpi + (truth * change).sum(axis=0), truth * (1 + change)
    if not recipe.has_effect:
        kpi = level * (wave + noise)
        law = replace(law, amplitude=np.zeros_like(law.amplitude))
    reported = _misreported(apart, spend) if recipe.spend == "misreported" else spend
    made = _as_world(
        f"{name} {seed}", law, model, kpi=kpi, spend=reported, controls=controls, truth=truth
    )
    return made._replace(spend=spend)


def _as_world(
    name: str,
    law: MediaLaw,
    model: dict | None,
    *,
    kpi: Array,
    spend: Array,
    controls: Array,
    truth: Array,
) -> HardWorld:
    names = [f"channel_{i + 1}" for i in range(len(spend))]
    known, paid = slice(LEAD, None), spend[:, LEAD:].round(2)
    kpi, controls, truth = kpi[known], controls[:, known], truth[:, known]
    weeks = pd.date_range(FIRST_WEEK, periods=len(kpi), freq="7D")
    rows = pd.DataFrame(
        {
            ENTITY_COLUMN: _ENTITY,
            PERIOD_COLUMN: weeks,
            KPI_COLUMN: kpi,
            **{f"{SPEND_PREFIX}{n}": paid[i] for i, n in enumerate(names)},
            **{f"{CONTROL_PREFIX}{i + 1}": controls[i] for i in range(len(controls))},
        }
    )
    n_fitted = len(kpi) - HELD_OUT
    totals = xr.DataArray(
        truth[None, :, :n_fitted],
        dims=(ENTITY_DIM, CHANNEL_DIM, DATE_DIM),
        coords={ENTITY_DIM: [_ENTITY], CHANNEL_DIM: names, DATE_DIM: weeks[:n_fitted]},
    )
    dataset = "".join(c if c.isalnum() else "_" for c in name)
    world = make_world(dataset, rows.iloc[:n_fitted], totals, model=model)
    return HardWorld(world, law, spend, rows)


def _law(
    rng: np.random.Generator, recipe: Recipe, level: float, wave: Array, pattern: Array
) -> tuple[MediaLaw, Array]:
    """Draw the law and the spend in money that gives every channel its return."""
    n_channels, n_weeks = pattern.shape
    fitted = slice(LEAD, n_weeks - HELD_OUT)
    returns = rng.lognormal(np.log(1.5), 0.5) * rng.lognormal(0, 0.5, n_channels)
    returns[: recipe.n_weak] *= 0.1
    size = rng.lognormal(0, 0.8, n_channels)
    part = size * returns
    tiny = np.arange(n_channels) >= n_channels - recipe.n_tiny
    share = recipe.media_share * np.where(tiny, 0.0, part / part[~tiny].sum())
    share = np.where(tiny, rng.uniform(2e-4, 1e-3, n_channels) * returns, share)
    spend = pattern * (share * level / returns)[:, None]
    unit = MediaLaw(
        base=(1 - share.sum()) * level * wave,
        lag_weights=_lag_weights(rng, recipe, n_channels),
        slope=rng.uniform(*recipe.slope, n_channels),
        half_saturation=rng.uniform(*recipe.half_saturation, n_channels),
        scale=spend.max(axis=1),
        amplitude=np.ones(n_channels),
        multiplies=recipe.link == "multiplicative",
    )
    mean = unit.parts(spend)[:, fitted].mean(axis=1)
    if not unit.multiplies:
        return replace(unit, amplitude=share * level / mean), spend
    return replace(unit, amplitude=-np.log1p(-share) / mean), spend


def _lag_weights(rng: np.random.Generator, recipe: Recipe, n_channels: int) -> Array:
    lags = np.arange(N_LAGS)
    if recipe.carryover == "delayed":
        peak, retention = rng.uniform(1.5, 4.0, n_channels), rng.uniform(0.5, 0.8, n_channels)
        weights = retention[:, None] ** ((lags - peak[:, None]) ** 2 / 2)
    else:
        limits = (0.85, 0.95) if recipe.carryover == "long" else (0.0, 0.7)
        weights = rng.uniform(*limits, n_channels)[:, None] ** lags
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))


def _wave(
    rng: np.random.Generator, recipe: Recipe, controls: Array, demand: Array, season: Array
) -> Array:
    """Base over its level, ``(week,)``."""
    n_weeks = controls.shape[-1]
    position = np.linspace(-1, 1, n_weeks)
    angle = 2 * np.pi * np.arange(n_weeks) / _YEAR
    waves = sum(
        rng.normal(0, 0.05 / k) * np.sin(k * angle) + rng.normal(0, 0.05 / k) * np.cos(k * angle)
        for k in (1, 2)
    )
    wave = 1 + rng.normal(0, 0.06) * position + waves + rng.normal(0, 0.03, 2) @ controls
    if recipe.baseline == "walk":
        steps = rng.normal(0, 0.02, n_weeks).cumsum()
        wave = wave + steps - steps.mean()
    elif recipe.baseline == "step":
        at = int(rng.uniform(0.3, 0.7) * n_weeks)
        wave = wave + rng.choice((-1, 1)) * 0.15 * (np.arange(n_weeks) >= at)
    elif recipe.baseline == "drift":
        wave = wave + 0.1 * np.sin(np.pi * rng.uniform(0.8, 1.6) * (position + rng.uniform(-1, 1)))
    if recipe.spend == "demand":
        wave = wave + 0.08 * demand
    elif recipe.spend == "christmas":
        wave = wave + 0.3 * season
    return np.asarray(np.maximum(wave, 0.2))


def _noise(rng: np.random.Generator, recipe: Recipe, n_weeks: int) -> Array:
    """Noise over the level, ``(week,)``."""
    noise = recipe.noise * _autoregressive(rng, (n_weeks,), recipe.autocorrelation)
    if recipe.noise_kind == "heteroscedastic":
        return np.asarray(noise * np.exp(0.7 * np.linspace(-1, 1, n_weeks)))
    if recipe.noise_kind == "heavy":
        return np.asarray(recipe.noise * rng.standard_t(2.5, n_weeks) / np.sqrt(5))
    if recipe.noise_kind == "outliers":
        hit = rng.uniform(size=n_weeks) < 0.04
        return np.asarray(noise + hit * rng.choice((-1, 1), n_weeks) * rng.uniform(0.2, 0.4))
    return noise


def _patterns(rng: np.random.Generator, recipe: Recipe, demand: Array, season: Array) -> Array:
    """Weekly spend of every channel with mean one, ``(channel, week)``."""
    n_channels, n_weeks = recipe.n_channels[0], len(demand)
    kinds = (always_on, on_off, late, _seasonal)
    first = int(rng.integers(len(kinds)))
    common = _autoregressive(rng, (n_weeks,), 0.6)
    rows = []
    for channel in range(n_channels):
        if recipe.spend == "demand":
            row = np.exp(0.4 * demand + 0.15 * _autoregressive(rng, (n_weeks,), 0.5))
        elif recipe.spend == "christmas":
            row = always_on(rng, n_weeks) * (1 + 2.5 * season)
        elif recipe.spend == "collinear":
            own = _autoregressive(rng, (n_weeks,), 0.6)
            row = np.exp(0.4 * (np.sqrt(0.9) * common + np.sqrt(0.1) * own))
        elif recipe.spend == "bursts":
            row = on_off(rng, n_weeks)
        else:
            row = kinds[(first + channel) % len(kinds)](rng, n_weeks)
        rows.append(row / row.mean())
    return np.array(rows)


def _reactions(rng: np.random.Generator, pattern: Array, before_media: Array) -> Array:
    """Spend that follows the KPI of the week before: money is there when business is good."""
    before = np.roll((before_media - before_media.mean()) / before_media.std(), 1)
    own = np.array([_autoregressive(rng, (len(before),), 0.5) for _ in pattern])
    rows = np.exp(0.4 * before + 0.2 * own)
    return np.asarray(rows / rows.mean(axis=1, keepdims=True))


def _misreported(rng: np.random.Generator, spend: Array) -> Array:
    """Three weeks of one channel are in the file tenfold."""
    reported = spend.copy()
    known = np.arange(LEAD, spend.shape[1] - HELD_OUT)
    channel = int(rng.integers(len(spend)))
    on_air = known[spend[channel, known] > 0]
    reported[channel, rng.choice(on_air, 3, replace=False)] *= 10
    return reported


def _christmas(n_weeks: int) -> Array:
    """One in the three weeks before Christmas, rising from six weeks before."""
    first = pd.Timestamp(FIRST_WEEK) - pd.Timedelta(weeks=LEAD)
    days = pd.date_range(first, periods=n_weeks, freq="7D").dayofyear.to_numpy()
    return np.clip((days - 315) / 25.0, 0.0, 1.0)


def always_on(rng: np.random.Generator, n_weeks: int) -> Array:
    """Spend in every week, more in some, ``(week,)``."""
    return np.exp(0.35 * _autoregressive(rng, (n_weeks,), 0.6))


def late(rng: np.random.Generator, n_weeks: int) -> Array:
    """Nothing in the first fifth to half of the weeks, always-on afterwards."""
    out = always_on(rng, n_weeks)
    out[: int(rng.uniform(0.2, 0.5) * n_weeks)] = 0
    return out


def _seasonal(rng: np.random.Generator, n_weeks: int) -> Array:
    angle = 2 * np.pi * (np.arange(n_weeks) - rng.uniform(0, 52)) / _YEAR
    return np.maximum(0.3 + np.cos(angle), 0) * rng.gamma(8, 0.125, n_weeks)


def _autoregressive(rng: np.random.Generator, shape: tuple[int, ...], retention: float) -> Array:
    """AR(1) with unit variance along the last axis."""
    out = rng.standard_normal(shape)
    for week in range(1, shape[-1]):
        innovation = np.sqrt(1 - retention**2) * out[..., week]
        out[..., week] = retention * out[..., week - 1] + innovation
    return out
