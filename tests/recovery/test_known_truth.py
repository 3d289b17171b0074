"""Worlds whose truth is known: the whole way from rows to contributions must find it again."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from support.worlds import build_world, log_world

from schemas.spec.errors import parse_run_spec
from schemas.spec.sampler import SamplerSpec
from tasks.attribute.contribution import attribute_kpi
from tasks.attribute.roas import measure_roas
from tasks.diagnose.convergence import measure_convergence
from tasks.models.kind import Watch
from tasks.models.log_student_t.design import standardize_media
from tasks.models.registry import kind_of

pytestmark = pytest.mark.slow
DEMO = Path(__file__).resolve().parents[2] / "data" / "demo"
SETTINGS = SamplerSpec(draws=300, tune=500, chains=2, random_seed=42)

MAX_SRMSE = {"tv": 0.15, "search": 0.4, "social": 0.2, "display": 0.4, "radio": 0.4}
"""Root mean squared error of weekly contribution over its mean: about twice what two seeds gave.

Search runs in every week, so its level is told from the baseline by little but the prior."""


def fit(world):
    kind = kind_of(world.metadata)
    sampled = kind.fit(world.panel, world.inputs, SETTINGS, Watch(cores=2))
    draws = sampled.tree["posterior"].to_dataset()
    return kind.open(draws, world.inputs), measure_convergence(sampled.tree)


@pytest.fixture(scope="module")
def demo():
    spec = parse_run_spec(yaml.safe_load((DEMO / "run_spec.yaml").read_text(encoding="utf-8")))
    rows = pd.read_csv(DEMO / "panel.csv", parse_dates=["period_start"])
    world = build_world(rows, spec)
    model, evidence = fit(world)
    split = attribute_kpi(model, world.panel, world.window, seed=1)
    return world, model, evidence, split


@pytest.fixture(scope="module")
def truth():
    facts = json.loads((DEMO / "truth.json").read_text(encoding="utf-8"))
    weekly = pd.read_csv(DEMO / "truth.csv", parse_dates=["period_start"])
    return facts, weekly


def test_demo_chains_agree(demo):
    _, _, evidence, _ = demo
    assert evidence.r_hat_max < 1.05
    assert evidence.n_divergences <= 3


def test_demo_totals_lie_in_their_intervals(demo, truth):
    summary, channels = demo[3].summary, truth[0]["channels"]
    inside = [
        name
        for name, known in channels.items()
        if summary[name]["contribution_low"]
        <= known["contribution_total"]
        <= summary[name]["contribution_high"]
    ]
    assert len(inside) >= 4, f"only {inside}"


def test_demo_weekly_contributions_are_close(demo, truth):
    table = demo[3].contributions
    for name, limit in MAX_SRMSE.items():
        got = table.loc[table["component"] == name, "contribution_mean"].to_numpy()
        known = truth[1].loc[truth[1]["component"] == name, "contribution"].to_numpy()
        srmse = np.sqrt(((got - known) ** 2).mean()) / known.mean()
        assert srmse < limit, f"{name}: {srmse:.3f}"


def test_demo_roas_is_found(demo, truth):
    world, model, _, split = demo
    returns = measure_roas(model, world.panel, split, world.metadata, [])
    inside = [
        name
        for name, known in truth[0]["channels"].items()
        if returns[name]["roas_low"] <= known["roas"] <= returns[name]["roas_high"]
    ]
    assert len(inside) >= 4, f"only {inside}"


TRUE_BETA = np.array([0.10, 0.05, 0.02, 0.0])


@pytest.fixture(scope="module")
def log_case():
    """Standardized features with known coefficients and heavy-tailed noise."""
    world = log_world(n_periods=156, feature_config={"saturation": {"K": 0.5, "S": 1.2}})
    z = standardize_media(world.panel, world.metadata, world.inputs.scales)[0]
    rng = np.random.default_rng(12)
    mu = 7.0 + TRUE_BETA @ z + 0.03 * world.frame["z_ctrl_price"].to_numpy()
    noise = 0.03 * rng.standard_t(5, size=mu.shape)
    rows = world.rows.assign(sales=np.expm1(mu + noise))
    known = build_world(rows, world.spec)
    model, evidence = fit(known)
    return known, model, evidence, mu


def test_log_student_t_chains_agree(log_case):
    assert log_case[2].r_hat_max < 1.05


def test_log_student_t_finds_its_coefficients(log_case):
    beta = log_case[1].draws["beta"].to_numpy().reshape(-1, 4)
    # Four standard errors of a coefficient at this noise; the prior keeps beta above zero.
    np.testing.assert_allclose(beta.mean(axis=0), TRUE_BETA, atol=4 * 0.04 / np.sqrt(156))
    assert float(log_case[1].draws["intercept"].mean()) == pytest.approx(7.0, abs=0.02)
    assert float(log_case[1].draws["sigma"].mean()) == pytest.approx(0.03, rel=0.3)
    price = log_case[1].draws["gamma"].sel(term="price")
    assert float(price.mean()) == pytest.approx(0.03, abs=0.012)


def test_log_student_t_finds_the_expected_kpi(log_case):
    world, model, _, mu = log_case
    got = model.expected(world.panel).mean(axis=0)[0]
    np.testing.assert_allclose(got, np.expm1(mu), rtol=0.04)


def test_log_student_t_finds_what_media_add(log_case):
    world, model, _, mu = log_case
    split = attribute_kpi(model, world.panel, world.window, seed=1)
    z = standardize_media(world.panel, world.metadata, world.inputs.scales)[0]
    zero = -(world.inputs.scales["channel_mean"] / world.inputs.scales["channel_std"]).to_numpy()
    for index in (0, 1):
        name = model.components[index].name
        lost = np.exp(mu) - np.exp(mu - TRUE_BETA[index] * (z[index] - zero[index]))
        row = split.summary[name]
        assert row["incremental_low"] <= lost.sum() <= row["incremental_high"], name
