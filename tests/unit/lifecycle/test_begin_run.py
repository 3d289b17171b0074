"""Which run a refit takes up, and what becomes of those that died; no flow, no fit."""

from datetime import UTC, date, datetime

import pytest

from schemas.documents.results import RunStatus
from schemas.spec.refit_request import RefitRequest
from schemas.spec.run_spec import RunSpec
from tasks.lifecycle import task
from tasks.store.runs import resume, status
from tasks.store.runs.ids import new_run_id
from tasks.store.warehouse.runs import list_runs, read_run

AS_OF = date(2026, 11, 16)


def begin(dataset_id="acme", **spec):
    request = RefitRequest(spec=RunSpec(dataset_id=dataset_id, **spec))
    return task.begin_run.fn(request, AS_OF)


def statuses(home):
    return sorted((run.run_id, run.status) for run in list_runs(home))


def test_a_dead_run_of_the_same_request_is_taken_up(home):
    first = begin()
    assert begin() == first
    assert statuses(home) == [(first, RunStatus.CREATED)]


def test_a_dead_run_of_another_request_is_ended(home):
    first = begin()
    (home.run_dir(first) / ".plan.json.0123abcd.partial").write_text("ha")
    second = begin(target_col="revenue")
    assert read_run(home, first).reason == "killed before it ended"
    assert read_run(home, second).status is RunStatus.CREATED
    assert not list(home.runs.rglob("*.partial"))


def test_a_run_that_died_before_it_was_recorded_gives_its_id_to_the_next_try(home, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(status, "start_run", lambda *_, **__: pytest.fail("killed here"))
        with pytest.raises(pytest.fail.Exception):
            begin()
    (left,) = home.steps.iterdir()
    assert begin() == left.name


def test_a_run_that_was_never_recorded_leaves_nothing_behind_another_request(home):
    begun = new_run_id("acme", datetime.now(UTC))
    resume.write_request(home, begun, "another key")
    (home.run_dir(begun)).mkdir(parents=True)
    (home.run_dir(begun) / "run_status.json").write_text("{}")
    other = new_run_id("acme-eu", datetime.now(UTC))
    resume.write_request(home, other, "key of another dataset, which may be alive")
    run_id = begin()
    assert {path.name for path in home.steps.iterdir()} == {run_id, other}
    assert {path.name for path in home.runs.iterdir()} == {run_id}


def test_a_run_that_ended_is_not_taken_up_again(home):
    first = begin()
    status.fail_run(home, first, "the file was refused")
    assert begin() != first
