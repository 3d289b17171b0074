"""Champion and challenger over several weeks, on a real MLflow store and warehouse."""

import json
import logging
from datetime import date

import pytest
from support.publishing import publish_run

from flows.cli import app
from schemas.errors import ResourceUnavailableError, UnknownRunError
from schemas.names import Artifact
from schemas.outcomes import Verdict
from tasks.diagnose.task import judge_stability
from tasks.publish import task
from tasks.publish import task_rollback as rollback
from tasks.store.files.artifacts import write_json
from tasks.store.locks import dataset_lock
from tasks.store.runs import champions
from tasks.store.tracking import aliases, experiments
from tasks.store.warehouse.connection import reading
from tasks.store.warehouse.promotions import list_promotions

pytestmark = pytest.mark.slow


@pytest.fixture
def publish(finished, monkeypatch):
    monkeypatch.setattr(task, "get_run_logger", lambda: logging.getLogger("tests"))
    monkeypatch.setattr(task, "build_figures", lambda _: {})  # drawn in test_publish

    def run(**facts):
        return publish_run(finished(**facts))

    return run


def moves(home):
    return [
        (p.action.value, p.from_version, p.version, p.run_id, p.made_by.value)
        for p in list_promotions(home, "demo")
    ]


def champion(home):
    return aliases.version_with_alias(experiments.open_store(home), "demo", "champion")


def test_every_refit_leaves_its_decision(home, publish):
    publish()
    publish(run_id="run-2")
    publish(run_id="run-3", verdict=Verdict.REVIEW)
    publish(run_id="run-4", verdict=Verdict.FAIL)
    assert moves(home) == [
        ("promote", None, 1, "run-1", "refit"),
        ("promote", 1, 2, "run-2", "refit"),
        ("keep", 2, 2, "run-3", "refit"),
        ("keep", 2, 2, "run-4", "refit"),
    ]


def test_two_refits_then_a_rollback_then_a_refit(home, publish, capsys):
    publish()
    publish(run_id="run-2")
    code = app.main(["rollback", "--dataset", "demo", "--reason", "search jumped", "--json"])
    answer = json.loads(capsys.readouterr().out)
    assert (code, answer["champion"], answer["run_id"]) == (0, "demo@1", "run-1")
    assert champion(home) == 1
    tag = (
        experiments.open_store(home).get_model_version("demo", "2").tags[champions.ROLLED_BACK_TAG]
    )
    assert tag.endswith("search jumped")
    got = publish(run_id="run-3")
    assert got.champion == "demo@3"
    assert "Version 2 was rolled back to 1" in got.promotion
    assert "search jumped" in got.promotion
    assert moves(home)[2:] == [
        ("rollback", 2, 1, "run-1", "person"),
        ("promote", 1, 3, "run-3", "refit"),
    ]
    assert rollback.roll_back("demo", to=None, reason=None).version == 1


def test_a_challenger_can_be_promoted_by_hand(home, publish):
    publish()
    publish(run_id="run-2", verdict=Verdict.REVIEW)
    row = rollback.roll_back("demo", to=2, reason="looked at, is right")
    assert (row.action.value, row.from_version, row.version) == ("promote", 1, 2)
    client = experiments.open_store(home)
    assert aliases.version_with_alias(client, "demo", "challenger") is None


def test_a_person_accepts_a_review_with_a_reason(home, publish, capsys):
    publish()
    publish(run_id="run-2", verdict=Verdict.REVIEW)
    assert app.main(["accept", "run-2", "--reason", "the sale is real", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (answer["champion"], answer["made_by"]) == ("demo@2", "person")
    assert champion(home) == 2
    assert list_promotions(home, "demo")[-1].reason == "the sale is real"
    # Once more says so and moves nothing.
    assert rollback.accept_run("run-2", reason="again").action.value == "keep"
    assert champion(home) == 2


def test_a_first_review_can_be_accepted_and_a_rejected_run_cannot(home, publish):
    publish(verdict=Verdict.REVIEW)
    row = rollback.accept_run("run-1", reason="looked at")
    assert (row.action.value, row.version) == ("promote" if row.from_version is None else "keep", 1)
    publish(run_id="run-2", verdict=Verdict.FAIL)
    with pytest.raises(UnknownRunError, match="cannot be accepted"):
        rollback.accept_run("run-2", reason="I want it")
    with pytest.raises(UnknownRunError, match="No run 'run-9'"):
        rollback.accept_run("run-9", reason="x")


def test_a_rollback_that_cannot_be_done_changes_nothing(home, publish, monkeypatch):
    with pytest.raises(UnknownRunError, match="No run of dataset 'demo'"):
        rollback.roll_back("demo", to=None, reason=None)
    publish()
    for to, said in [(None, "No champion before demo@1"), (1, "already"), (7, "no version demo@7")]:
        with pytest.raises(UnknownRunError, match=said):
            rollback.roll_back("demo", to=to, reason=None)
    assert app.main(["rollback", "--dataset", "demo", "--to", "7"]) == 2
    publish(run_id="run-2")
    with reading(home, "demo") as con:
        assert con.execute("select count(*) from ops.promotions").fetchone() == (2,)

    def crash(*_args):
        raise OSError("the disk is full")

    monkeypatch.setattr(champions, "drop_challenger", crash)
    with pytest.raises(OSError, match="disk is full"):
        rollback.roll_back("demo", to=1, reason=None)
    assert champion(home) == 2
    assert len(moves(home)) == 2


def test_a_version_of_a_run_that_was_not_accepted_cannot_be_promoted(home, publish):
    publish()
    publish(run_id="run-2")
    from tasks.store.warehouse.connection import writing

    with writing(home, "demo") as con:
        con.execute("update ops.runs set verdict = 'FAIL' where run_id = 'run-1'")
    with pytest.raises(UnknownRunError, match="was not accepted"):
        rollback.roll_back("demo", to=None, reason=None)


def test_a_rollback_does_not_wait_long_for_a_refit(home, publish, monkeypatch):
    publish()
    monkeypatch.setattr(rollback, "BRIEF_WAIT_SECONDS", 0.05)
    with (
        dataset_lock(home, "demo", wait_seconds=0),
        pytest.raises(ResourceUnavailableError, match="demo"),
    ):
        rollback.roll_back("demo", to=1, reason=None)


@pytest.mark.parametrize("facts", [{"weeks": 3}, {"as_of": date(2024, 1, 31)}])
def test_a_backdated_refit_is_a_challenger(home, publish, facts):
    publish()
    got = publish(run_id="run-2", **facts)
    assert (got.model_version, got.champion) == (2, "demo@1")
    assert "before the 2024" in got.promotion
    client = experiments.open_store(home)
    assert aliases.version_with_alias(client, "demo", "challenger") == 2


def test_who_stays_champion_is_reported_with_its_age(home, publish):
    publish()
    got = publish(run_id="run-2", verdict=Verdict.FAIL, weeks=7, as_of=date(2024, 2, 22))
    assert got.champion_last_period == date(2024, 1, 22)
    assert got.champion_age_days == 31
    tags = experiments.open_store(home).get_run(got.mlflow_run_id).data.tags
    assert tags["champion_before"] == "demo@1, fitted on data to 2024-01-22, 4 weeks old"
    new = publish(run_id="run-3", weeks=7, as_of=date(2024, 2, 22))
    assert (new.champion_last_period, new.champion_age_days) == (date(2024, 2, 12), 10)


def test_an_alias_that_a_killed_run_left_is_not_the_champion(home, publish, finished, monkeypatch):
    """Killed between the alias and the commit: the alias moved, the run was never published."""
    publish()
    made = finished(run_id="run-2")
    with monkeypatch.context() as patch:
        patch.setattr(task, "given_back", lambda *_: dataset_lock(home, "x", wait_seconds=0))

        def die(*args):
            champions.give_champion(args[0], "demo", 2)
            raise KeyboardInterrupt

        patch.setattr(task, "_move_aliases", die)
        with pytest.raises(KeyboardInterrupt):
            publish_run(made)
    assert champion(home) == 2
    assert champions.find_champion(home, "demo").version == 1
    assert publish(run_id="run-3", verdict=Verdict.FAIL).champion == "demo@1"
    assert champion(home) == 1, "the next refit gives the alias back"


def judged(made):
    return made.model_copy(update={"diagnostics": judge_stability.fn(made)})


def test_a_fit_far_from_the_champion_is_a_review_and_stays_challenger(home, publish, finished):
    first = judged(finished())
    assert first.diagnostics.verdict is Verdict.PASS, "a first run is compared with nothing"
    assert publish_run(first).champion == "demo@1"
    same = publish_run(judged(finished(run_id="run-2")))
    assert same.champion == "demo@2"
    made = finished(run_id="run-3")
    path = home.run_dir("run-3") / Artifact.CHANNEL_QUANTILES
    rows = json.loads(path.read_text())
    tv = next(iter(rows))
    rows[tv] = {k: v and 4 * v for k, v in rows[tv].items()}
    files = [f for f in made.attribution.files if not f.path.endswith(Artifact.CHANNEL_QUANTILES)]
    moved = made.attribution.model_copy(update={"files": [*files, write_json(home, path, rows)]})
    third = judged(made.model_copy(update={"attribution": moved}))
    got = publish_run(third)
    assert (third.diagnostics.verdict, got.champion) == (Verdict.REVIEW, "demo@2")
    reported = json.loads((home.run_dir("run-3") / Artifact.DIAGNOSTICS).read_text())
    assert reported["verdict"] == "REVIEW"
    assert reported["reasons"] == third.diagnostics.reasons != []
    with reading(home, "demo") as con:
        trend = con.execute(
            "select run_id, champion_run_id, overlap from mart.stability where channel = ? "
            "order by run_id",
            [tv],
        ).fetchall()
        gates = con.execute(
            "select run_id, gate, verdict from ops.gate_results where battery = 'stability' "
            "order by run_id"
        ).fetchall()
    assert trend == [("run-2", "run-1", 1.0), ("run-3", "run-2", 0.0)]
    assert gates == [
        ("run-2", "stability_overlap_min", "PASS"),
        ("run-3", "stability_overlap_min", "REVIEW"),
    ]


def test_a_champion_whose_files_are_gone_is_no_pass(home, publish, finished):
    publish()
    (home.run_dir("run-1") / Artifact.CHANNEL_QUANTILES).unlink()
    got = judged(finished(run_id="run-2")).diagnostics
    assert got.verdict is Verdict.REVIEW
    assert "demo@1" in got.reasons[0]
