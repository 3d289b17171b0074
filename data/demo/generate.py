"""Make the demo panel: three years of one brand's weekly sales with known truth.

Run ``python data/demo/generate.py`` to write ``panel.csv`` (what a company would send),
``truth.csv`` (what each component really contributed each week) and ``truth.json`` (the true
parameters). The seed is fixed, so the files come out the same byte for byte; a test holds that.

The law: ``sales = baseline + trend + seasonality + controls + sum of channels + noise`` with
``channel = beta * hill(adstock(activity / max(activity)))``.
"""

import csv
import io
import json
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Series = NDArray[np.float64]

SEED = 20_261_109
N_WEEKS = 156
LAST_WEEK = date(2026, 11, 9)
ENTITY = "acme"
L_MAX = 8
BASELINE = 330_000.0
NOISE_SHARE = 0.035
"""Standard deviation of the noise as a share of the mean KPI."""
TREND_PER_STD = 14_000.0
FOURIER = {"sin_1": -9_000.0, "cos_1": 26_000.0, "sin_2": 7_000.0, "cos_2": -8_000.0}
PRICE_EFFECT = -2_900.0
"""Sales per point of the price index."""
PROMO_EFFECT = 30_000.0
"""Sales of a week with a promotion against one without."""


@dataclass(frozen=True)
class Channel:
    """True response of one channel; ``half_saturation`` is a share of the maximal activity."""

    name: str
    retention: float
    half_saturation: float
    slope: float
    share_of_media: float
    roas: float


MEDIA_TOTAL_PER_WEEK = 150_000.0
CHANNELS = (
    Channel("tv", 0.60, 0.35, 1.4, 0.33, 1.6),
    Channel("search", 0.15, 0.60, 1.0, 0.29, 3.5),
    Channel("social", 0.35, 0.45, 1.2, 0.19, 2.3),
    Channel("display", 0.30, 0.35, 1.0, 0.09, 0.8),
    Channel("radio", 0.45, 0.30, 1.3, 0.10, 1.2),
)


@dataclass(frozen=True)
class World:
    """Everything that was generated; ``components`` add up to ``expected``."""

    weeks: list[date]
    activity: dict[str, Series]
    spend: dict[str, Series]
    controls: dict[str, Series]
    components: dict[str, tuple[str, Series]]
    betas: dict[str, float]
    expected: Series
    noise_sd: float
    sales: Series


def compute_adstock(x: Series, *, retention: float, l_max: int = L_MAX) -> Series:
    """Carry activity over to later weeks with geometric weights that sum to one."""
    weights = retention ** np.arange(l_max)
    weights /= weights.sum()
    return np.convolve(x, weights)[: len(x)]


def compute_hill(x: Series, *, half_saturation: float, slope: float) -> Series:
    """Diminishing returns: 0 at 0, one half at ``half_saturation``, towards 1."""
    return x**slope / (half_saturation**slope + x**slope)


def sample_bursts(
    rng: np.random.Generator, *, level: float, n_on: tuple[int, int], n_off: tuple[int, int]
) -> Series:
    """Flighting: some weeks on air at a varying level, some weeks off."""
    out = np.zeros(N_WEEKS)
    week = int(rng.integers(0, n_off[1]))
    while week < N_WEEKS:
        length = int(rng.integers(n_on[0], n_on[1] + 1))
        strength = level * rng.uniform(0.45, 1.0)
        end = min(week + length, N_WEEKS)
        out[week:end] = strength * rng.uniform(0.75, 1.25, end - week)
        week = end + int(rng.integers(n_off[0], n_off[1] + 1))
    return np.round(out)


def sample_always_on(
    rng: np.random.Generator, *, level: float, season: float, peak_week: float, spread: float
) -> Series:
    """Every week something: a yearly wave, budget steps, and week-to-week noise."""
    t = np.arange(N_WEEKS)
    wave = season * np.cos(2 * np.pi * (t - peak_week) / 52.18)
    steps = np.repeat(rng.normal(0, spread, -(-N_WEEKS // 6)), 6)[:N_WEEKS]
    noise = rng.normal(0, spread, N_WEEKS)
    return np.round(level * np.exp(wave + steps + noise - spread**2))


def sample_activity(rng: np.random.Generator) -> dict[str, Series]:
    """Draw all channels' activity: rating points, clicks, impressions, impressions, spots."""
    return {
        "tv": sample_bursts(rng, level=420, n_on=(3, 6), n_off=(3, 8)),
        "search": sample_always_on(rng, level=21_000, season=0.15, peak_week=4, spread=0.30),
        "social": sample_always_on(rng, level=2_400_000, season=0.12, peak_week=30, spread=0.38),
        "display": sample_bursts(rng, level=3_800_000, n_on=(4, 10), n_off=(2, 6)),
        "radio": sample_bursts(rng, level=260, n_on=(2, 4), n_off=(3, 7)),
    }


def sample_controls(rng: np.random.Generator) -> dict[str, Series]:
    """Draw a price index that moves in steps, and promotion weeks."""
    steps = np.repeat(rng.normal(0, 3.0, -(-N_WEEKS // 8)), 8)[:N_WEEKS]
    price = np.round(100 + steps + rng.normal(0, 0.8, N_WEEKS), 1)
    promo = (rng.uniform(size=N_WEEKS) < 0.16).astype(float)
    return {"price": price, "promo": promo}


def compute_seasonality(weeks: list[date]) -> Series:
    """Two yearly harmonics."""
    year_share = np.array([w.timetuple().tm_yday for w in weeks]) / 365.25
    out = np.zeros(len(weeks))
    for name, size in FOURIER.items():
        wave, harmonic = name.split("_")
        angle = 2 * np.pi * int(harmonic) * year_share
        out += size * (np.sin(angle) if wave == "sin" else np.cos(angle))
    return out


def build_world(seed: int = SEED) -> World:
    """Generate the whole world from one seed."""
    rng = np.random.default_rng(seed)
    weeks = [LAST_WEEK - timedelta(weeks=N_WEEKS - 1 - i) for i in range(N_WEEKS)]
    activity = sample_activity(rng)
    controls = sample_controls(rng)
    t = np.arange(N_WEEKS)
    components = {
        "baseline": ("baseline", np.full(N_WEEKS, BASELINE)),
        "trend": ("trend", TREND_PER_STD * (t - t.mean()) / t.std()),
        "seasonality": ("seasonality", compute_seasonality(weeks)),
        "price": ("control", PRICE_EFFECT * (controls["price"] - controls["price"].mean())),
        "promo": ("control", PROMO_EFFECT * controls["promo"]),
    }
    betas, spend = {}, {}
    for channel in CHANNELS:
        x = activity[channel.name]
        shape = compute_hill(
            compute_adstock(x / x.max(), retention=channel.retention),
            half_saturation=channel.half_saturation,
            slope=channel.slope,
        )
        total = channel.share_of_media * MEDIA_TOTAL_PER_WEEK * N_WEEKS
        betas[channel.name] = round(total / shape.sum(), 2)
        components[channel.name] = ("channel", betas[channel.name] * shape)
        # Media prices drift from quarter to quarter, so spend is not a multiple of activity.
        price = np.repeat(rng.uniform(0.92, 1.08, N_WEEKS // 13), 13)
        spend[channel.name] = np.round(x * price * total / (channel.roas * (x * price).sum()), 2)
    expected = np.sum([values for _, values in components.values()], axis=0)
    noise_sd = round(NOISE_SHARE * float(expected.mean()), 2)
    sales = np.round(expected + rng.normal(0, noise_sd, N_WEEKS), 2)
    return World(weeks, activity, spend, controls, components, betas, expected, noise_sd, sales)


def render_panel(world: World) -> str:
    """Render the panel as a company would send it."""
    names = [channel.name for channel in CHANNELS]
    header = ["entity_id", "period_start", "sales"]
    header += [f"act_{n}" for n in names] + [f"spend_{n}" for n in names]
    header += [f"ctrl_{n}" for n in world.controls]
    rows = (
        [ENTITY, week.isoformat(), f"{world.sales[i]:.2f}"]
        + [f"{world.activity[n][i]:.0f}" for n in names]
        + [f"{world.spend[n][i]:.2f}" for n in names]
        + [f"{world.controls['price'][i]:.1f}", f"{world.controls['promo'][i]:.0f}"]
        for i, week in enumerate(world.weeks)
    )
    return _render_csv(header, rows)


def render_truth(world: World) -> str:
    """Render the true contribution of every component in every week, one per row."""
    header = ["entity_id", "period_start", "component", "kind", "contribution"]
    rows = (
        [ENTITY, week.isoformat(), name, kind, f"{values[i]:.4f}"]
        for name, (kind, values) in world.components.items()
        for i, week in enumerate(world.weeks)
    )
    return _render_csv(header, rows)


def render_parameters(world: World) -> str:
    """Render the true parameters as JSON."""
    media = sum(float(world.components[c.name][1].sum()) for c in CHANNELS)
    document = {
        "seed": SEED,
        "l_max": L_MAX,
        "channels": {
            c.name: {
                "retention": c.retention,
                "half_saturation": c.half_saturation,
                "slope": c.slope,
                "beta": world.betas[c.name],
                "input_scale": float(world.activity[c.name].max()),
                "contribution_total": round(float(world.components[c.name][1].sum()), 2),
                "spend_total": round(float(world.spend[c.name].sum()), 2),
                "roas": round(
                    float(world.components[c.name][1].sum() / world.spend[c.name].sum()), 4
                ),
            }
            for c in CHANNELS
        },
        "media_share_of_expected_sales": round(media / float(world.expected.sum()), 4),
        "baseline": BASELINE,
        "trend_per_std": TREND_PER_STD,
        "fourier": FOURIER,
        "controls": {"price": PRICE_EFFECT, "promo": PROMO_EFFECT},
        "noise_sd": world.noise_sd,
    }
    return json.dumps(document, indent=2) + "\n"


def render_files(world: World) -> dict[str, str]:
    """Render all generated files by name."""
    return {
        "panel.csv": render_panel(world),
        "truth.csv": render_truth(world),
        "truth.json": render_parameters(world),
    }


def _render_csv(header: list[str], rows: object) -> str:
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)  # type: ignore[call-overload]
    return out.getvalue()


def main() -> None:
    """Write the files beside this script."""
    folder = Path(__file__).resolve().parent
    for name, text in render_files(build_world()).items():
        (folder / name).write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
