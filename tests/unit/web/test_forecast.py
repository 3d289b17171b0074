"""Forecasts in the browser: the ledger, what comes next, scoring as a job."""

from schemas.answers.jobs import JobKind
from tasks.forecast.task_shown import read_shown_ledger
from tasks.ingest import task_uploads
from tasks.lifecycle import task_jobs


def test_every_frozen_forecast_is_listed(web, published):
    ledger = read_shown_ledger("demo")
    page = web.page("/forecast?dataset_id=demo")
    assert [each.run_id for each in ledger.forecasts] == ["run-1"]
    assert ledger.forecasts[0].n_scored == 0
    assert ledger.forecasts[0].coverage_90 is None
    assert 'href="/run/run-1"' in page
    assert "Nothing that was forecast has happened yet" in page


def test_scoring_is_a_job_that_the_page_follows(web, published, monkeypatch):
    monkeypatch.setattr("flows.api.jobs.JobRunner._submit", lambda *_: None)
    started = web.submit("/forecast/score", {"dataset_id": "demo"})
    assert started.status_code == 303
    (job,) = task_jobs.list_jobs()
    assert job.kind is JobKind.SCORE
    page = web.page(started.headers["location"])
    assert f"/api/v1/jobs/{job.job_id}/events" in page
    assert "Scoring:" in page


def test_a_dataset_without_a_run_says_what_makes_a_forecast(web):
    task_uploads.load_demo()
    page = web.page("/forecast")
    assert "No forecast yet" in page
    assert "/run?dataset_id=demo" in page


def test_no_dataset_and_an_unknown_one_say_so(web, published):
    assert web.get("/forecast?dataset_id=nothing").status_code == 404


def test_an_empty_home_says_what_to_do(web):
    assert "No dataset yet" in web.page("/forecast")
