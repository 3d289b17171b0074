"""What stands against acting on a run: its own REVIEW, and runs that came after it."""

from datetime import UTC, datetime

import pytest
from support.forged_runs import end_run

from schemas.documents.promotions import MadeBy, Promotion, PromotionAction
from schemas.errors import CorruptArtifactError
from schemas.names import Artifact
from schemas.outcomes import Verdict
from tasks.store.files.artifacts import write_json
from tasks.store.runs.standing import list_objections
from tasks.store.runs.status import fail_run, start_run
from tasks.store.warehouse.connection import writing
from tasks.store.warehouse.promotions import write_promotion
from tasks.store.warehouse.runs import read_run


def objections(home, run_id="world-1"):
    return list_objections(home, read_run(home, run_id))


def ended(home, run_id, verdict, *reasons):
    end_run(home, run_id, verdict)
    judged = {"verdict": verdict, "reasons": list(reasons)}
    write_json(home, home.run_dir(run_id) / Artifact.DIAGNOSTICS, judged)


def accept(home, run_id, reason):
    row = Promotion(
        dataset_id="world",
        decided_at=datetime(2026, 1, 5, tzinfo=UTC),
        version=1,
        run_id=run_id,
        from_version=None,
        action=PromotionAction.PROMOTE,
        reason=reason,
        made_by=MadeBy.PERSON,
    )
    with writing(home, "world") as con:
        write_promotion(con, row)


def test_nothing_stands_against_the_newest_run_that_passed(home):
    ended(home, "world-0", Verdict.REVIEW, "older.")
    ended(home, "world-1", Verdict.PASS)
    assert objections(home) == []


def test_every_reason_of_a_review_is_said_with_who_accepted_it(home):
    ended(home, "world-1", Verdict.REVIEW, "R-hat is 1.02.", "tv moved.")
    (said,) = objections(home)
    assert "not accepted by anyone yet (`mmm accept world-1 --reason TEXT`)" in said
    assert said.endswith("R-hat is 1.02; tv moved.")
    accept(home, "world-1", "Looked at it.")
    (said,) = objections(home)
    assert "accepted on 2026-01-05 (Looked at it): R-hat is 1.02; tv moved." in said


def test_a_newer_challenger_is_named_with_its_first_reason_and_a_way_to_it(home):
    ended(home, "world-1", Verdict.PASS)
    ended(home, "world-2", Verdict.FAIL, "broken.")
    ended(home, "world-3", Verdict.REVIEW, "Restated.", "Also.")
    (said,) = objections(home)
    assert said == (
        "A newer run, world-3, the newest of 2, ended in REVIEW: Restated; this plan does not know "
        "its data. `mmm show world-3` says more, `mmm plan --run world-3` plans from it."
    )


def test_a_newer_run_that_failed_is_no_way_out_and_one_under_way_says_nothing(home):
    ended(home, "world-1", Verdict.PASS)
    start_run(home, "world-2", "world")
    assert objections(home) == []
    fail_run(home, "world-2", "The data cannot be used (1 findings):\n- a gap")
    (said,) = objections(home)
    assert "ended in ERROR: The data cannot be used (1 findings):;" not in said
    assert "ended in ERROR: The data cannot be used (1 findings)" in said
    assert "plan --run" not in said


def test_a_newer_run_whose_file_is_damaged_is_reported_but_stops_no_plan(home):
    ended(home, "world-1", Verdict.PASS)
    ended(home, "world-2", Verdict.REVIEW, "x")
    (home.run_dir("world-2") / Artifact.DIAGNOSTICS).write_text("{", encoding="utf-8")
    (said,) = objections(home)
    assert "diagnostics.json cannot be read" in said
    with pytest.raises(CorruptArtifactError, match="not whole"):
        objections(home, "world-2")


def test_other_datasets_do_not_matter(home):
    ended(home, "world-1", Verdict.PASS)
    end_run(home, "other-1", Verdict.REVIEW, "other")
    assert objections(home) == []
