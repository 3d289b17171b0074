"""Do published forecast intervals hold what comes? ``python benchmarks/forecast_coverage.py -h``.

Own worlds: three channels that come in bursts or drift, a promotion that moves, trend, season and
noise. Each is fitted on 130 weeks; of the 13 that follow, the 90 % interval is counted weekly,
once with media as uncertain (as published) and once as if they repeated.
"""

import argparse
import logging
import warnings

import numpy as np
import pandas as pd

from benchmarks.recovery.our_core import MMM, sample_posterior
from schemas.names import ALL_ENTITIES, ENTITY_COLUMN, PERIOD_COLUMN
from schemas.refs import FileRef, SnapshotRef
from schemas.spec.roles import resolve_roles
from schemas.spec.run_spec import Grain, RunSpec
from schemas.spec.sampler import SamplerSpec
from tasks.features.build import build_features
from tasks.forecast.forecast import forecast_kpi
from tasks.forecast.task import N_PATHS
from tasks.mathematics.panel import build_panel
from tasks.models.contract import ModelInputs
from tasks.models.quantities import pick_draws
from tasks.models.registry import kind_of

N_FITTED, HORIZON, N_DRAWS = 130, 13, 1000
FIRST_SEED = 9001


def make_world(seed: int) -> pd.DataFrame:
    """Rows of one world, ``N_FITTED + HORIZON`` weeks: money, one entity."""
    rng, n = np.random.default_rng(seed), N_FITTED + HORIZON
    weeks = np.arange(n)
    bursts = np.repeat(rng.uniform(size=n // 4 + 1) < 0.5, 4)[:n] * rng.gamma(5, 8000, n)
    drifting = 20_000 * np.exp(np.cumsum(rng.normal(0, 0.08, n)) * 0.7) * rng.gamma(20, 0.05, n)
    steady = rng.gamma(12, 1500, n)
    spends = {"tv": bursts, "social": drifting, "search": steady}
    promo = (rng.uniform(size=n) < 0.12).astype(float)
    kpi = 400_000 + 600 * weeks + 40_000 * np.sin(2 * np.pi * weeks / 52 + rng.uniform(0, 6))
    kpi = kpi + 60_000 * promo + rng.normal(0, 12_000, n)
    for spend in spends.values():
        lasting = rng.uniform(0.1, 0.7)
        stock = np.zeros(n)
        for t in weeks:
            stock[t] = (1 - lasting) * spend[t] + (lasting * stock[t - 1] if t else 0.0)
        half = np.mean(spend) * rng.uniform(0.8, 2.5)
        shape = stock / (stock + half)
        kpi += rng.uniform(0.8, 3.0) * spend.mean() * shape / shape.mean()
    table = {"entity_id": "one", "period_start": pd.date_range("2023-01-02", periods=n, freq="7D")}
    return pd.DataFrame(
        {**table, "sales": kpi, "ctrl_promo": promo, **{f"spend_{k}": v for k, v in spends.items()}}
    )


def measure_world(seed: int, settings: SamplerSpec) -> dict[str, list[bool]]:
    """Which weeks lie in the interval, by what was supposed of media."""
    rows = make_world(seed)
    past, came = rows[:N_FITTED], rows["sales"].to_numpy()[N_FITTED:]
    spec = RunSpec(dataset_id="world")
    file = FileRef(path="none.parquet", sha256="0" * 64)
    snapshot = SnapshotRef(
        dataset_id="world", snapshot_id="0" * 16, wide=file, column_info=file, grain=Grain.WEEK,
        as_of=past[PERIOD_COLUMN].iloc[-1].date(),
    )  # fmt: skip
    features = build_features(past, spec, resolve_roles(spec, list(past.columns)), snapshot)
    panel = build_panel(features.frame, features.metadata)
    inputs = ModelInputs(features.metadata, features.scales)
    fitted = sample_posterior(MMM.load_posterior(panel, inputs), settings, cores=1)
    draws = pick_draws(fitted.tree["posterior"].to_dataset(), N_DRAWS)
    model = kind_of(features.metadata).open(draws, inputs)
    found: dict[str, list[bool]] = {}
    for name, paths in (("uncertain", N_PATHS), ("repeated", 0)):
        table = forecast_kpi(
            model, panel, features.metadata, horizon=HORIZON, seed=seed, paths=paths
        )
        week = table[table[ENTITY_COLUMN] == ALL_ENTITIES]
        inside = (week["kpi_p05"].to_numpy() <= came) & (came <= week["kpi_p95"].to_numpy())
        found[name] = inside.tolist()
    return found


def main() -> None:
    """Print one line per world, then the coverage of all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--worlds", type=int, default=20)
    parser.add_argument("--seed", type=int, default=FIRST_SEED, help="seed of the first world")
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    settings = SamplerSpec(draws=500, tune=500, chains=2)
    total: dict[str, list[bool]] = {"uncertain": [], "repeated": []}
    for seed in range(args.seed, args.seed + args.worlds):
        found = measure_world(seed, settings)
        for name, inside in found.items():
            total[name] += inside
        shown = "  ".join(f"{name} {np.mean(inside):.0%}" for name, inside in found.items())
        print(f"{seed}: {shown}", flush=True)
    for name, inside in total.items():
        print(f"{name}: 90 % intervals hold {np.mean(inside):.1%} of {len(inside)} weeks")


if __name__ == "__main__":
    main()
