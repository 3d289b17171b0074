"""Quick and quiet: one line per stage, logs with ``-v``, and no engine for a question."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from support.forged_runs import forge_run
from support.worlds import mmm_world

from flows import timing
from flows.cli import app, process
from schemas.hints import suggest
from tasks.store.tracking.local_registry import local_experiment_of
from tasks.store.warehouse.plans import read_plan

CHECKOUT = Path(__file__).resolve().parents[3]
ASK_TWICE = """
import json, sys
from flows.cli import app
codes = []
for arguments in json.loads(sys.argv[1]):
    codes.append(app.main(arguments))
    for stream in (sys.stdout, sys.stderr):
        print("\\f", file=stream, flush=True)
heavy = {"prefect", "mlflow", "pymc", "pytensor", "arviz", "numba"} & set(sys.modules)
print(codes, sorted(heavy))
"""

ASK_BESIDE_MLFLOW = """
import sys
from flows.cli import app
code = app.main(sys.argv[1:])
heavy = {"prefect", "pymc", "pytensor", "arviz", "numba"} & set(sys.modules)
sys.exit(code or (f"loaded {sorted(heavy)}" if heavy else 0))
"""


def test_a_what_if_loads_no_engine_and_a_wrong_name_is_one_line(home):
    forge_run(home, "world-1", mmm_world())
    ask = ["plan", "--run", "world-1", "--set"]
    done = subprocess.run(
        [sys.executable, "-c", ASK_TWICE, json.dumps([[*ask, "tv=-10%"], [*ask, "TV=-10%"]])],
        cwd=CHECKOUT,
        env={**os.environ, "MMM_HOME": str(home.root)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answered, nothing, codes_and_loaded = done.stdout.split("\f\n")
    silent, refused, _ = done.stderr.split("\f\n")
    assert "against today's spend" in answered
    assert "did you mean 'tv'?" in refused
    assert (silent, nothing, len(refused.splitlines())) == ("", "", 1)
    assert codes_and_loaded == "[0, 2] []\n"


def test_a_plan_is_made_without_prefect_and_is_in_mlflow(home):
    forge_run(home, "world-1", mmm_world())
    settings = {"MMM_HOME": str(home.root), "PREFECT_HOME": str(home.root / ".prefect")}
    few = ["--starts", "2", "--draws", "50", "--horizon", "4", "--json"]
    done = subprocess.run(
        [sys.executable, "-c", ASK_BESIDE_MLFLOW, "plan", "--run", "world-1", *few],
        cwd=CHECKOUT,
        env={k: v for k, v in os.environ.items() if k != "PREFECT_API_URL"} | settings,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    plan = json.loads(done.stdout.splitlines()[-1])
    assert plan["scenario_id"] == json.loads(Path(plan["plan_file"]).read_text())["scenario_id"]
    assert local_experiment_of(home, plan["mlflow_run_id"]) is not None
    assert read_plan(home, plan["scenario_id"]) is not None


def test_what_is_on_record_is_read_and_a_file_is_checked_without_an_engine():
    ask = "import sys, flows.settled, tasks.explain.task_known, tasks.forecast.cusum\n"
    ask += "print({'prefect', 'mlflow', 'pymc', 'xarray', 'scipy'} & set(sys.modules))\n"
    ask += "import flows.check_data\n"
    ask += "print({'prefect', 'mlflow', 'pymc'} & set(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", ask], cwd=CHECKOUT, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines() == ["set()", "set()"]


def test_a_stage_is_one_line_and_logs_are_shown_when_asked_for(capsys, monkeypatch):
    monkeypatch.setattr(timing, "listeners", [])
    monkeypatch.delenv(process.VERBOSE_VARIABLE, raising=False)
    for name in (
        "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL",
        "MLFLOW_LOGGING_LEVEL",
        "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR",
    ):
        monkeypatch.setenv(name, "set before, so that the test leaves nothing behind")

    def work(_):
        with timing.Timings().stage("validate_raw"):
            pass
        return 0

    def run() -> str:
        with pytest.raises(Exception) as ended:  # noqa: PT011 - Typer's, whatever it is called
            process.run_verb(work, as_json=False, debug=False)
        assert ended.value.exit_code == 0
        return capsys.readouterr().err

    (line,) = run().splitlines()
    assert line.split() == ["validate", "raw", "0.0", "s"]
    timing.listeners.clear()
    monkeypatch.setenv(process.VERBOSE_VARIABLE, "1")
    assert run() == ""


@pytest.mark.parametrize("arguments", [["-v", "runs"], ["runs", "--verbose"]])
def test_every_verb_takes_it_wherever_it_stands(home, monkeypatch, arguments):
    monkeypatch.setenv(process.VERBOSE_VARIABLE, "")
    assert app.main(arguments) == 0
    assert os.environ[process.VERBOSE_VARIABLE] == "1"


def test_a_name_that_differs_by_case_alone_is_the_nearest():
    assert suggest("TV", ["t", "V", "tv"], "none") == "did you mean 'tv'?"
