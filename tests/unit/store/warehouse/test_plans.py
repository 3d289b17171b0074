"""Saved plans: listed, found by name, whole or not at all; and where a plan comes from."""

from datetime import timedelta

import duckdb
import pytest
from support.plan_documents import MADE, channel_plan, forged_plan

from schemas.answers.scenarios import MadeBy
from schemas.documents.results import RunStatus
from schemas.errors import CorruptArtifactError, UnknownRunError
from schemas.names import Artifact
from schemas.outcomes import Verdict
from schemas.spec.plan_request import PlannedModel
from schemas.spec.run_spec import RunSpec
from tasks.store.files.artifacts import write_json
from tasks.store.runs import plan_sources
from tasks.store.runs.ids import new_scenario_id
from tasks.store.runs.plan_sources import find_planned_run, open_source
from tasks.store.runs.status import advance_run, fail_run, start_run
from tasks.store.warehouse import plans
from tasks.store.warehouse.connection import reading, writing
from tasks.store.warehouse.plans import (
    find_scenario,
    list_scenarios,
    owner_of,
    read_plan,
    write_plan,
)

HOSTILE = "x'); DROP TABLE mart.plans;--"


def save(home, plan, made_by=MadeBy.PLAN, mlflow_run_id="m-1"):
    with writing(home, owner_of(plan)) as con:
        return write_plan(con, plan, made_by, mlflow_run_id)


def counts(home):
    with reading(home, "demo") as con:
        tables = ("mart.scenarios", "mart.plans")
        return [con.execute(f"select count(*) from {t}").fetchone()[0] for t in tables]


def test_a_plan_reads_back_as_it_was_written(home):
    plan = forged_plan(channels=[HOSTILE, "$pend_{"])
    assert save(home, plan) is None
    assert read_plan(home, "plan-1") == plan
    got = list_scenarios(home)[0]
    assert (got.made_by, got.created_at, got.mlflow_run_id) == (MadeBy.PLAN, MADE, "m-1")
    assert (got.budget, got.gain_mean, got.prob_gain) == (240.0, 30.0, 0.97)
    assert (got.dataset_ids, got.run_ids) == (["demo"], ["demo-run"])
    with reading(home, "demo") as con:
        rows = con.execute(
            "select channel, current, planned, low, high, action from mart.plans"
        ).fetchall()
    assert rows == [
        (HOSTILE, 100.0, 120.0, 70.0, 130.0, "INCREASE"),
        ("$pend_{", 100.0, 120.0, 70.0, 130.0, "INCREASE"),
    ]


def test_a_plan_is_saved_whole_or_not_at_all(home):
    unfinished = channel_plan().model_copy(update={"low": None})
    broken = forged_plan().model_copy(
        update={"channels": {"tv": channel_plan(), "radio": unfinished}}
    )
    with pytest.raises(duckdb.ConstraintException):
        save(home, broken)
    assert counts(home) == [0, 0]


def test_a_retry_saves_a_plan_once(home):
    save(home, forged_plan())
    save(home, forged_plan(channels=["tv"]), mlflow_run_id="m-2")
    assert counts(home) == [1, 1]
    assert list_scenarios(home)[0].mlflow_run_id == "m-2"


def test_a_failed_second_save_leaves_the_first(home):
    plan = forged_plan()
    save(home, plan)

    def save_and_crash():
        with writing(home, "demo") as con:
            write_plan(con, forged_plan(channels=["radio"]), MadeBy.PLAN, None)
            raise OSError("the disk is full")

    with pytest.raises(OSError, match="disk is full"):
        save_and_crash()
    assert read_plan(home, "plan-1") == plan
    assert counts(home) == [1, 2]


def test_plans_are_listed_newest_first_and_by_dataset(home):
    save(home, forged_plan("a"))
    save(home, forged_plan("b", created_at=MADE + timedelta(days=1), dataset_ids=("other",)))
    both = forged_plan("c", created_at=MADE + timedelta(days=2), dataset_ids=("other", "demo"))
    save(home, both, MadeBy.WHAT_IF)
    assert [s.scenario_id for s in list_scenarios(home)] == ["c", "b", "a"]
    assert [s.scenario_id for s in list_scenarios(home, "demo")] == ["c", "a"]
    assert list_scenarios(home, "dem") == []
    newest = list_scenarios(home)[0]
    assert (newest.dataset_ids, newest.run_ids) == (["demo", "other"], ["demo-run", "other-run"])


def test_versions_come_from_the_runs_so_that_a_weekly_plan_has_one(home):
    start_run(home, "demo-run", "demo")
    save(home, forged_plan(), MadeBy.REFIT)
    assert list_scenarios(home)[0].model_versions == [None]
    for status in list(RunStatus)[1:-1]:
        advance_run(home, "demo-run", status, model_version=7)
    assert list_scenarios(home)[0].model_versions == [7]


def test_a_name_belongs_to_the_newest_plan_and_the_older_is_found_by_its_id(home):
    assert save(home, forged_plan("a", name="q1")) is None
    later = forged_plan("b", name="q1", created_at=MADE + timedelta(days=1))
    assert save(home, later) == "a"
    found = list_scenarios(home)
    assert find_scenario(found, "q1").scenario_id == "b"
    assert find_scenario(found, "a").name == "q1"
    assert [s.has_name for s in found] == [True, False]


def test_plans_of_two_datasets_may_have_one_name(home):
    save(home, forged_plan("a", name="q1"))
    assert save(home, forged_plan("b", name="q1", dataset_ids=("other",))) is None
    with pytest.raises(UnknownRunError, match=r"plan of several datasets .*add --dataset"):
        find_scenario(list_scenarios(home), "q1")
    assert find_scenario(list_scenarios(home, "other"), "q1").scenario_id == "b"


def test_an_unknown_plan_suggests_the_nearest(home):
    save(home, forged_plan("plan-1", name="spring"))
    with pytest.raises(UnknownRunError, match="did you mean 'spring'"):
        find_scenario(list_scenarios(home), "sprint")
    with pytest.raises(UnknownRunError, match="lists those that exist"):
        find_scenario([], "spring")
    with pytest.raises(UnknownRunError, match="No plan 'gone'"):
        read_plan(home, "gone")


def test_a_plan_that_this_version_cannot_read_says_what_to_do(home):
    save(home, forged_plan())
    with writing(home, "demo") as con:
        con.execute("update mart.scenarios set document = '{}'")
    with pytest.raises(CorruptArtifactError, match="make it again"):
        read_plan(home, "plan-1")


def test_ids_of_plans_name_the_dataset_and_the_moment():
    assert new_scenario_id(["demo"], MADE)[:-4] == "plan-demo-20260105T120000-"
    assert new_scenario_id(["a", "b"], MADE).startswith("plan-combined-2026")
    assert len({new_scenario_id(["demo"], MADE) for _ in range(50)}) > 45


@pytest.fixture
def champion(monkeypatch):
    """The run of the champion as MLflow would report it."""

    def install(run_id):
        monkeypatch.setattr(plan_sources, "champion_run_id", lambda _home, _dataset: run_id)

    install(None)
    return install


def ended(home, run_id, verdict, dataset_id="demo"):
    start_run(home, run_id, dataset_id)
    states = list(RunStatus)[1 : list(RunStatus).index(RunStatus.OUTPUTS_READY) + 1]
    for status in states:
        advance_run(home, run_id, status)
    advance_run(home, run_id, RunStatus.OUTPUTS_READY, verdict=verdict, snapshot_id="s1")


def test_a_plan_comes_from_the_champion_unless_a_run_is_named(home, champion):
    ended(home, "old", Verdict.PASS)
    ended(home, "new", Verdict.REVIEW)
    champion("old")
    assert find_planned_run(home, PlannedModel(dataset_id="demo")).run_id == "old"
    assert find_planned_run(home, PlannedModel(dataset_id="demo", run_id="new")).run_id == "new"


def test_without_a_champion_the_newest_run_is_named_with_its_verdict(home, champion):
    with pytest.raises(UnknownRunError, match="No run of dataset 'demo'; `mmm refit --spec FILE`"):
        find_planned_run(home, PlannedModel(dataset_id="demo"))
    ended(home, "bad", Verdict.FAIL)
    with pytest.raises(UnknownRunError, match=r"no champion yet.*bad: OUTPUTS_READY, verdict FAIL"):
        find_planned_run(home, PlannedModel(dataset_id="demo"))
    ended(home, "fair", Verdict.REVIEW)
    with pytest.raises(UnknownRunError, match=r"fair.*verdict REVIEW.*add --run fair"):
        find_planned_run(home, PlannedModel(dataset_id="demo"))
    start_run(home, "broken", "demo")
    fail_run(home, "broken", "no KPI\nline two")
    with pytest.raises(UnknownRunError, match=r"broken: ERROR \(no KPI\)"):
        find_planned_run(home, PlannedModel(dataset_id="demo"))


def test_only_an_accepted_run_of_the_dataset_is_planned_from(home):
    ended(home, "bad", Verdict.FAIL)
    with pytest.raises(UnknownRunError, match=r"was rejected by a gate \(FAIL\)"):
        find_planned_run(home, PlannedModel(dataset_id="demo", run_id="bad"))
    start_run(home, "half", "demo")
    with pytest.raises(UnknownRunError, match="has no outputs: it is CREATED"):
        find_planned_run(home, PlannedModel(dataset_id="demo", run_id="half"))
    ended(home, "good", Verdict.PASS, "other")
    with pytest.raises(UnknownRunError, match="one of dataset 'other', not of 'demo'"):
        find_planned_run(home, PlannedModel(dataset_id="demo", run_id="good"))
    with pytest.raises(UnknownRunError, match="did you mean 'good'"):
        find_planned_run(home, PlannedModel(dataset_id="demo", run_id="goood"))


def test_a_source_refers_to_the_files_of_the_run_and_reports_which_is_lost(home):
    ended(home, "good", Verdict.PASS)
    folder = home.run_dir("good")
    record = find_planned_run(home, PlannedModel(dataset_id="demo", run_id="good"))
    with pytest.raises(CorruptArtifactError, match=r"good/run_spec\.json cannot be read"):
        open_source(home, record)
    write_json(home, folder / Artifact.RUN_SPEC, RunSpec(dataset_id="demo").model_dump(mode="json"))
    names = (Artifact.POSTERIOR, Artifact.FEATURES, Artifact.FEATURE_METADATA,
             Artifact.FEATURE_SCALER)  # fmt: skip
    written = {name: write_json(home, folder / name, {}) for name in names}
    with pytest.raises(CorruptArtifactError, match=r"good/roi_metrics\.json is missing"):
        open_source(home, record)
    roi = write_json(home, folder / Artifact.ROI_METRICS, {})
    source = open_source(home, record)
    assert (source.posterior, source.roi_metrics) == (written[Artifact.POSTERIOR], roi)
    assert (source.run_id, source.snapshot_id, source.spec.dataset_id) == ("good", "s1", "demo")


def test_no_column_of_the_tables_is_forgotten(home):
    with reading(home, "demo") as con:
        columns = {
            table: [row[0] for row in con.execute(f"describe mart.{table}").fetchall()]
            for table in ("scenarios", "plans")
        }
    assert [*plans._SCENARIO_COLUMNS, "document"] == columns["scenarios"]
    assert ["scenario_id", "channel", *plans._PLAN_COLUMNS] == columns["plans"]
