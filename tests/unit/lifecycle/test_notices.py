"""What a notification says, and that reporting never fails what it reports of."""

from datetime import UTC, datetime, timedelta

import pytest
from support.receivers import receiving

from schemas.documents.notices import Champion, ChampionState, Notice, NoticeKind
from schemas.documents.results import RefitReport, RunStatus
from schemas.outcomes import Verdict
from tasks.lifecycle import task_notices as notices
from tasks.store import webhook
from tasks.store.runs import status
from tasks.store.warehouse.places import warehouse_of

NOW = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)


def report(**changes):
    facts = {
        "run_id": "acme-1", "dataset_id": "acme", "snapshot_id": "s", "verdict": Verdict.FAIL,
        "status": RunStatus.OUTPUTS_READY, "reasons": ["r_hat_max is 1.2, needs at most 1.01."],
        "champion": None, "model_version": None, "artifacts_dir": "runs/acme-1",
        "mlflow_run_id": None, "metrics": {}, "findings": [], "timings": {},
    }  # fmt: skip
    return RefitReport.model_validate({**facts, **changes})


def notice(**changes):
    facts = {
        "kind": NoticeKind.REJECTION, "job": "refit-weekly", "dataset_id": "acme",
        "run_id": "acme-9", "verdict": Verdict.FAIL, "reasons": ["too short"],
        "champion": Champion(state=ChampionState.IN_PLACE, version=3, run_id="acme-7", age_days=14),
        "artifacts_dir": "/runs/acme-9", "link": "http://ui/1", "sent_at": NOW,
    }  # fmt: skip
    return Notice.model_validate({**facts, **changes})


@pytest.fixture
def receiver(monkeypatch, home):
    with receiving() as running:
        monkeypatch.setenv(webhook.VARIABLE, running.url)
        yield running


def test_the_text_says_what_why_what_stays_and_where_to_look():
    assert notice().text.splitlines() == [
        "A gate rejected the fit of acme (run acme-9).",
        "- too short",
        "Champion acme@3 is in place, 14 days old.",
        "Files: /runs/acme-9",
        "Prefect: http://ui/1",
    ]


@pytest.mark.parametrize(
    ("champion", "words"),
    [
        (Champion(state=ChampionState.NONE_YET), "acme has no champion yet."),
        (Champion(state=ChampionState.UNKNOWN), "could not be looked up"),
        (
            Champion(state=ChampionState.IN_PLACE, version=2, age_days=1),
            "in place, 1 day ",
        ),
    ],
)
def test_an_unknown_champion_is_not_reported_as_an_absent_one(champion, words):
    assert words in notice(champion=champion).text


def test_a_flood_of_reasons_is_cut_in_the_text_and_whole_in_the_list():
    reported = notice(reasons=[f"reason {i} " + "x" * 2000 for i in range(40)])
    assert len(reported.reasons) == 40
    assert len(reported.text) < 6000
    assert "- and 30 more" in reported.text


def test_a_rejection_is_one_message_with_all_facts(receiver):
    assert notices.notify_rejection(report(), link="http://ui/1")
    (body,) = receiver.bodies
    assert body["kind"] == "rejection"
    assert body["verdict"] == "FAIL"
    assert body["reasons"] == ["r_hat_max is 1.2, needs at most 1.01."]
    assert body["champion"]["state"] == "none_yet"
    assert body["artifacts_dir"].endswith("data/runs/acme-1")
    assert body["text"].startswith("A gate rejected the fit of acme (run acme-1).")


def test_the_champion_is_reported_with_its_version_and_age(receiver, home, monkeypatch):
    status.start_run(home, "acme-7", "acme")
    status.advance_run(home, "acme-7", RunStatus.CREATED, model_version=3)
    monkeypatch.setattr(notices, "champion_run_id", lambda *_: "acme-7")
    began = status.advance_run(home, "acme-7", RunStatus.CREATED).created_at
    champion = notices._champion("acme", began + timedelta(days=20, hours=3))
    assert champion == Champion(
        state=ChampionState.IN_PLACE, version=3, run_id="acme-7", age_days=20
    )


def test_a_failure_names_the_run_that_did_not_end_well(receiver, home):
    before = datetime.now(UTC)
    status.start_run(home, "acme-5", "acme")
    status.fail_run(home, "acme-5", "no sales")
    assert notices.notify_failure("acme", "DataContractError: no sales", since=before)
    assert receiver.bodies[0]["run_id"] == "acme-5"
    assert receiver.bodies[0]["text"].startswith("refit-weekly failed for acme (run acme-5).")


def test_an_earlier_run_is_not_taken_for_the_one_that_failed(receiver, home):
    status.start_run(home, "acme-5", "acme")
    assert notices.notify_failure("acme", "no lock", since=datetime.now(UTC))
    assert receiver.bodies[0]["run_id"] is None


def test_an_alarm_names_the_job_that_raised_it(receiver):
    assert notices.notify_alarm("acme", ["CUSUM 6.1 of 5"], job="score-forecasts")
    assert receiver.bodies[0]["kind"] == "alarm"
    assert receiver.bodies[0]["job"] == "score-forecasts"


def test_a_broken_store_is_reported_and_keeps_nobody_from_telling(receiver, home, monkeypatch):
    home.warehouses.mkdir(parents=True)
    warehouse_of(home, "acme").write_bytes(b"not a database")
    home.mlruns.mkdir()
    (home.mlruns / "mlflow.db").write_bytes(b"not a database")
    assert notices.notify_failure("acme", "disk full", since=NOW)
    assert receiver.bodies[0]["champion"]["state"] == "unknown"
    assert receiver.bodies[0]["reasons"] == ["disk full"]


def test_a_notice_that_cannot_be_made_raises_nothing(receiver, monkeypatch, caplog):
    def fail(*_, **__):
        raise RuntimeError("no")

    monkeypatch.setattr(notices.webhook, "post_json", fail)
    assert not notices.notify_rejection(report())
    assert "could not be made" in caplog.text


def test_nothing_is_looked_up_where_nobody_is_reported(home, monkeypatch):
    monkeypatch.delenv(webhook.VARIABLE, raising=False)
    monkeypatch.setattr(notices, "champion_run_id", lambda *_: pytest.fail("looked up"))
    assert not notices.notify_failure("acme", "no", since=NOW)
    assert not notices.notify_rejection(report())
