"""The command line as a contract: exit codes, one JSON object on stdout, errors on stderr."""

import json
import subprocess
import sys
import types
from pathlib import Path

import pytest

from flows.cli import app
from flows.services import servers
from schemas.answers.checked_file import CheckedFile
from schemas.documents.results import RefitReport, RunStatus
from schemas.errors import (
    CorruptArtifactError,
    DataContractError,
    ResourceUnavailableError,
    SamplingError,
)
from schemas.names import Artifact
from schemas.outcomes import Finding, Layer, Verdict
from tasks.store.runs.status import advance_run, fail_run, start_run
from tasks.validate import task_alone

CHECKOUT = Path(__file__).resolve().parents[3]
FINDING = Finding(
    layer=Layer.RAW,
    rule="duplicate_key",
    verdict=Verdict.FAIL,
    message="panel.csv has 'x\\'); DROP TABLE kpi;--', 2024-01-01 twice (lines 3, 9).",
    remedy="Keep one.",
)


def report(verdict=Verdict.PASS, **facts):
    return RefitReport(
        **{
            "run_id": "run-1",
            "dataset_id": "demo",
            "snapshot_id": "s1",
            "status": RunStatus.OUTPUTS_READY,
            "verdict": verdict,
            "reasons": []
            if verdict is Verdict.PASS
            else ["R-hat 1.2 is above 1.05; sample longer."],
            "champion": "demo@1",
            "model_version": None,
            "artifacts_dir": "data/runs/run-1",
            "mlflow_run_id": "abc",
            "metrics": {"r_hat_max": 1.004, "ess_bulk_min": 812.0, "r2": 0.91, "mape": 0.034},
            "findings": [],
            "timings": {"fit": 3.0},
            **facts,
        }
    )


@pytest.fixture
def spec(tmp_path):
    path = tmp_path / "spec.yaml"
    path.write_text("dataset_id: demo\n")
    return path


@pytest.fixture
def flow(home, monkeypatch):
    """Replace the flow by a function, and Prefect's API by none."""
    seen = []

    def install(outcome):
        def refit_weekly(request):
            seen.append(request)
            print("a library prints")  # noqa: T201 - what must not reach stdout
            if isinstance(outcome, BaseException):
                raise outcome
            return outcome

        # As Prefect's own: a flow with other options is called like the flow.
        refit_weekly.with_options = lambda **_hooks: refit_weekly
        module = types.ModuleType("flows.refit_weekly")
        module.refit_weekly = refit_weekly
        monkeypatch.setitem(sys.modules, "flows.refit_weekly", module)
        monkeypatch.setattr(servers, "start_ephemeral_api", lambda: None)
        monkeypatch.setattr(servers, "require_prefect_api", lambda _service: None)
        return seen

    return install


def call(capsys, *argv):
    code = app.main([str(a) for a in argv])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


@pytest.mark.parametrize(
    ("outcome", "code"),
    [
        (report(), 0),
        (report(Verdict.REVIEW), 0),
        (report(Verdict.FAIL), 3),
        (DataContractError("panel.csv cannot be used", [FINDING]), 2),
        (SamplingError("no draws"), 3),
        (ResourceUnavailableError("the lock of demo is held"), 4),
        (CorruptArtifactError("posterior.nc was changed"), 1),
        (ZeroDivisionError("oops"), 1),
        (KeyboardInterrupt(), 1),
    ],
    ids=lambda value: value if isinstance(value, int) else getattr(value, "verdict", repr(value)),
)
@pytest.mark.parametrize("as_json", [True, False])
def test_refit_ends_with_the_documented_exit_code(flow, spec, capsys, outcome, code, as_json):
    flow(outcome)
    got, out, err = call(capsys, "refit", "--spec", spec, *(["--json"] if as_json else []))
    assert got == code
    assert "Traceback" not in out + err
    assert "a library prints" in err
    if as_json:
        assert out.count("\n") == 1, "one JSON object, nothing else"
        document = json.loads(out)
        assert document.get("exit_code", code) == code
        is_error = isinstance(outcome, BaseException)
        assert (document["status"] == "ERROR") == is_error
    elif isinstance(outcome, BaseException):
        assert out == ""


def test_the_json_of_a_refit_has_the_promised_keys(flow, spec, capsys):
    flow(report())
    _, out, _ = call(capsys, "refit", "--spec", spec, "--json")
    assert {
        "run_id", "dataset_id", "snapshot_id", "status", "verdict", "reasons", "champion",
        "artifacts_dir", "mlflow_run_id", "timings",
    } <= set(json.loads(out))  # fmt: skip


def test_a_refit_prints_each_note_once(flow, spec, capsys):
    on_data = FINDING.model_copy(update={"verdict": Verdict.PASS, "message": "one week was off."})
    said = f"{on_data.rule}: {on_data.message}"
    flow(report(notes=[said, "later_spend: the KPI rises first."], findings=[on_data]))
    _, out, _ = call(capsys, "refit", "--spec", spec)
    notes = [line.strip() for line in out.splitlines() if "note:" in line]
    assert notes == [f"note: {said}", "note: later_spend: the KPI rises first."]


def test_a_rejected_fit_says_why_and_that_the_champion_stays(flow, spec, capsys):
    flow(report(Verdict.FAIL))
    _, out, err = call(capsys, "refit", "--spec", spec)
    assert "R-hat 1.2 is above 1.05" in err
    assert "demo@1 stays champion" in err
    assert "demo@1 (unchanged)" in out


def test_findings_are_reported_to_people_and_to_machines(flow, spec, capsys):
    flow(DataContractError("panel.csv cannot be used", [FINDING]))
    _, out, err = call(capsys, "refit", "--spec", spec, "--json")
    assert "lines 3, 9" in err
    assert json.loads(out)["error"]["findings"][0]["rule"] == "duplicate_key"


def test_debug_shows_the_traceback(flow, spec, capsys, monkeypatch):
    flow(ZeroDivisionError("oops"))
    assert "Traceback" in call(capsys, "refit", "--spec", spec, "--debug")[2]
    monkeypatch.setenv("MMM_DEBUG", "1")
    assert "Traceback" in call(capsys, "refit", "--spec", spec)[2]


def test_data_and_as_of_reach_the_flow(flow, spec, capsys, tmp_path):
    seen = flow(report())
    (tmp_path / "panel.csv").write_text("x")
    call(capsys, "refit", "--spec", spec, "--data", tmp_path / "panel.csv", "--as-of", "2024-03-01")
    assert seen[0].data == str((tmp_path / "panel.csv").resolve())
    assert str(seen[0].as_of) == "2024-03-01"
    assert not seen[0].accept_restatement
    call(capsys, "refit", "--spec", spec, "--accept-restatement")
    assert seen[1].accept_restatement


@pytest.mark.parametrize(
    "argv",
    [
        ["refit"],
        ["refit", "--spec"],
        ["refit", "--spec", "nowhere.yaml"],
        ["refit", "--spec", "x.yaml", "--as-of", "yesterday"],
        ["refti"],
        ["show"],
        ["show", "unknown"],
        ["runs", "--dataset"],
        ["export", "r", "--out", "x", "--format", "csv"],
        ["validate"],
        ["ui", "--prefect-port", "0"],
    ],
)
def test_a_wrong_call_is_invalid_input(home, capsys, argv):
    code, out, err = call(capsys, *argv)
    assert (code, out) == (2, "")
    assert err.startswith("mmm: ")
    assert "Traceback" not in err


def test_a_wrong_call_is_json_where_json_was_asked_for(home, capsys):
    code, out, _ = call(capsys, "refit", "--json")
    assert json.loads(out)["exit_code"] == code == 2


def test_validate_reports_all_findings(home, tmp_path, capsys, monkeypatch):
    module = types.ModuleType("flows.check_data")
    found = [FINDING.model_dump(mode="json")]
    module.check_data = lambda _spec, data: CheckedFile(
        verdict=Verdict.FAIL, findings=[FINDING], dataset_id="demo", file=data
    )
    monkeypatch.setitem(sys.modules, "flows.check_data", module)
    monkeypatch.setattr(task_alone, "prepare_check", lambda: None)
    data = tmp_path / "panel.csv"
    data.write_text("x")
    code, out, _ = call(capsys, "validate", "--data", data)
    assert code == 2
    assert "duplicate_key" in out
    assert "Keep one." in out
    code, out, _ = call(capsys, "validate", "--data", data, "--json")
    assert (code, json.loads(out)["findings"]) == (2, found)


def test_runs_are_listed_newest_first(home, capsys):
    assert call(capsys, "runs")[1].startswith("No runs yet")
    start_run(home, "run-1", "demo")
    start_run(home, "run-2", "demo")
    fail_run(home, "run-2", "line one\nline two")
    code, out, _ = call(capsys, "runs", "--json")
    assert code == 0
    assert [r["run_id"] for r in json.loads(out)["runs"]] == ["run-2", "run-1"]
    out = call(capsys, "runs")[1]
    assert "line one" in out
    assert "line two" not in out


def test_show_survives_a_run_that_wrote_nothing(home, capsys):
    start_run(home, "run-1", "demo")
    fail_run(home, "run-1", "no KPI")
    code, out, _ = call(capsys, "show", "run-1", "--json")
    shown = json.loads(out)
    assert (code, shown["status"], shown["reason"]) == (0, "ERROR", "no KPI")
    assert shown["artifacts"] == [Artifact.RUN_STATUS]
    assert "no KPI" in call(capsys, "show", "run-1")[1]


def test_show_names_the_nearest_run(home, capsys):
    start_run(home, "demo-2024-a", "demo")
    code, _, err = call(capsys, "show", "demo-2024-b")
    assert code == 2
    assert "did you mean 'demo-2024-a'?" in err


def test_a_run_without_outputs_cannot_be_exported(home, tmp_path, capsys):
    start_run(home, "run-1", "demo")
    advance_run(home, "run-1", RunStatus.VALIDATED)
    code, _, err = call(capsys, "export", "run-1", "--out", tmp_path / "out", "--format", "csv")
    assert code == 2
    assert "it is VALIDATED" in err
    assert not (tmp_path / "out").exists()


def test_help_teaches_the_product_without_heavy_imports():
    script = (
        "import sys; from flows.cli.app import main; code = main(['--help']);"
        "heavy = {'prefect', 'mlflow', 'pandas', 'duckdb', 'pymc'} & set(sys.modules);"
        "sys.exit(code or sorted(heavy) or 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, cwd=CHECKOUT, check=False
    )
    assert done.returncode == 0, done.stderr
    for word in ("First steps", "Exit codes", "validate", "refit", "runs", "show", "export", "ui"):
        assert word in done.stdout


def test_file_descriptors_of_libraries_do_not_reach_stdout(tmp_path):
    script = (
        "import os, sys, subprocess; from flows.cli.process import answers_only, print_json\n"
        "with answers_only() as answer:\n"
        "    os.write(1, b'native code'); print('python'); subprocess.run(['echo', 'child'])\n"
        "    print_json(answer, {'a': 1})\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, cwd=CHECKOUT, check=True
    )
    assert done.stdout == '{"a": 1}\n'
    assert {"native code", "python", "child"} <= set(
        done.stderr.replace("code", "code\n").split("\n")
    )
