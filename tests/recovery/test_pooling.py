"""Three small markets with known effects: what each pooling finds, and where it is wrong."""

import numpy as np
import pandas as pd
import pytest
from support.worlds import build_world

from schemas.spec.run_spec import RunSpec
from schemas.spec.sampler import SamplerSpec
from tasks.mathematics.draws import hdi
from tasks.models.kind import Watch
from tasks.models.registry import kind_of

pytestmark = pytest.mark.slow

SETTINGS = SamplerSpec(draws=300, tune=400, chains=2, random_seed=42)
RETURNS = {"equal": (2.0, 2.0, 2.0), "unequal": (0.6, 2.0, 4.0)}
"""What TV returns in each market at its mean spend."""
N_WEEKS = 104


def rows_of(returns, seed):
    rng = np.random.default_rng(seed)
    frames = []
    for place, roas in enumerate(returns):
        tv, search = rng.gamma(1.5, 40, N_WEEKS), rng.gamma(4, 15, N_WEEKS)
        carried = np.convolve(tv, np.array([0.6, 0.25, 0.1, 0.05]))[:N_WEEKS]
        unit = carried / (60 + carried)
        sales = 700 + roas * tv.sum() * unit / unit.sum() + 1.0 * search
        frames.append(
            pd.DataFrame(
                {
                    "entity_id": f"market_{place}",
                    "period_start": pd.date_range("2023-01-02", periods=N_WEEKS, freq="7D"),
                    "sales": sales + rng.normal(0, 20, N_WEEKS),
                    "spend_tv": tv,
                    "spend_search": search,
                }
            )
        )
    return pd.concat(frames, ignore_index=True)


def fit(effects, pooling, seed):
    """Return the 94 % interval of what TV returned in each market, ``(entity,)`` each."""
    rows = rows_of(RETURNS[effects], seed)
    spec = {
        "dataset_id": "world",
        "channels": [{"name": n, "spend": f"spend_{n}"} for n in ("tv", "search")],
        "model": {"adstock": {"l_max": 4}, "yearly_seasonality": 0, "trend": False,
                  "pooling": pooling},
    }  # fmt: skip
    world = build_world(rows, RunSpec.model_validate(spec))
    kind = kind_of(world.metadata)
    sampled = kind.fit(world.panel, world.inputs, SETTINGS, Watch(cores=2))
    model = kind.open(sampled.tree["posterior"].to_dataset(), world.inputs)
    brought = model.incremental("tv", world.panel).sum(axis=-1)
    return hdi(brought / world.panel["spend"].sel(channel="tv").sum("date").to_numpy())


@pytest.fixture(scope="module", params=list(RETURNS))
def intervals(request):
    found = {
        pooling: fit(request.param, pooling, 1000) for pooling in ("complete", "none", "partial")
    }
    return request.param, np.array(RETURNS[request.param]), found


def held(truth, ends):
    low, high = ends
    return (low <= truth) & (truth <= high)


def test_partial_and_no_pooling_find_every_market(intervals):
    _, truth, found = intervals
    assert held(truth, found["none"]).all()
    assert held(truth, found["partial"]).all()


def test_complete_pooling_is_right_where_effects_are_one_and_wrong_where_not(intervals):
    """How wide it is says nothing: carryover and saturation, unknown to all, decide that here."""
    effects, truth, found = intervals
    low, high = found["complete"]
    np.testing.assert_allclose([low, high], [low[:1].repeat(3), high[:1].repeat(3)], rtol=1e-9)
    n_held = int(held(truth, found["complete"]).sum())
    assert n_held == 3 if effects == "equal" else n_held <= 1
