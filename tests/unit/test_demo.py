"""The demo panel: reproducible, honest about its truth, and good enough to be learned from."""

import csv
import importlib.util
import json
import sys
from collections import defaultdict
from datetime import date
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import yaml

from schemas.spec.errors import parse_run_spec
from schemas.spec.roles import resolve_roles

DEMO = Path(__file__).resolve().parents[2] / "data" / "demo"


@pytest.fixture(scope="module")
def generator():
    spec = importlib.util.spec_from_file_location("demo_generate", DEMO / "generate.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["demo_generate"] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules["demo_generate"]


@pytest.fixture(scope="module")
def world(generator):
    return generator.build_world()


@pytest.fixture(scope="module")
def panel():
    with (DEMO / "panel.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    return {k: [row[k] for row in rows] for k in rows[0]}


def numbers(panel, prefix):
    return {k: np.array(v, float) for k, v in panel.items() if k.startswith(prefix)}


def test_generating_again_gives_the_committed_bytes(generator, world):
    for name, text in generator.render_files(world).items():
        assert (DEMO / name).read_bytes() == text.encode(), f"run data/demo/generate.py for {name}"


def test_true_components_add_up_to_sales_without_noise(world, panel):
    expected = defaultdict(float)
    with (DEMO / "truth.csv").open(newline="") as stream:
        for row in csv.DictReader(stream):
            expected[row["period_start"]] += float(row["contribution"])
    got = np.array([expected[week] for week in panel["period_start"]])
    np.testing.assert_allclose(got, world.expected, atol=0.01)
    noise = np.array(panel["sales"], float) - got
    assert abs(noise.mean()) < 3 * world.noise_sd / np.sqrt(len(noise))
    assert noise.std() == pytest.approx(world.noise_sd, rel=0.15)


def test_three_years_of_mondays_end_where_the_spec_says(panel):
    weeks = [date.fromisoformat(w) for w in panel["period_start"]]
    assert len(weeks) == 156
    assert weeks[-1] == date(2026, 11, 9)
    assert {w.weekday() for w in weeks} == {0}
    assert {(b - a).days for a, b in pairwise(weeks)} == {7}


def test_spend_and_activity_go_together(panel):
    for name, activity in numbers(panel, "act_").items():
        spend = np.array(panel[name.replace("act_", "spend_")], float)
        np.testing.assert_array_equal(activity > 0, spend > 0)


def test_channels_can_be_told_apart(panel):
    regressors = numbers(panel, "act_") | numbers(panel, "ctrl_")
    vif = np.diag(np.linalg.inv(np.corrcoef(np.array(list(regressors.values())))))
    assert vif.max() < 5


def test_the_truth_is_plausible_business():
    truth = json.loads((DEMO / "truth.json").read_text())
    assert truth["media_share_of_expected_sales"] == pytest.approx(0.3, abs=0.03)
    for channel in truth["channels"].values():
        assert 0.5 <= channel["roas"] <= 4
        assert 0 <= channel["retention"] < 1
        assert 1 <= channel["slope"] <= 1.5


def test_hand_computed_adstock(generator):
    # weights 1, .5, .25 over 1.75; y2 = (3 + .5*2 + .25*1) / 1.75
    got = generator.compute_adstock(np.array([1.0, 2.0, 3.0]), retention=0.5, l_max=3)
    np.testing.assert_allclose(got, np.array([1.0, 2.5, 4.25]) / 1.75, rtol=1e-12)


def test_hand_computed_hill(generator):
    got = generator.compute_hill(np.array([0.0, 0.5, 1.0]), half_saturation=0.5, slope=1.0)
    np.testing.assert_allclose(got, [0.0, 0.5, 2 / 3])


def test_the_demo_spec_fits_the_demo_panel(panel):
    spec = parse_run_spec(yaml.safe_load((DEMO / "run_spec.yaml").read_text()))
    roles = resolve_roles(spec, list(panel))
    assert {c.name for c in roles.channels} == {"tv", "search", "social", "display", "radio"}
    assert all(c.activity and c.spend for c in roles.channels)
    assert {c.name for c in roles.controls} == {"price", "promo"}
    assert (spec.dataset_id, spec.data) == ("demo", "panel.csv")
