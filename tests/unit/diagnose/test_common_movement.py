"""Channels that move together with the KPI are named; those that move on their own are not."""

import numpy as np
import pandas as pd
import pytest
from support.worlds import World, build_world, make_spec

from schemas.outcomes import Verdict
from schemas.spec.gates import FitGates
from schemas.spec.lift_tests import LiftTest
from tasks.diagnose.common_movement import confounded, judge_movement, measure_movement

N_WEEKS = 120
SPENDS = ["tv", "search", "social"]
GATES = FitGates()


def persistent(rng, n=N_WEEKS, retention=0.9):
    out = rng.standard_normal(n)
    for t in range(1, n):
        out[t] = retention * out[t - 1] + np.sqrt(1 - retention**2) * out[t]
    return out


def world_of(logs, kpi, **columns) -> World:
    """A world whose spend is the exponential of ``logs (channel, week)``."""
    rows = pd.DataFrame(
        {
            "entity_id": "total",
            "period_start": pd.date_range("2022-01-03", periods=len(kpi), freq="7D"),
            "sales": 1000 + 100 * kpi,
            **{f"spend_{n}": 50 * np.exp(v) for n, v in zip(SPENDS, logs, strict=True)},
            **columns,
        }
    )
    channels = [{"name": n, "spend": f"spend_{n}"} for n in SPENDS]
    controls = [{"name": name} for name in columns]
    return build_world(rows, make_spec(channels=channels, controls=controls))


def moved(world):
    return measure_movement(world.panel, world.metadata)


@pytest.mark.parametrize("seed", range(4))
def test_spend_that_follows_demand_is_named_and_a_lift_test_lifts_it(seed):
    rng = np.random.default_rng(seed)
    demand = persistent(rng)
    world = world_of(0.4 * demand + 0.15 * rng.standard_normal((3, N_WEEKS)), demand)
    movement = moved(world)
    assert confounded(movement, GATES, []) == SPENDS
    (outcome,) = judge_movement(movement, GATES, [])
    assert (outcome.verdict, outcome.where) == (Verdict.REVIEW, "tv, search, social")
    assert "lift test" in outcome.reason
    day = world.panel["date"].values
    test = LiftTest(
        channel="tv", start=day[50].astype("M8[D]").item(), end=day[53].astype("M8[D]").item(),
        delta_spend=10.0, delta_kpi=10.0, standard_error=5.0,
    )  # fmt: skip
    assert confounded(movement, GATES, [test]) == ["search", "social"]


@pytest.mark.parametrize("seed", range(4))
def test_channels_that_move_on_their_own_are_not_named(seed):
    rng = np.random.default_rng(seed)
    logs = 0.4 * np.array([persistent(rng, retention=0.6) for _ in SPENDS])
    assert confounded(moved(world_of(logs, logs.sum(axis=0))), GATES, []) == []


def test_what_repeats_every_year_is_not_common_movement():
    rng = np.random.default_rng(1)
    season = np.clip(np.sin(2 * np.pi * np.arange(N_WEEKS) / 52), 0, None)
    logs = 2 * season + 0.2 * rng.standard_normal((3, N_WEEKS))
    assert confounded(moved(world_of(logs, season)), GATES, []) == []


def test_channels_that_follow_what_a_control_says_are_explained_by_it():
    rng = np.random.default_rng(2)
    driver = persistent(rng)
    logs = 0.4 * driver + 0.15 * rng.standard_normal((3, N_WEEKS))
    kpi = driver + 0.3 * rng.standard_normal(N_WEEKS)
    assert confounded(moved(world_of(logs, kpi)), GATES, []) == SPENDS
    assert confounded(moved(world_of(logs, kpi, ctrl_driver=driver)), GATES, []) == []


def test_common_movement_without_the_kpi_is_no_matter():
    rng = np.random.default_rng(3)
    logs = 0.4 * persistent(rng) + 0.1 * rng.standard_normal((3, N_WEEKS))
    movement = moved(world_of(logs, rng.standard_normal(N_WEEKS)))
    assert min(m.with_others for m in movement.values()) > GATES.max_common_movement
    assert confounded(movement, GATES, []) == []


def test_a_short_history_says_nothing():
    rng = np.random.default_rng(4)
    demand = persistent(rng)
    world = world_of((0.4 * demand + 0.1 * rng.standard_normal((3, N_WEEKS)))[:, :90], demand[:90])
    assert moved(world) == {}
    assert judge_movement({}, GATES, []) == []
