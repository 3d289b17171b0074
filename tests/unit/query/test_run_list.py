"""The list of runs says why a run did not pass."""

import pytest

from flows.cli.render.terminal import MAX_REASON, render_runs
from schemas.documents.results import RunStatus
from schemas.outcomes import GateRow, Layer, Verdict
from tasks.query.runs import list_all_runs
from tasks.store.locks import dataset_lock
from tasks.store.runs.status import advance_run, start_run
from tasks.store.warehouse.connection import writing
from tasks.store.warehouse.gates import write_gate_results

R_HAT = GateRow("r_hat_max", "REVIEW", 1.02, "R-hat of tv is 1.02, needs 1.01.")
OVERLAP = GateRow("stability_overlap_min", "REVIEW", 0.1, "tv moved.\nA second line.")
PASSED = GateRow("divergence_share", "PASS", 0.0, "")


@pytest.fixture
def ended(home):
    def end(run_id, verdict, *rows, reason=None, group="sampling"):
        start_run(home, run_id, "demo")
        for status in list(RunStatus)[1:-1]:
            advance_run(home, run_id, status, verdict=verdict)
        with writing(home, "demo") as con:
            write_gate_results(con, run_id, group, rows)

    return end


def reasons():
    return {run.run_id: run.verdict_reason for run in list_all_runs().runs}


def test_a_review_is_listed_with_its_first_reason_and_a_pass_without(home, ended):
    ended("good", Verdict.PASS, PASSED)
    ended("odd", Verdict.REVIEW, PASSED, R_HAT)
    ended("moved", Verdict.REVIEW, OVERLAP, group="stability")
    assert reasons() == {"good": None, "odd": R_HAT.detail, "moved": OVERLAP.detail}
    rows = {line.split()[0]: line for line in render_runs(list_all_runs().runs).splitlines()}
    assert rows["odd"].endswith(R_HAT.detail)
    assert rows["moved"].endswith("tv moved.")
    assert rows["good"].split()[-1][:2].isdigit()


def test_a_failure_comes_before_a_review_and_the_data_before_the_fit(home, ended):
    worst = GateRow("ess_bulk_min", "FAIL", 10.0, "ESS of tv is 10.")
    ended("bad", Verdict.FAIL, R_HAT, worst)
    ended("doubtful", Verdict.REVIEW, R_HAT)
    outlier = GateRow("outlier", "REVIEW", None, "sales is far out.")
    with writing(home, "demo") as con:
        write_gate_results(con, "doubtful", Layer.CANONICAL.value, [outlier])
    assert reasons() == {
        "bad": "ESS of tv is 10. (1 more)",
        "doubtful": "sales is far out. (1 more)",
    }


def test_a_long_reason_is_cut_between_words(home, ended):
    ended("odd", Verdict.REVIEW, R_HAT._replace(detail="word " * 60))
    (line,) = [row for row in render_runs(list_all_runs().runs).splitlines() if "odd" in row]
    shown = line[line.index("word") :]
    assert shown.endswith("word …")
    assert len(shown) <= MAX_REASON


def test_a_run_that_nobody_is_at_was_interrupted(home, ended):
    ended("good", Verdict.PASS, PASSED)
    start_run(home, "killed", "demo")
    with dataset_lock(home, "demo", wait_seconds=0):
        assert not any(run.is_interrupted for run in list_all_runs().runs)
    assert {run.run_id: run.is_interrupted for run in list_all_runs().runs} == {
        "killed": True, "good": False
    }  # fmt: skip
    (row,) = [line for line in render_runs(list_all_runs().runs).splitlines() if "killed" in line]
    assert "interrupted: the next refit of this dataset takes it up, or ends it" in row
