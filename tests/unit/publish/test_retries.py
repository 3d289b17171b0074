"""Retries in MLflow: nested under the refit, with settings and diagnostics, each once."""

import logging

import pytest
from support.attempts import attempt
from support.publishing import publish_run

from schemas.documents.retries import RetryKind
from schemas.names import Artifact
from schemas.spec.sampler import SamplerSpec
from tasks.fit.escalation import describe_retries
from tasks.publish import task
from tasks.store.files.artifacts import write_json
from tasks.store.tracking import experiments
from tasks.store.tracking.retries import PARENT_TAG, RETRY_TAG, log_retries

RAISED = SamplerSpec(target_accept=0.975, tune=2000)


@pytest.fixture(autouse=True)
def _no_flow_run(monkeypatch):
    monkeypatch.setattr(task, "get_run_logger", lambda: logging.getLogger("tests"))
    monkeypatch.setattr(task, "build_figures", lambda _: {})  # drawn in test_publish


@pytest.fixture
def climbed(home, finished):
    """A finished run whose first fit diverged and whose second one ended in an error."""
    made = finished()
    tried = [
        attempt("divergences", ess_bulk_min=310.0),
        attempt(None, number=1, kind=RetryKind.CAREFUL, settings=RAISED),
        attempt("none", number=2, kind=RetryKind.PATIENT, settings=RAISED),
    ]
    story = describe_retries(SamplerSpec(), tried, tried[2])
    write_json(home, home.run_dir(made.run_id) / Artifact.ESCALATION, story)
    return made


def children(home, mlflow_run_id):
    client = experiments.open_store(home)
    experiment = client.get_experiment_by_name("demo").experiment_id
    found = client.search_runs([experiment], f"tags.`{PARENT_TAG}` = '{mlflow_run_id}'")
    return sorted(found, key=lambda run: run.data.tags[RETRY_TAG])


def test_every_fit_is_a_run_nested_under_the_refit(home, climbed):
    published = publish_run(climbed)
    first, broken, taken = children(home, published.mlflow_run_id)
    assert {run.info.status for run in (first, broken, taken)} == {"FINISHED"}
    assert first.data.params["target_accept"] == "0.95"
    assert taken.data.params["target_accept"] == "0.975"
    assert first.data.metrics["ess_bulk_min"] == 310.0
    assert first.data.metrics["seconds"] == 10.0
    assert [run.data.tags["chosen"] for run in (first, broken, taken)] == ["false", "false", "true"]
    assert broken.data.tags["reason"] == "SamplingError: it broke"
    assert broken.data.tags["verdict"] == "none"


def test_a_refit_without_a_retries_has_no_nested_runs(home, finished):
    published = publish_run(finished())
    assert children(home, published.mlflow_run_id) == []


def test_a_retry_writes_only_the_retries_that_are_missing(home, climbed):
    published = publish_run(climbed)
    client = experiments.open_store(home)
    parent = published.mlflow_run_id
    kept, interrupted, deleted = [run.info.run_id for run in children(home, parent)]
    client.delete_run(deleted)
    client.update_run(interrupted, status="RUNNING")
    again = log_retries(client, home, climbed.run_id, parent)
    assert again[0] == kept
    now = [run.info.run_id for run in children(home, parent)]
    assert now == again
    assert len(set(again)) == 3
    assert {interrupted, deleted}.isdisjoint(again)


def test_a_retry_is_never_taken_for_the_refit_itself(home, climbed):
    published = publish_run(climbed)
    client = experiments.open_store(home)
    found = experiments.find_logged(client, "demo", climbed.run_id)
    assert found.mlflow_run_id == published.mlflow_run_id
