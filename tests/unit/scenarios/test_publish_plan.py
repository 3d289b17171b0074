"""Publishing a plan against a real MLflow store and a real warehouse in a temporary home."""

import logging

import mlflow
import pytest
from support.plan_documents import forged_plan

from schemas.answers.scenarios import MadeBy
from schemas.documents.plan import Advice
from schemas.errors import CorruptArtifactError
from schemas.names import Artifact
from schemas.refs import PlanRef
from schemas.spec.plan_request import PlannedModel, PlanRequest
from tasks.scenarios import records, task
from tasks.store.files.artifacts import write_json
from tasks.store.tracking import aliases, experiments
from tasks.store.tracking.plans import champion_run_id
from tasks.store.warehouse.plans import list_scenarios

HOSTILE = "x'); DROP TABLE mart.plans;--"


@pytest.fixture
def publish(home, monkeypatch):
    monkeypatch.setattr(task, "get_run_logger", lambda: logging.getLogger("tests"))

    def run(plan, made_by=MadeBy.PLAN):
        return task.publish_plan.fn(reference(home, plan), made_by)

    return run


def reference(home, plan):
    path = home.plan_dir(plan.scenario_id) / Artifact.PLAN
    file = write_json(home, path, plan.model_dump(mode="json"))
    return PlanRef(scenario_id=plan.scenario_id, advice=plan.advice, file=file, metrics={"a": 1.0})


def test_a_plan_is_in_mlflow_and_in_the_warehouse_once_however_often_it_is_published(home, publish):
    plan = forged_plan(channels=["tv", HOSTILE], name="spring")
    report = publish(plan)
    assert publish(plan) == report
    assert report.took_name_from is None
    assert report.plan_file == str(home.plan_dir("plan-1") / Artifact.PLAN)
    assert [s.mlflow_run_id for s in list_scenarios(home)] == [report.mlflow_run_id]
    runs = mlflow.search_runs(experiment_names=["demo"], output_format="list")
    assert [run.info.run_id for run in runs] == [report.mlflow_run_id]
    run = runs[0]
    assert run.info.run_name == "plan spring"
    assert run.data.params["bounds.tv"] == "70 to 130"
    assert run.data.params["optimizer.utility"] == "mean"
    assert run.data.metrics["gain_mean"] == 30.0
    assert run.data.metrics["planned/tv"] == 120.0
    assert run.data.tags["kind"] == "plan"
    assert run.data.tags["source_run_ids"] == "demo-run"
    files = experiments.open_store(home).list_artifacts(report.mlflow_run_id)
    assert [f.path for f in files] == ["plan.json"]


def test_a_plan_is_never_taken_for_the_refit_it_came_from(home, publish):
    publish(forged_plan())
    client = experiments.open_store(home)
    assert experiments.find_logged(client, "demo", "demo-run") is None
    assert experiments.find_logged(client, "demo", "plan-1") is None


def test_a_plan_that_was_changed_on_disk_is_not_published(home, publish):
    ref = reference(home, forged_plan())
    (home.root / ref.file.path).write_text("{}")
    with pytest.raises(CorruptArtifactError, match="changed after it was written"):
        task.publish_plan.fn(ref, MadeBy.PLAN)
    assert list_scenarios(home) == []


def test_the_champions_run_is_found_by_its_alias(home):
    assert champion_run_id(home, "demo") is None
    assert not (home.mlruns / "mlflow.db").exists(), "asking makes no store"
    client = experiments.open_store(home)
    assert champion_run_id(home, "demo") is None
    experiment = client.create_experiment("demo")
    client.create_registered_model("demo")
    for number, run_id in enumerate(("demo-a", "demo-b"), start=1):
        run = client.create_run(experiment, tags={experiments.RUN_TAG: run_id})
        client.create_model_version("demo", "file:///nowhere", run.info.run_id)
        aliases.move_alias(client, "demo", number, "champion")
        assert champion_run_id(home, "demo") == run_id
    aliases.move_alias(client, "demo", 1, "champion")
    assert champion_run_id(home, "demo") == "demo-a"


def test_the_prefect_table_shows_every_channel_as_text(home, monkeypatch):
    made = []
    monkeypatch.setattr(task, "create_table_artifact", lambda **facts: made.append(facts))
    plan = forged_plan(dataset_ids=("Demo", "other"), channels=["tv", HOSTILE])
    task.describe_plan.fn(reference(home, plan))
    assert [facts["key"].startswith(("plan-demo-", "plan-other")) for facts in made] == [True, True]
    assert [row["channel"] for row in made[0]["table"]] == ["tv", HOSTILE]
    assert all(isinstance(cell, str) for row in made[0]["table"] for cell in row.values())


def test_names_in_a_reason_do_not_become_markup():
    plan = forged_plan(reason="Move <script> to *tv*.", advice=Advice.WITHHELD)
    note = records.render_note(plan)
    assert note.startswith("**WITHHELD**. Move &lt;script> to \\*tv\\*.")


def test_a_new_plan_is_named_after_its_datasets():
    request = PlanRequest(models=[PlannedModel(dataset_id="demo")])
    assert task.begin_plan.fn(request).startswith("plan-demo-")
