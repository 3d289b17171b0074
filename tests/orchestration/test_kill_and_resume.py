"""SIGKILL in a refit, and refits at once: a slice of the kill matrix, which is run by hand.

The program is ``tests/support/kill_matrix.py``; each kill is compared with a home where nothing
happened, down to the rows of every table and the content of every file.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from support.kill_points import AFTER, BEFORE, Moment, tasks_of
from support.mondays import DATASET

from tasks.store.runs.ids import is_run_of

pytestmark = pytest.mark.orchestration

PROGRAM = Path(__file__).resolve().parents[1] / "support" / "kill_matrix.py"
SLICE = (
    "fit_posterior written, not renamed steps/posterior.nc$",
    "publish_run after mlflow.set_registered_model_alias$",
    f"publish_run renamed {DATASET}.duckdb$",
)
"""Before the fit has ended; between alias and tables; after everything was published."""


@pytest.fixture(scope="module")
def matrix(tmp_path_factory):
    room = tmp_path_factory.mktemp("matrix")
    done = subprocess.run(
        [sys.executable, str(PROGRAM), "--only", "|".join(SLICE), "--race",
         "--room", str(room / "room"), "--answer", str(room / "answer.json")],
        env={**os.environ, "NO_PROXY": "127.0.0.1"},
        capture_output=True, text=True, timeout=900, check=False,
    )  # fmt: skip
    assert (room / "answer.json").is_file(), done.stderr[-3000:]
    return json.loads((room / "answer.json").read_text())


def reported(moment):
    return f"{moment[0]} {Moment(*moment)}"


@pytest.mark.slow
def test_every_moment_of_the_slice_was_killed_and_left_no_trace(matrix):
    assert {f"{reported(c['moment'])}$" for c in matrix["kills"]} == set(SLICE)
    assert [(reported(c["moment"]), c["faults"]) for c in matrix["kills"] if c["faults"]] == []


@pytest.mark.slow
def test_a_fit_is_repeated_only_where_it_had_not_ended(matrix):
    assert [c["sampled"] for c in matrix["kills"]] == [1, 0, 0]


@pytest.mark.slow
def test_the_champion_changes_with_the_tables_and_not_with_the_alias(matrix):
    assert [c["champion"] for c in matrix["kills"]] == ["v1", "v1, alias on v2", "v2"]


@pytest.mark.slow
def test_two_refits_of_a_dataset_and_one_of_another_at_once_all_end_well(matrix):
    assert matrix["race"] == []


def test_a_task_that_no_scenario_calls_is_missed():
    from support.kill_matrix import missing_tasks

    from flows import refit_weekly

    tasks = tasks_of(refit_weekly)
    assert {"begin_run", "select_fit", "publish_run", "refuse_batch"} <= tasks
    known = [Moment(name, AFTER) for name in tasks]
    assert missing_tasks(known) == set()
    assert missing_tasks(m for m in known if m.task != "fit_posterior") == {"fit_posterior"}


def test_moments_that_find_the_disk_alike_are_killed_once():
    from support.kill_matrix import worth_killing

    first, written = Moment("fit", BEFORE), Moment("fit", "written, not renamed", "a.json")
    renamed, ended = Moment("fit", "renamed", "a.json"), Moment("fit", AFTER)
    following = [Moment("plan", BEFORE), Moment("plan", AFTER)]
    kept = list(worth_killing([first, written, renamed, ended, *following]))
    assert kept == [first, written, ended, following[1]]


def test_a_run_id_belongs_to_one_dataset():
    assert is_run_of("acme-20261116T060000-1a2b", DATASET)
    assert not is_run_of("acme-eu-20261116T060000-1a2b", DATASET)
