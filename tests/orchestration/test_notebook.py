"""The stages of a refit in a notebook: no Prefect server, nothing published, the same figures."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.orchestration, pytest.mark.slow]

CHECKOUT = Path(__file__).resolve().parents[2]
DEMO = CHECKOUT / "data" / "demo"


@pytest.fixture(scope="module")
def notebook(tmp_path_factory):
    home = tmp_path_factory.mktemp("notebook")
    done = subprocess.run(
        [sys.executable, str(DEMO / "notebook.py")],
        # An API that cannot be reached: what asked for one would fail.
        env={**os.environ, "MMM_HOME": str(home), "PYTHONPATH": str(CHECKOUT),
             "PREFECT_API_URL": "http://127.0.0.1:9/api"},
        capture_output=True, text=True, check=False, timeout=600,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return home, done.stdout


def test_every_channel_has_a_return_within_its_interval(notebook):
    home, out = notebook
    returns = dict(re.findall(r"^(\w+) +ROAS ([\d.]+)$", out, re.M))
    assert set(returns) == {"tv", "search", "social", "display", "radio"}
    figures = json.loads((home / "data" / "runs" / "notebook" / "roi_metrics.json").read_text())
    assert all(f["roas_low"] <= float(returns[c]) <= f["roas_high"] for c, f in figures.items())


def test_nothing_was_published_and_no_server_was_started(notebook):
    home, _ = notebook
    assert not (home / "mlruns").exists()
    assert not (home / ".prefect" / "prefect.db").exists()
    assert (home / "data" / "runs" / "notebook" / "contributions.parquet").is_file()
