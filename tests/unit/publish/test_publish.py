"""Publishing against a real MLflow store and a real warehouse in a temporary home."""

import logging
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import mlflow
import pandas as pd
import pytest
from support.publishing import publish_run

from schemas.answers.scenarios import MadeBy
from schemas.documents.data import ValidationSummary
from schemas.documents.results import RunStatus
from schemas.outcomes import Verdict
from tasks.publish import records, task
from tasks.publish.promotion import Alias
from tasks.store.artifact_keys import artifact_key
from tasks.store.tracking import aliases, experiments
from tasks.store.tracking.names import clean_name
from tasks.store.tracking.server import run_address
from tasks.store.warehouse.connection import reading
from tasks.store.warehouse.gates import read_gate_results
from tasks.store.warehouse.plans import list_scenarios
from tasks.store.warehouse.runs import read_roas, read_run

HOSTILE = "x'); DROP TABLE kpi;--"
PARENT = "../../etc/passwd"
DOLLAR = "$pend_{"


@pytest.fixture
def publish_drawn(finished, monkeypatch):
    """Publish with figures, which take a third of the time."""
    monkeypatch.setattr(task, "get_run_logger", lambda: logging.getLogger("tests"))
    return lambda **facts: publish_run(finished(**facts))


@pytest.fixture
def publish(publish_drawn, monkeypatch):
    monkeypatch.setattr(task, "build_figures", lambda _: {})
    return publish_drawn


def count(home, table, run_id):
    with reading(home, "demo") as con:
        return con.execute(f"select count(*) from {table} where run_id = ?", [run_id]).fetchone()[0]


def held(home, dataset_id="demo"):
    client = experiments.open_store(home)
    return {a: aliases.version_with_alias(client, dataset_id, a) for a in Alias}


def test_an_accepted_refit_is_in_the_warehouse_in_mlflow_and_champion(home, publish_drawn):
    got = publish_drawn()
    assert (got.model_version, got.champion) == (1, "demo@1")
    record = read_run(home, "run-1")
    assert (record.status, record.verdict) == (RunStatus.OUTPUTS_READY, Verdict.PASS)
    assert (record.mlflow_run_id, record.model_version) == (got.mlflow_run_id, 1)
    assert count(home, "mart.contributions", "run-1") == 16
    assert count(home, "mart.fitted", "run-1") == 4
    assert count(home, "mart.forecasts", "run-1") == 2
    scenario = list_scenarios(home)[0]
    assert (scenario.scenario_id, scenario.made_by) == ("run-1", MadeBy.REFIT)
    assert scenario.mlflow_run_id == got.mlflow_run_id
    assert [(g["battery"], g["gate"]) for g in read_gate_results(home, "run-1")] == [
        ("sampling", "r_hat_max"),
        ("fit", "ppc_p"),
    ]
    run = mlflow.get_run(got.mlflow_run_id)
    assert run.info.run_name == "demo 2024-01-22 PASS"
    assert run.data.metrics["sampling/r_hat_max"] == 1.004
    assert run.data.metrics["seconds/fit"] == 3.2
    assert all("/" in name for name in run.data.metrics), "every metric has a group"
    assert "plan/prob_gain" not in run.data.metrics, "what is not a number is not logged"
    assert "sampler.draws" not in run.data.params, "defaults are in run_spec.json"
    assert run.data.params["model.kind"] == "mmm"
    assert not any(name.startswith("version.") for name in run.data.params)
    assert (run.info.end_time - run.info.start_time) / 1000 >= 3.3, "as long as the refit"
    assert len(run.data.params["fingerprint.code"]) == 64
    assert "ROAS" in run.data.tags["mlflow.note.content"]
    files = [
        f.path for f in experiments.open_store(home).list_artifacts(got.mlflow_run_id, "figures")
    ]
    names = ("contributions", "fitted", "prior_posterior", "response_curves", "returns")
    assert files == [f"figures/{name}.png" for name in names]


def test_mlflow_knows_the_data_and_what_the_model_answers(publish):
    got = publish()
    run = mlflow.get_run(got.mlflow_run_id)
    (data,) = run.inputs.dataset_inputs
    assert (data.dataset.name, data.dataset.digest) == ("demo", run.data.params["snapshot_id"])
    signature = mlflow.models.get_model_info(f"models:/demo/{got.model_version}").signature
    outputs = signature.outputs.input_names()
    assert outputs[:5] == ["entity_id", "period_start", "kpi_mean", "kpi_low", "kpi_high"]
    assert f"contribution_{HOSTILE}" in outputs


def test_the_logged_model_has_the_metrics_of_its_run(home, publish):
    got = publish()
    run = mlflow.get_run(got.mlflow_run_id)
    model = experiments.open_store(home).get_logged_model(run.outputs.model_outputs[0].model_id)
    assert {metric.key: metric.value for metric in model.metrics} == run.data.metrics


def test_hostile_channel_names_are_just_names(home, publish):
    got = publish()
    assert list(read_roas(home, "run-1")) == [HOSTILE, PARENT, DOLLAR]
    assert read_roas(home, "run-1")[HOSTILE]["roas_mean"] == 2.3
    assert read_roas(home, "run-1")[DOLLAR]["roas_mean"] is None
    shares = [
        k
        for k in mlflow.get_run(got.mlflow_run_id).data.metrics
        if k.startswith("contribution_share/")
    ]
    assert len(shares) == 3


@pytest.mark.parametrize("verdict", [Verdict.REVIEW, Verdict.FAIL])
def test_a_bad_week_cannot_take_the_champion(home, publish, verdict):
    publish()
    got = publish(run_id="run-2", verdict=verdict)
    assert got.champion == "demo@1"
    is_review = verdict is Verdict.REVIEW
    assert got.model_version == (2 if is_review else None)
    assert held(home)[Alias.CHALLENGER] == (2 if is_review else None)
    assert read_run(home, "run-2").verdict is verdict
    for table in ("mart.contributions", "mart.forecasts"):
        assert (count(home, table, "run-2") > 0) == is_review


def test_a_rejected_first_fit_registers_nothing(home, publish):
    got = publish(verdict=Verdict.FAIL)
    assert (got.model_version, got.champion) == (None, None)
    assert mlflow.get_run(got.mlflow_run_id).data.tags["verdict"] == "FAIL"


def test_the_next_good_week_replaces_champion_and_challenger(home, publish):
    publish()
    publish(run_id="run-2", verdict=Verdict.REVIEW)
    assert publish(run_id="run-3").champion == "demo@3"
    assert held(home) == {Alias.CHAMPION: 3, Alias.CHALLENGER: None}


def test_a_review_takes_the_champion_where_the_spec_allows_it(publish):
    assert publish(verdict=Verdict.REVIEW, gates={"promote_on_review": True}).champion == "demo@1"


def test_publishing_twice_is_publishing_once(home, finished, monkeypatch):
    monkeypatch.setattr(task, "get_run_logger", lambda: logging.getLogger("tests"))
    made = finished()
    assert publish_run(made) == publish_run(made)
    assert count(home, "mart.contributions", "run-1") == 16
    assert count(home, "mart.forecasts", "run-1") == 2


def test_a_crash_before_the_warehouse_leaves_the_old_champion_and_a_retry_mends_it(
    home, publish, finished, monkeypatch
):
    publish()
    made = finished(run_id="run-2")

    def crash(*_args, **_kwargs):
        raise OSError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(task, "write_marts", crash)
        with pytest.raises(OSError, match="disk is full"):
            publish_run(made)
    assert held(home)[Alias.CHAMPION] == 1
    assert read_run(home, "run-2").status is RunStatus.TRAINED
    assert count(home, "ops.gate_results", "run-2") == 0
    assert publish_run(made).champion == "demo@2"
    assert len(mlflow.search_runs(experiment_names=["demo"])) == 2, "the retry logged nothing twice"


def test_runs_left_running_by_a_kill_are_ended(home, publish):
    first = publish()
    client = experiments.open_store(home)
    experiment = client.get_experiment_by_name("demo").experiment_id
    orphan = client.create_run(experiment, tags={experiments.RUN_TAG: "run-0"}).info.run_id
    plan = client.create_run(experiment, tags={"kind": "plan"}).info.run_id
    publish(run_id="run-2")
    assert client.get_run(orphan).info.status == "KILLED"
    assert client.get_run(plan).info.status == "RUNNING", "a plan may be alive: it holds no lock"
    assert client.get_run(first.mlflow_run_id).info.status == "FINISHED"


def test_a_moved_home_keeps_its_artifacts(home, publish_drawn, tmp_path_factory, monkeypatch):
    got = publish_drawn()
    moved = tmp_path_factory.mktemp("elsewhere") / "moved"
    home.root.rename(moved)
    monkeypatch.setenv("MMM_HOME", str(moved))
    from tasks.store.home import current_home

    client = experiments.open_store(current_home())
    assert client.list_artifacts(got.mlflow_run_id, "figures")
    assert str(home.root) not in client.get_run(got.mlflow_run_id).info.artifact_uri


@pytest.mark.parametrize(
    "name", ["roas/tv", "roas/x'); DROP TABLE kpi;--", "roas/../../etc/passwd", "", "a" * 400, "é"]
)
def test_names_are_ones_that_mlflow_takes(name):
    from mlflow.utils.validation import _validate_metric_name

    _validate_metric_name(clean_name(name))


def test_two_names_never_become_one():
    names = ["a[b]", "a(b)", "a_b_", "a" * 300, "a" * 301]
    assert len({clean_name(n) for n in names}) == len(names)


@pytest.mark.parametrize(
    ("dataset_id", "key"),
    [("demo", "roas-demo"), ("A_b.c", "roas-a-b-c-")],
)
def test_artifact_keys_are_ones_that_prefect_takes(dataset_id, key):
    got = artifact_key("roas", dataset_id)
    assert got.startswith(key)
    assert set(got) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")


def test_the_registered_model_carries_its_files_code_and_pins(home, publish, monkeypatch):
    publish()
    import tasks.models.opening as opening

    seen = {}

    def open_fitted(posterior, metadata, scaler):
        seen.update(draws=posterior["posterior"]["beta"].shape, metadata=metadata, scaler=scaler)
        return "fitted"

    def predict_rows(model, rows, metadata, *, seed):
        seen.update(model=model, seed=seed)
        return rows.assign(kpi_mean=1.0)

    monkeypatch.setattr(opening, "open_fitted", open_fitted)
    monkeypatch.setattr(opening, "predict_rows", predict_rows)
    experiments.open_store(home)
    folder = Path(mlflow.artifacts.download_artifacts("models:/demo@champion"))
    model = mlflow.pyfunc.load_model("models:/demo@champion")
    rows = pd.DataFrame(
        {
            "entity_id": ["x"],
            "period_start": pd.to_datetime(["2024-01-29"]),
            f"act_{HOSTILE}": [1.0],
        }
    )
    assert model.predict(rows, params={"seed": 7})["kpi_mean"].tolist() == [1.0]
    assert (seen["model"], seen["seed"], seen["draws"]) == ("fitted", 7, (2, 3))
    assert seen["metadata"].model_kind == "mmm"
    with ZipFile(folder / "code" / "steady_mmm.zip") as code:
        assert {"tasks/models/opening.py", "schemas/names.py"} <= set(code.namelist())
    assert "pymc==" in (folder / "requirements.txt").read_text()
    assert not list(folder.rglob("*.pkl")), "models from code, nothing to unpickle"
    with pytest.raises(mlflow.MlflowException, match="enforce schema"):
        model.predict(rows.drop(columns="entity_id"))


def test_a_version_imports_our_code_from_its_own_archive(home, publish, tmp_path):
    publish()
    experiments.open_store(home)
    folder = Path(mlflow.artifacts.download_artifacts("models:/demo@champion"))
    elsewhere = (
        "import runpy, sys, types\n"  # MLflow itself takes seconds to import, and is as it is
        "models = types.SimpleNamespace(set_model=lambda model: None)\n"
        "pyfunc = types.SimpleNamespace(PythonModel=object, PythonModelContext=object)\n"
        "sys.modules |= {'mlflow.models': models, 'mlflow.pyfunc': pyfunc, 'mlflow': models}\n"
        f"runpy.run_path({str(folder / 'kpi_model.py')!r})\n"
        "import tasks.models.opening, schemas.documents.features as documents\n"
        "print(tasks.models.opening.__file__, documents.__file__, sep='\\n')"
    )
    ran = subprocess.run(
        [sys.executable, "-I", "-c", elsewhere], cwd=tmp_path, capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    archive = folder / "code" / "steady_mmm.zip"
    assert ran.stdout.split() == [
        str(archive / "tasks/models/opening.py"), str(archive / "schemas/documents/features.py"),
    ]  # fmt: skip


def test_mlflow_does_not_look_for_requirements_that_are_those_of_this_process(publish, monkeypatch):
    asked = []
    monkeypatch.setattr(
        "mlflow.utils.requirements_utils._check_requirement_satisfied", asked.append
    )
    publish()
    assert not asked


def test_checks_of_the_data_stand_beside_those_of_the_fit():
    finding = {
        "layer": "canonical", "rule": "outlier", "verdict": "REVIEW", "message": "One is far out.",
        "remedy": "Check it.",
    }  # fmt: skip
    layers = {
        "raw": {"verdict": "PASS", "findings": []},
        "canonical": {"verdict": "REVIEW", "findings": [finding]},
    }
    summary = ValidationSummary.model_validate({"verdict": "REVIEW", "layers": layers})
    clean, found = records.data_rows(summary)
    assert (clean["gate"], clean["verdict"], clean["where"]) == ("all checks", "PASS", "raw data")
    assert (found["gate"], found["verdict"]) == ("outlier", "REVIEW")
    assert found["reason"] == "One is far out. Check it."
    assert list(clean) == ["gate", "verdict", "observed", "where", "reason"]


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("http://user:secret@mlflow.example:8080/base/", "http://mlflow.example:8080/base"),
        ("sqlite:////tmp/mlflow.db", "http://127.0.0.1:5000"),
    ],
    ids=["a server, without its password", "the pages of mmm ui"],
)
def test_links_lead_to_the_page_of_the_run(home, monkeypatch, address, place):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
    links = records.render_links(run_address(home, "7", "abc"))
    assert f"({place}/#/experiments/7/runs/abc)" in links
    assert f"({place}/#/experiments/7/runs/abc/artifacts/report.html)" in links
