"""Refits in the browser: started, watched, ended; no fit is made here."""

import html
import json
import re
import traceback

import pytest

from schemas.answers.jobs import JobState
from schemas.documents.results import RunStatus
from schemas.names import Artifact
from tasks.ingest import task_drafts, task_uploads
from tasks.lifecycle import task_jobs
from tasks.query.runs import describe_run
from tasks.store.home import PAGES_VARIABLE
from tasks.store.runs.status import advance_run, fail_run, start_run


@pytest.fixture
def waiting(web, monkeypatch):
    """The demo, in a server that starts no process."""
    monkeypatch.setattr("flows.api.jobs.JobRunner._submit", lambda *_: None)
    task_uploads.load_demo()
    task_drafts.save_demo_draft()
    return web


def walk(home, run_id, reached):
    """Take a run that has begun from state to state."""
    order = list(RunStatus)
    for status in order[1 : order.index(reached) + 1]:
        advance_run(home, run_id, status)


def begin(web, **fields):
    return web.submit("/run", {"dataset_id": "demo", "key": "once", **fields})


def test_starting_returns_at_once_to_a_live_page(waiting):
    started = begin(waiting)
    assert started.status_code == 303
    page = waiting.page(started.headers["location"])
    assert "Waiting for its turn" in page
    run_id = started.headers["location"].removeprefix("/run/")
    assert f'data-events="/api/v1/runs/{run_id}/events"' in page
    assert "Cancel this refit" in page
    assert run_id in waiting.page("/")


def test_a_log_says_what_was_wrong_and_not_where_in_the_code(waiting):
    place = begin(waiting).headers["location"]
    try:
        try:
            raise KeyError("first")
        except KeyError:
            raise ValueError("no <KPI>") from None
    except ValueError as error:
        trace = "".join(traceback.format_exception(error))
    cut = "    first line of a frame that the end begins with\n"
    twice = f"{trace}During handling of the above exception, another one:\n\n{trace}"
    text = f"{cut}12:00 | ERROR | it failed\n{twice}12:01 | end\n"
    task_jobs.log_path(place.removeprefix("/run/")).write_text(text)
    shown = html.unescape(re.search(r"<pre.*?>(.*?)</pre>", waiting.page(place), re.S)[1])
    assert shown.splitlines() == [
        "12:00 | ERROR | it failed", "ValueError: no <KPI>", "ValueError: no <KPI>", "12:01 | end",
    ]  # fmt: skip


def test_the_same_form_twice_starts_one(waiting):
    assert begin(waiting).headers["location"] == begin(waiting).headers["location"]
    assert len(task_jobs.list_jobs()) == 1


def test_a_refit_that_is_cancelled_says_so(waiting):
    place = begin(waiting).headers["location"]
    assert waiting.submit(f"{place}/cancel").status_code == 303
    page = waiting.page(place)
    assert "It was cancelled" in page
    assert "data-events" not in page


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"as_of": "tomorrow"}, "is not a day"),
        ({"as_of": "2999-01-01"}, "2999-01-01"),
        ({"dataset_id": "nothing"}, "No dataset"),
    ],
)
def test_what_cannot_be_started_is_refused_and_nothing_is_left(waiting, fields, said):
    refused = begin(waiting, **fields)
    assert refused.status_code in {404, 422}
    assert said in refused.text
    assert task_jobs.list_jobs() == []


def test_a_run_shows_its_stages_and_its_log_without_paths(waiting, home):
    run_id = begin(waiting).headers["location"].removeprefix("/run/")
    start_run(home, run_id, "demo")
    advance_run(home, run_id, RunStatus.VALIDATED)
    task_jobs.move_job(task_jobs.read_job(run_id), JobState.RUNNING)
    task_jobs.log_path(run_id).write_text(f"reading {home.root}/x <b>\n", encoding="utf-8")
    page = waiting.page(f"/run/{run_id}")
    assert stages(page) == {"Asked for": "reached", "Data checked": "reached",
                            "Features built": "now", "Sampling": "ahead", "Judged": "ahead",
                            "Results ready": "ahead"}  # fmt: skip
    assert "reading MMM_HOME/x &lt;b&gt;" in page
    assert str(home.root) not in page


def stages(page):
    """Return the class of each stage by its words."""
    found = re.findall(r'<li class="(reached|now|stopped|ahead)">(?:<span.*?</span>)?([^<]+)', page)
    return {words.strip(): state for state, words in found}


@pytest.mark.parametrize(
    ("reached", "at", "said"),
    [
        (RunStatus.CREATED, "Data checked", "Mend the data"),
        (RunStatus.TRAINING, "Sampling", "goes on where this one stopped"),
        (RunStatus.TRAINED, "Results ready", "The fit is kept"),
    ],
)
def test_a_run_that_failed_says_at_which_stage_and_what_to_do(web, home, reached, at, said):
    start_run(home, "run-1", "demo")
    walk(home, "run-1", reached)
    fail_run(home, "run-1", "The data cannot be used (1 findings):\n- shop.csv: a <gap>")
    page = web.page("/run/run-1")
    shown = stages(page)
    assert [words for words, state in shown.items() if state == "stopped"] == [at]
    assert "now" not in shown.values()
    assert said in page
    assert "<li>shop.csv: a &lt;gap&gt;</li>" in page
    assert "The champion is as it was" in page
    assert ("Mend the data" in page) == (reached is RunStatus.CREATED)


def test_a_rejected_run_says_why_and_that_nothing_was_replaced(web, finished_run):
    finished_run("run-1", verdict="FAIL")
    finished_run("run-2", day=9, verdict="REVIEW")
    rejected, waiting = web.page("/run/run-1"), web.page("/run/run-2")
    assert "Act on none of its numbers" in rejected
    for reason in describe_run("run-1").reasons:
        assert f"<li>{html.escape(reason)}</li>" in rejected
    assert "a person decides" in waiting
    assert '/champions?dataset_id=brand"' in waiting


def test_while_it_samples_no_later_stage_is_said_to_be_at_work(web, home):
    start_run(home, "run-1", "demo")
    walk(home, "run-1", RunStatus.TRAINING)
    assert stages(web.page("/run/run-1"))["Sampling"] == "now"


def test_a_run_of_an_earlier_version_that_failed_names_no_stage(web, home):
    start_run(home, "run-1", "demo")
    fail_run(home, "run-1", "it did not go")
    file = home.run_dir("run-1") / Artifact.RUN_STATUS
    said = json.loads(file.read_text())
    del said["reached"]
    file.write_text(json.dumps(said))
    assert set(stages(web.page("/run/run-1")).values()) == {"ahead"}


def test_a_run_leads_to_its_own_flow_run(web, home, monkeypatch):
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:4299/api")
    start_run(home, "run-1", "demo", flow_run_id="0c0ffee0")
    walk(home, "run-1", RunStatus.TRAINING)
    assert "http://127.0.0.1:4299/runs/flow-run/0c0ffee0" in web.page("/run/run-1")
    start_run(home, "run-2", "demo")
    assert 'href="http://127.0.0.1:4299/runs"' in web.page("/run/run-2")


def test_a_published_run_leads_to_its_results_and_to_mlflow(web, published, monkeypatch):
    monkeypatch.setenv(PAGES_VARIABLE, "http://127.0.0.1:5999")
    page = web.page("/run/run-1")
    assert "/api/v1/outputs/run-1/report" in page
    assert "http://127.0.0.1:5999/#/experiments/" in page
    assert "run-1" in web.page("/run?dataset_id=demo")


def test_a_run_that_is_not_there_names_the_nearest(waiting):
    assert "No run" in waiting.page("/run/nothing", status=404)


def test_no_dataset_says_what_to_do(web):
    assert "Nothing to refit yet" in web.page("/run")


def test_a_dataset_without_a_run_has_its_pages_beside_one_that_was_refitted(web, published):
    made = web.put("/api/v1/datasets/new/file?name=new.csv", content=b"week,sales\n2024-01-01,5\n")
    assert made.status_code == 201
    assert "Start the refit" in web.page("/run?dataset_id=new")
    assert "Forecasts of new" in web.page("/forecast?dataset_id=new")
