"""The state machine of a run: every pair of states, and what is written where."""

import contextlib
import json
from itertools import pairwise, product

import pytest

from schemas.documents.results import RunStatus
from schemas.errors import UnknownRunError
from schemas.names import Artifact
from schemas.outcomes import Verdict
from tasks.store.runs.status import (
    IllegalTransitionError,
    advance_run,
    fail_run,
    is_legal,
    start_run,
)
from tasks.store.warehouse import files
from tasks.store.warehouse.connection import writing
from tasks.store.warehouse.runs import list_runs, read_run

ORDER = [s for s in RunStatus if s is not RunStatus.ERROR]


@pytest.mark.parametrize(("before", "after"), list(product(RunStatus, RunStatus)))
def test_only_the_next_state_or_an_error_follows(before, after):
    following = dict(pairwise(ORDER))
    expected = (
        after is before
        or following.get(before) is after
        or (after is RunStatus.ERROR and before is not RunStatus.OUTPUTS_READY)
    )
    assert is_legal(before, after) == expected


def test_file_and_warehouse_report_the_same(home):
    start_run(home, "r1", "demo")
    advance_run(home, "r1", RunStatus.VALIDATED, snapshot_id="abc", verdict=Verdict.REVIEW)
    record = read_run(home, "r1")
    written = json.loads((home.run_dir("r1") / Artifact.RUN_STATUS).read_text())
    of_the_file = {"schema_version": 1, "reached": None, "flow_run_id": None}
    assert written == of_the_file | json.loads(record.model_dump_json())
    assert (record.status, record.snapshot_id) == (RunStatus.VALIDATED, "abc")


def test_a_run_is_written_to_the_warehouse_as_it_begins_and_as_it_ends(home, monkeypatch):
    replaced, put = [], files.put_in_place
    monkeypatch.setattr(
        files, "put_in_place", lambda path, copy: (replaced.append(path), put(path, copy))
    )
    start_run(home, "r1", "demo")
    for status in ORDER[1:]:
        assert len(replaced) == 1
        advance_run(home, "r1", status)
        assert list_runs(home, "demo")[0].status is status
    assert len(replaced) == 2


def test_an_end_that_was_not_committed_was_not_reached_and_can_be_reached_again(home):
    start_run(home, "r1", "demo")
    for status in ORDER[1:-1]:
        advance_run(home, "r1", status)
    with contextlib.suppress(ZeroDivisionError), writing(home, "demo") as con:
        advance_run(home, "r1", RunStatus.OUTPUTS_READY, con=con)
        1 / 0  # noqa: B018 - whatever fails before the commit
    assert read_run(home, "r1").status is RunStatus.TRAINED
    advance_run(home, "r1", RunStatus.OUTPUTS_READY)
    assert read_run(home, "r1").status is RunStatus.OUTPUTS_READY


def test_a_state_that_another_run_left_in_the_folder_is_not_its_own(home):
    start_run(home, "r1", "demo")
    start_run(home, "r2", "demo")
    advance_run(home, "r2", RunStatus.VALIDATED)
    foreign = (home.run_dir("r2") / Artifact.RUN_STATUS).read_text()
    for text in (foreign, "{"):
        (home.run_dir("r1") / Artifact.RUN_STATUS).write_text(text)
        assert read_run(home, "r1").status is RunStatus.CREATED


def test_a_skipped_state_is_refused_and_changes_nothing(home):
    before = start_run(home, "r1", "demo")
    with pytest.raises(IllegalTransitionError, match="is CREATED; it cannot become TRAINED"):
        advance_run(home, "r1", RunStatus.TRAINED)
    assert read_run(home, "r1") == before


def test_an_error_keeps_its_reason_and_can_be_taken_up_again(home):
    start_run(home, "r1", "demo")
    assert fail_run(home, "r1", "no KPI").reason == "no KPI"
    with pytest.raises(IllegalTransitionError):
        advance_run(home, "r1", RunStatus.VALIDATED)
    again = start_run(home, "r1", "demo")
    assert (again.status, again.reason) == (RunStatus.CREATED, None)


def test_what_is_published_stays_published(home):
    start_run(home, "r1", "demo")
    for status in ORDER[1:]:
        advance_run(home, "r1", status)
    assert fail_run(home, "r1", "too late").status is RunStatus.OUTPUTS_READY
    with pytest.raises(IllegalTransitionError):
        start_run(home, "r1", "demo")


def test_a_run_stays_with_its_dataset(home):
    start_run(home, "r1", "demo")
    with pytest.raises(IllegalTransitionError, match="is of dataset demo"):
        start_run(home, "r1", "other")
    assert [run.dataset_id for run in list_runs(home)] == ["demo"]


def test_an_unknown_run_names_the_nearest(home):
    start_run(home, "demo-20240101-aaaa", "demo")
    with pytest.raises(UnknownRunError, match="did you mean 'demo-20240101-aaaa'"):
        read_run(home, "demo-20240101-aaab")
    with pytest.raises(UnknownRunError, match="never started"):
        advance_run(home, "nope", RunStatus.VALIDATED)
    with pytest.raises(UnknownRunError, match="did you mean 'demo'"):
        list_runs(home, "demu")


def test_runs_come_newest_first(home):
    for name in ("a", "b", "c"):
        start_run(home, name, "demo")
    assert [r.run_id for r in list_runs(home)] == ["c", "b", "a"]
    assert list_runs(home, "demo") == list_runs(home)


def test_no_runs_is_an_empty_list(home):
    assert list_runs(home) == []
    assert list_runs(home, "demo") == []
