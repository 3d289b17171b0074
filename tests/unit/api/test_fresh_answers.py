"""Answers are kept from request to request; what happened meanwhile is seen at once."""

import pytest

from tasks.store import kept
from tasks.store.runs.champions import give_champion
from tasks.store.runs.status import fail_run, start_run
from tasks.store.tracking import experiments
from tasks.store.warehouse import files

PATHS = (
    "/api/v1/runs",
    "/api/v1/runs/run-1",
    "/api/v1/champions/demo",
    "/api/v1/outputs/run-1/roi",
)


@pytest.fixture
def warm(api, published, monkeypatch):
    """A server that has answered before, and takes a file as settled as soon as it is written."""
    monkeypatch.setattr(kept, "_SETTLED_NS", 0)

    def ask():
        return [api.get(path).json() for path in PATHS]

    assert ask() == ask()
    return ask


def test_the_second_answer_opens_no_warehouse_and_no_mlflow(warm, monkeypatch):
    first = warm()

    def refuse(*_args, **_options):
        raise AssertionError("opened again")

    monkeypatch.setattr(files, "attached", refuse)
    monkeypatch.setattr(experiments, "open_store", refuse)
    assert warm() == first


def test_a_run_is_listed_as_soon_as_it_begins_and_marked_as_soon_as_it_is_deleted(api, warm, home):
    start_run(home, "run-2", "demo")
    listed, *_ = warm()
    assert {run["run_id"]: run["status"] for run in listed["items"]}["run-2"] == "CREATED"
    fail_run(home, "run-2", "it was a trial")
    listed, *_ = warm()
    assert {run["run_id"]: run["status"] for run in listed["items"]}["run-2"] == "ERROR"
    assert api.delete("/api/v1/runs/run-2").status_code == 200
    listed, *_ = warm()
    assert [run["files_removed_on"] is None for run in listed["items"]] == [False, True]


def test_a_decision_is_seen_whoever_made_it(api, warm, home):
    _, _, before, _ = warm()
    asked = {"run_id": "run-1", "reason": "looked at"}
    api.post("/api/v1/champions/demo/accept", json=asked, headers={"If-Match": "*"})
    _, _, after, _ = warm()
    assert len(after["history"]) == len(before["history"]) + 1
    give_champion(experiments.open_store(home), "demo", None)  # as another program does
    _, of_run, champion, _ = warm()
    assert (champion["champion"], of_run["champion"]) == (None, None)


def test_a_file_that_is_changed_after_it_was_read_is_an_error(api, warm, published):
    (published.run_dir("run-1") / "roi_metrics.json").write_text("{}")
    answer = api.get("/api/v1/outputs/run-1/roi")
    assert answer.status_code == 500
    assert "was changed after it was published" in answer.json()["detail"]
