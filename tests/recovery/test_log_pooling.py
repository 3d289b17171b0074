"""Markets that a channel moves differently, made as kind ``log_student_t`` believes."""

import numpy as np
import pandas as pd
import pytest
from support.worlds import build_world

from schemas.spec.run_spec import RunSpec
from schemas.spec.sampler import SamplerSpec
from tasks.mathematics.draws import hdi
from tasks.models.kind import Watch
from tasks.models.log_student_t.design import standardize_media
from tasks.models.registry import kind_of

pytestmark = pytest.mark.slow

SETTINGS = SamplerSpec(draws=300, tune=400, chains=2, random_seed=42)
CHANNELS = ("tv", "search", "social")
EFFECTS = np.array([[0.06, 0.08, 0.02], [0.12, 0.05, 0.03], [0.22, 0.07, 0.01]])
"""Of each market and channel, in ``log(y + 1)`` per standard deviation of the channel."""
N_WEEKS = 104


def rows_of(kpi, seed):
    rng = np.random.default_rng(seed)
    frames = []
    for place, sales in enumerate(kpi):
        spend = {
            f"spend_{name}": rng.gamma(1.5, 40, N_WEEKS) * (rng.uniform(size=N_WEEKS) < 0.7)
            for name in CHANNELS
        }
        dates = pd.date_range("2023-01-02", periods=N_WEEKS, freq="7D")
        frames.append(
            pd.DataFrame(
                {"entity_id": f"market_{place}", "period_start": dates, "sales": sales, **spend}
            )
        )
    return pd.concat(frames, ignore_index=True)


def world_of(pooling, kpi, seed):
    spec = {
        "dataset_id": "world",
        "level": "entity",
        "channels": [{"name": name, "spend": f"spend_{name}"} for name in CHANNELS],
        "model": {"kind": "log_student_t", "pooling": pooling},
        "feature_config": {"trend": {"enabled": False}, "seasonality": {"enabled": False}},
    }
    return build_world(rows_of(kpi, seed), RunSpec.model_validate(spec))


def effects_found(pooling, seed):
    """Draws of the effects, ``(sample, entity, channel)``."""
    flat = np.ones((len(EFFECTS), N_WEEKS))
    before = world_of(pooling, flat, seed)
    z = standardize_media(before.panel, before.metadata, before.inputs.scales)
    rng = np.random.default_rng(seed + 1)
    log_kpi = np.array([6.5, 7.0, 7.4])[:, None] + np.einsum("ec,ect->et", EFFECTS, z)
    log_kpi += 0.08 * rng.standard_t(6, size=log_kpi.shape)
    world = world_of(pooling, np.expm1(log_kpi), seed)
    kind = kind_of(world.metadata)
    sampled = kind.fit(world.panel, world.inputs, SETTINGS, Watch(cores=2))
    draws = sampled.tree["posterior"].to_dataset()["beta"].stack(sample=("chain", "draw"))  # noqa: PD013 - an array of xarray
    return draws.transpose("sample", "entity", "channel").to_numpy()


def test_partial_pooling_finds_the_effects_of_every_market():
    draws = effects_found("partial", seed=2000)
    low, high = hdi(draws)
    inside = (low <= EFFECTS) & (high >= EFFECTS)
    assert inside.sum() >= EFFECTS.size - 1
    # TV works in the third market nearly four times as well as in the first.
    assert (draws[:, 2, 0] > draws[:, 0, 0]).mean() > 0.99
