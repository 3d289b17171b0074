"""A new week is new data, not new code: a fresh process is ready to sample without compiling."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tasks.models.mmm.kernel.machine_code import _code_folder

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[3]
LIMIT_SECONDS = 3.0
"""From fixed data to ready to sample, whatever is imported in between."""

PREPARE = """
import json, sys, time
import pandas as pd, yaml
from schemas.spec.errors import parse_run_spec
from support.worlds import build_world
from tasks.models.mmm.kind import MMM

spec = parse_run_spec(yaml.safe_load(open("data/demo/run_spec.yaml", encoding="utf-8")))
rows = pd.read_csv("data/demo/panel.csv", parse_dates=["period_start"])
weeks = sorted(rows["period_start"].unique())
held_back = int(sys.argv[1])
world = build_world(rows[rows["period_start"].isin(weeks[: len(weeks) - held_back])], spec)
posterior = MMM.load_posterior(world.panel, world.inputs)
started = time.perf_counter()
posterior.kernel()
seconds = time.perf_counter() - started
print(json.dumps({"seconds": seconds, "periods": int(world.panel.sizes["date"])}))
"""


def prepare(*, held_back):
    """Ready the kernel for the demo panel without its last weeks, in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", PREPARE, str(held_back)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "tests")])},
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def machine_code():
    return {path: path.stat().st_mtime_ns for path in _code_folder().rglob("*") if path.is_file()}


def test_one_more_week_is_ready_within_seconds_and_compiles_nothing():
    last_week = prepare(held_back=1)
    compiled = machine_code()
    assert compiled
    # The faster of two: other work on the machine only adds.
    this_week = [prepare(held_back=0) for _ in range(2)]
    assert {run["periods"] for run in this_week} == {last_week["periods"] + 1}
    assert machine_code() == compiled
    assert min(run["seconds"] for run in this_week) < LIMIT_SECONDS, this_week
