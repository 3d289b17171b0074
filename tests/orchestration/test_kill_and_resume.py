"""SIGKILL in the middle of a refit: the next try finishes it, and nobody can tell afterwards."""

import json
import os
import subprocess
import sys
from pathlib import Path

import duckdb
import mlflow
import pandas as pd
import pytest

from schemas.names import Artifact
from tasks.store.home import Home

pytestmark = pytest.mark.orchestration

ROOT = Path(__file__).resolve().parents[2]
DRIVER = ROOT / "tests" / "support" / "killed_refit.py"
SPEC = {
    "dataset_id": "acme",
    "data": str(ROOT / "data" / "demo" / "panel.csv"),
    "sampler": {"draws": 200, "tune": 300, "chains": 2},
    "gates": {
        "sampling": {"r_hat_pass": 1.1, "r_hat_review": 1.2, "ess_pass": 50, "ess_review": 25},
        "fit": {"max_prior_driven_share": 1.0},
        "promote_on_review": True,
    },
}
TABLES = (
    "canonical.kpi",
    "canonical.media",
    "canonical.controls",
    "ops.snapshots",
    "ops.runs",
    "ops.gate_results",
    "mart.contributions",
    "mart.fitted",
    "mart.roas",
    "mart.forecasts",
    "mart.plans",
)


def refit(home: Home, spec: Path, moment: str, step: str) -> int:
    """Exit status of a refit that is killed at a moment."""
    done = subprocess.run(
        [sys.executable, str(DRIVER), str(spec), moment, step],
        env={**os.environ, "MMM_HOME": str(home.root)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode in (0, -9), done.stderr[-3000:]
    return done.returncode


@pytest.fixture(scope="module")
def homes(tmp_path_factory) -> tuple[Home, Home, list[int]]:
    """A home where nothing happened, one with two kills, and when each left its posterior."""
    folder = tmp_path_factory.mktemp("kills")
    spec = folder / "spec.json"
    spec.write_text(json.dumps(SPEC))
    calm, killed = Home(folder / "calm"), Home(folder / "killed")
    assert refit(calm, spec, "before", "none") == 0
    assert refit(killed, spec, "inside", Artifact.CONTRIBUTIONS) == -9
    written = [sampled_at(killed)]
    assert refit(killed, spec, "before", "publish_run") == -9
    written.append(sampled_at(killed))
    assert refit(killed, spec, "before", "none") == 0
    return calm, killed, written


def sampled_at(home: Home) -> int:
    """When the posterior was written that waits for its run to end."""
    (posterior,) = home.steps.glob(f"*/*/{Artifact.POSTERIOR}")
    return posterior.stat().st_mtime_ns


def only_run(home: Home) -> Path:
    (folder,) = home.runs.iterdir()
    return folder


def test_the_fit_is_not_repeated(homes):
    after_one_kill, after_two = homes[2]
    assert after_one_kill == after_two


def test_tables_have_as_many_rows_as_without_the_kills(homes):
    counts = []
    for home in homes[:2]:
        with duckdb.connect(str(home.warehouse), read_only=True) as con:
            counts.append(
                {t: con.execute(f"select count(*) from {t}").fetchone()[0] for t in TABLES}
            )
    assert counts[0] == counts[1]
    assert counts[1]["ops.runs"] == 1
    assert all(counts[1].values())


def test_results_equal_those_of_an_undisturbed_refit(homes):
    calm, killed = (only_run(home) for home in homes[:2])
    for name in (Artifact.CONTRIBUTIONS, Artifact.FITTED, Artifact.FORECAST):
        pd.testing.assert_frame_equal(pd.read_parquet(calm / name), pd.read_parquet(killed / name))
    for name in (Artifact.ROI_METRICS, Artifact.RESPONSE_CURVES, Artifact.POSTERIOR_SUMMARY):
        assert json.loads((calm / name).read_text()) == json.loads((killed / name).read_text())


def test_one_version_is_registered_and_champion(homes):
    client = mlflow.MlflowClient(homes[1].tracking_uri, homes[1].tracking_uri)
    assert [v.version for v in client.search_model_versions("name = 'acme'")] == [1]
    assert client.get_registered_model("acme").aliases == {"champion": 1}


def test_no_step_is_kept_and_nothing_is_half_written(homes):
    killed = homes[1]
    assert not list(killed.steps.glob("*/*"))
    assert sorted(p.name for p in only_run(killed).iterdir() if "partial" not in p.name) == sorted(
        p.name for p in only_run(homes[0]).iterdir()
    )
