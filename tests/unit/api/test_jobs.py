"""Long work: started once per key, watched, cancelled, taken up by the next server."""

import subprocess
import sys
import time

import pytest

from flows.api import jobs as runner
from flows.api.app import build_server, is_upload
from flows.api.security import Door
from schemas.answers.jobs import JobState
from tasks.lifecycle import task_jobs
from tasks.store.locks import dataset_lock
from tasks.store.runs.status import fail_run, start_run

SPEC = {"dataset_id": "demo", "drivers": ["act_tv"]}
ENDS = """
from tasks.lifecycle import task_jobs
from schemas.answers.jobs import JobOutcome
task_jobs.write_outcome({job!r}, JobOutcome(exit_code=0, result_id={job!r}, result={{}}))
"""
FAILS = """
from tasks.lifecycle import task_jobs
from flows.api.problems import problem_of
from schemas.answers.jobs import JobOutcome
from schemas.errors import SpecError
problem = problem_of(SpecError("what is wrong", ["kpi: what is wrong"]))
task_jobs.write_outcome({job!r}, JobOutcome(exit_code=2, problem=problem))
"""
STAYS = "import sys; sys.stdin.read()  # {job}"
DIES = "raise SystemExit(7)  # {job}"


@pytest.fixture
def work(monkeypatch):
    """Let jobs run a program of the test instead of a flow."""

    def let(program):
        def spawn(job_id):
            code = program.format(job=job_id)
            return subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE)

        monkeypatch.setattr(runner, "_spawn", spawn)

    return let


def wait_for(api, path, key, *values):
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        found = api.get(path).json()
        if found[key] in values:
            return found
        time.sleep(0.05)
    raise AssertionError(found)


def start(api, headers=None, **changed):
    return api.post("/api/v1/runs", json={"spec": {**SPEC, **changed}}, headers=headers)


def test_a_run_is_accepted_with_a_place_to_ask(api, home, work):
    work(ENDS)
    start_run(home, "known", "demo")
    answer = start(api)
    assert answer.status_code == 202, answer.text
    job_id = answer.json()["job_id"]
    assert answer.headers["location"] == f"/api/v1/runs/{job_id}/status"
    done = wait_for(api, f"/api/v1/jobs/{job_id}", "state", "DONE")
    assert done["result_id"] == job_id
    assert "key" not in done
    assert [job["job_id"] for job in api.get("/api/v1/jobs").json()["items"]] == [job_id]
    assert task_jobs.read_request(job_id)["run_id"] == job_id


def test_a_run_that_fails_says_every_problem(api, home, work):
    work(FAILS)
    start_run(home, "known", "demo")
    job_id = start(api).json()["job_id"]
    wait_for(api, f"/api/v1/jobs/{job_id}", "state", "FAILED")
    status = api.get(f"/runs/{job_id}/status").json()
    assert (status["status"], status["problem"]["problems"]) == ("ERROR", ["kpi: what is wrong"])
    assert api.get(f"/outputs/{job_id}/roi").status_code == 409


def test_a_process_that_dies_without_a_word_is_a_failed_job(api, home, work):
    work(DIES)
    start_run(home, "known", "demo")
    job_id = start(api).json()["job_id"]
    assert wait_for(api, f"/api/v1/jobs/{job_id}", "state", "FAILED")["problem"]["status"] == 500


def test_what_cannot_be_run_is_refused_before_anything_starts(api, home):
    unknown = start(api)
    assert unknown.status_code == 404
    assert "upload one first" in unknown.json()["detail"]
    start_run(home, "known", "demo")
    wrong = start(api, driverz=["x"])
    assert wrong.status_code == 422
    assert "drivers" in wrong.json()["problems"][0]
    named = start(api, data="/etc/passwd")
    assert "upload the file" in named.json()["detail"]
    asked = {"spec": SPEC, "as_of": "2999-01-01"}
    assert api.post("/api/v1/runs", json=asked).status_code == 422
    plan = api.post("/api/v1/plans", json={"models": [{"dataset_id": "demo"}]})
    assert plan.status_code == 404
    assert api.get("/api/v1/jobs").json()["items"] == []


def test_the_same_key_starts_nothing_anew(api, home, work):
    work(ENDS)
    start_run(home, "known", "demo")
    first = start(api, {"Idempotency-Key": "monday"}).json()
    again = start(api, {"Idempotency-Key": "monday"}).json()
    other = start(api, {"Idempotency-Key": "tuesday"}).json()
    assert (again["job_id"], other["job_id"] != first["job_id"]) == (first["job_id"], True)
    clash = start(api, {"Idempotency-Key": "monday"}, drivers=["act_radio"])
    assert clash.status_code == 422
    assert "another request" in clash.json()["detail"]


def test_a_job_is_cancelled_and_its_run_ends(api, home, work):
    work(STAYS)
    start_run(home, "known", "demo")
    job_id = start(api).json()["job_id"]
    wait_for(api, f"/api/v1/jobs/{job_id}", "state", "RUNNING")
    start_run(home, job_id, "demo")
    waiting = start(api, drivers=["act_radio"]).json()["job_id"]
    for at_work in (job_id, waiting):
        refused = api.delete(f"/api/v1/runs/{at_work}")
        assert refused.status_code == 409
        assert "cancel it first" in refused.json()["detail"]
    assert api.post(f"/api/v1/runs/{waiting}/cancel").json()["job"] == "CANCELLED"
    assert api.post(f"/api/v1/runs/{job_id}/cancel").status_code == 202
    ended = wait_for(api, f"/api/v1/runs/{job_id}/status", "reason", "cancelled by a person")
    assert (ended["status"], ended["job"]) == ("ERROR", "CANCELLED")
    assert api.delete(f"/api/v1/runs/{job_id}").status_code == 200
    assert api.get(f"/api/v1/jobs/{job_id}").status_code == 404
    never_begun = api.delete(f"/api/v1/runs/{waiting}")
    assert (never_begun.status_code, never_begun.json()["n_bytes"]) == (200, 0)
    assert api.get(f"/api/v1/runs/{waiting}/status").status_code == 404


def test_a_run_at_work_is_not_deleted_and_not_waited_for(api, home):
    start_run(home, "run-9", "demo")
    with dataset_lock(home, "demo", wait_seconds=0.1):
        assert api.delete("/api/v1/runs/run-9").status_code == 409


def test_what_a_server_leaves_the_next_one_takes_up(home, work):
    from starlette.testclient import TestClient

    start_run(home, "known", "demo")
    work(STAYS)
    door = Door(port=8099, is_upload=is_upload)
    with TestClient(build_server(door), base_url="http://127.0.0.1:8099") as api:
        job_id = start(api).json()["job_id"]
        wait_for(api, f"/api/v1/jobs/{job_id}", "state", "RUNNING")
    assert task_jobs.read_job(job_id).state is JobState.RUNNING
    work(ENDS)
    with TestClient(build_server(door), base_url="http://127.0.0.1:8099") as api:
        wait_for(api, f"/api/v1/jobs/{job_id}", "state", "DONE")


def test_events_tell_each_state_once_and_end(api, home, work):
    work(ENDS)
    start_run(home, "known", "demo")
    job_id = start(api).json()["job_id"]
    with api.stream("GET", f"/api/v1/jobs/{job_id}/events") as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        text = "".join(stream.iter_text())
    assert text.rstrip().endswith("event: end\ndata: {}")
    sent = [line for line in text.splitlines() if line.startswith('data: {"')]
    assert len(set(sent)) == len(sent)
    assert '"state":"DONE"' in sent[-1]


def test_the_champion_and_a_run_that_goes_on_are_not_deleted(api, published, home):
    champion = api.delete("/api/v1/runs/run-1")
    assert champion.status_code == 409
    assert "go back to another version" in champion.json()["detail"]
    start_run(home, "run-2", "demo")
    assert api.delete("/api/v1/runs/run-2").status_code == 409
    fail_run(home, "run-2", "broken")
    assert api.delete("/api/v1/runs/run-2").json()["reason"] == "deleted by a person"
    assert api.get("/api/v1/runs/run-2").status_code == 200, "its row stays"
