"""Pruning on a real warehouse, a real MLflow store and real files: what goes and what says so."""

import hashlib
import json
import logging
import os
import pkgutil
import shutil
from datetime import UTC, datetime, timedelta

import duckdb
import pytest
from mlflow.exceptions import MlflowException
from support.publishing import publish_run

from flows.cli import app
from flows.prune_now import prune_now
from schemas.answers.pruning import RUN_TRAIL, ItemKind
from schemas.errors import CorruptArtifactError, MmmError, PrunedFilesError
from schemas.names import Artifact
from schemas.outcomes import Verdict
from schemas.spec.retention import RetentionSpec
from tasks.prune import task_prune as pruning
from tasks.publish import task
from tasks.publish import task_rollback as rollback
from tasks.store.files.items import ItemFiles
from tasks.store.locks import dataset_lock
from tasks.store.runs.plan_sources import open_source
from tasks.store.runs.status import fail_run, start_run
from tasks.store.tracking import aliases, experiments
from tasks.store.tracking.files import PRUNED_TAG
from tasks.store.tracking.retries import PARENT_TAG
from tasks.store.warehouse.connection import reading, writing
from tasks.store.warehouse.places import warehouse_of
from tasks.store.warehouse.prunings import list_prunings, require_files
from tasks.store.warehouse.runs import read_roas, read_run

pytestmark = pytest.mark.slow

STRICT = RetentionSpec(
    keep_runs=1, keep_days=0, keep_rollbacks=1, keep_rejected_days=1, plans_days=30
)
POSTERIOR = Artifact.POSTERIOR


@pytest.fixture
def publish(finished, monkeypatch):
    monkeypatch.setattr(task, "get_run_logger", lambda: logging.getLogger("tests"))
    monkeypatch.setattr(task, "build_figures", lambda _: {})  # drawn in test_publish

    def run(**facts):
        return publish_run(finished(**facts))

    return run


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    """A home that is made once; each test works on a copy, which MLflow follows."""
    return tmp_path_factory.mktemp("template") / "home"


@pytest.fixture
def weeks(home, template, publish):
    """Four champions in a row and a rejected fit, all of last year, with their forecasts scored."""
    if not template.exists():
        for number in range(1, 5):
            publish(run_id=f"run-{number}")
        publish(run_id="run-5", verdict=Verdict.FAIL)
        score_all(home)
        age_runs(home, days=400)
        experiments.open_store(home)
        shutil.copytree(home.root, template)
    else:
        shutil.copytree(template, home.root, dirs_exist_ok=True)
        experiments.open_store(home)  # its paths follow the copy
    return home


def score_all(home):
    with writing(home, "demo") as con:
        con.execute(
            "insert into mart.forecast_scores select run_id, dataset_id, 'deployed', scope, "
            "entity_id, period_start, periods_ahead, 1, 1, 1, true, true, 1, 1, 1, 1, 1, now(), "
            "'x' from mart.forecasts"
        )


def age_runs(home, *, days):
    """Date every run back; later ones stay later."""
    with writing(home, "demo") as con:
        con.execute(
            "update ops.runs set created_at = created_at - to_days(?), "
            "updated_at = updated_at - to_days(?)",
            [days, days],
        )


def prune(*, dry_run=False, dataset_id="demo", retention=STRICT):
    return prune_now(dataset_id, retention, dry_run=dry_run)


def ids(report, kind=ItemKind.RUN):
    return [i.item_id for part in report.datasets for i in part.items if i.kind is kind]


def tree(home):
    """Every file of the home by its content."""
    return {
        str(path.relative_to(home.root)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(home.root.rglob("*"))
        if path.is_file()
    }


def has_files(home, run_id):
    return (home.run_dir(run_id) / POSTERIOR).is_file()


def versions(home):
    client = experiments.open_store(home)
    return sorted(int(v.version) for v in client.search_model_versions("name = 'demo'"))


def test_a_dry_run_reports_all_and_changes_nothing(weeks):
    before = tree(weeks)
    report = prune(dry_run=True)
    assert ids(report) == ["run-5", "run-2", "run-1"]
    assert report.datasets[0].kept == {"champion": 1, "a rollback can go to it": 1}
    assert tree(weeks) == before
    assert not list_prunings(weeks)
    reported = {i.item_id: i.n_bytes for i in report.datasets[0].items}
    done = prune()
    assert {i.item_id: i.n_bytes for i in done.datasets[0].items} == reported


def test_what_it_says_it_freed_is_what_it_freed(weeks):
    def size():
        rooms = (weeks.runs, weeks.mlruns / "artifacts")
        return sum(p.stat().st_size for room in rooms for p in room.rglob("*") if p.is_file())

    before = size()
    report = prune()
    assert report.n_bytes == before - size() > 10_000


def test_files_go_here_and_in_mlflow_and_the_trail_stays(weeks):
    client = experiments.open_store(weeks)
    (logged,) = client.search_runs(
        [client.get_experiment_by_name("demo").experiment_id], "tags.`mmm.run_id` = 'run-1'"
    )
    retry = client.create_run(
        logged.info.experiment_id, tags={PARENT_TAG: logged.info.run_id, "mmm.rung": "1"}
    )
    client.log_text(retry.info.run_id, "draws", "rung.txt")
    model_id = logged.outputs.model_outputs[0].model_id
    prune()
    left = {path.name for path in weeks.run_dir("run-1").iterdir()}
    assert left == {Artifact.RUN_SPEC, Artifact.RUN_STATUS, Artifact.DIAGNOSTICS,
                    Artifact.FIT_METRICS, Artifact.ROI_METRICS, Artifact.DIGESTS}  # fmt: skip
    assert left <= set(map(str, RUN_TRAIL))
    for run_id in (logged.info.run_id, retry.info.run_id):
        assert not client.list_artifacts(run_id)
        assert PRUNED_TAG in client.get_run(run_id).data.tags
    kept = client.get_run(logged.info.run_id).data
    assert (kept.params["model.kind"], kept.metrics["sampling/r_hat_max"]) == ("mmm", 1.004)
    with pytest.raises(MlflowException, match="not found"):
        client.get_logged_model(model_id)
    assert versions(weeks) == [3, 4]
    assert aliases.aliases_of(client, "demo") == {"champion": 4}
    assert client.list_artifacts(client.get_model_version("demo", "3").run_id)


def test_no_row_of_the_warehouse_goes_and_each_pruning_is_one(weeks):
    def rows():
        with reading(weeks, "demo") as con:
            tables = [
                f"{schema}.{name}"
                for schema, name in con.execute(
                    "select schema_name, table_name from duckdb_tables()"
                ).fetchall()
                if name != "prunings"
            ]
            return {t: con.execute(f"select count(*) from {t}").fetchone()[0] for t in tables}

    before = rows()
    prune()
    assert rows() == before
    reported = [(p.item_id, p.kind.value, p.pruned_at is not None) for p in list_prunings(weeks)]
    assert reported == [("run-1", "run", True), ("run-2", "run", True), ("run-5", "run", True)]


def test_twice_is_once(weeks):
    prune()
    after = tree(weeks)
    again = prune()
    assert not again.datasets[0].items
    assert {k: v for k, v in tree(weeks).items() if "warehouse" not in k} == {
        k: v for k, v in after.items() if "warehouse" not in k
    }
    assert len(list_prunings(weeks)) == 3


class KilledError(BaseException):
    """The process dies here: nothing catches it."""


def dying(after, call):
    """Return ``call``, which kills the process once it has been called ``after`` times."""
    made = []

    def deadly(*args, **kwargs):
        made.append(args)
        if len(made) > after:
            raise KilledError
        return call(*args, **kwargs)

    return deadly


@pytest.mark.parametrize(
    ("place", "after"),
    [
        ("tasks.store.files.items.ItemFiles.remove", 0),
        ("tasks.store.files.items.removal.remove", 1),
        ("tasks.store.tracking.files._remove", 1),
        ("tasks.prune.task_prune.finish_pruning", 1),
    ],
    ids=["before-the-first", "between-its-places", "inside-mlflow", "gone-but-not-recorded"],
)
def test_killed_after_the_marks_the_next_pruning_finishes(weeks, monkeypatch, place, after):
    with monkeypatch.context() as patch:
        patch.setattr(place, dying(after, pkgutil.resolve_name(place)))
        with pytest.raises(KilledError):
            prune()
    marked = list_prunings(weeks)
    assert len(marked) == 3, "all is marked before the first file goes"
    for row in marked:
        with pytest.raises(PrunedFilesError):
            require_files(weeks, row.item_id)
    left = {row.item_id for row in marked if row.pruned_at is None}
    assert set(ids(prune(dry_run=True))) == left
    assert set(ids(prune())) == left != set()
    assert all(row.pruned_at for row in list_prunings(weeks))
    assert not any(has_files(weeks, row.item_id) for row in marked)
    assert versions(weeks) == [3, 4]
    assert not prune().datasets[0].items


def test_a_run_that_was_given_an_alias_since_it_was_marked_stays(weeks, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(ItemFiles, "remove", dying(0, ItemFiles.remove))
        with pytest.raises(KilledError):
            prune()
    aliases.move_alias(experiments.open_store(weeks), "demo", 2, "mine")
    report = prune()
    assert "run-2" not in ids(report)
    assert has_files(weeks, "run-2")
    assert "Run run-2 was to be removed, and stays: alias mine" in report.datasets[0].notes[0]


def test_a_held_lock_is_reported_with_exit_code_4_and_nothing_goes(weeks, monkeypatch, capsys):
    monkeypatch.setattr(pruning, "BRIEF_WAIT_SECONDS", 0.05)
    before = {k: v for k, v in tree(weeks).items() if "locks" not in k}
    with dataset_lock(weeks, "demo", wait_seconds=0):
        code = app.main(["prune", "--dataset", "demo", "--json"])
    captured = capsys.readouterr()
    assert (code, json.loads(captured.out)["busy"]) == (4, ["demo"])
    assert "demo was left alone" in captured.err
    assert {k: v for k, v in tree(weeks).items() if "locks" not in k} == before


def test_every_verb_says_that_the_files_are_gone(weeks, capsys, tmp_path):
    prune()
    day = f"{datetime.now(UTC):%Y-%m-%d}"
    sentence = f"The files of run run-1 were removed on {day} by the retention policy"
    for argv in (
        ["plan", "--run", "run-1"],
        ["plan", "--run", "run-1", "--horizon", "4"],
        ["export", "run-1", "--out", str(tmp_path / "out")],
        ["export", "run-1", "--format", "html", "--out", str(tmp_path / "out")],
        ["rollback", "--dataset", "demo", "--to", "1"],
    ):
        assert app.main(argv) == 2, argv
        assert sentence in capsys.readouterr().err, argv
    with pytest.raises(CorruptArtifactError, match="run-1 were removed"):
        open_source(weeks, read_run(weeks, "run-1"))  # as for any missing file, `mmm score` goes on
    assert app.main(["runs"]) == 0
    rows = capsys.readouterr().out.splitlines()
    assert [f"files removed on {day}" in row for row in rows if row.startswith(" run-")] == [
        True, False, False, True, True,
    ]  # fmt: skip
    assert app.main(["runs", "--json"]) == 0
    removed = {
        r["run_id"]: r["files_removed_on"] for r in json.loads(capsys.readouterr().out)["runs"]
    }
    assert (removed["run-1"], removed["run-4"]) == (day, None)


def test_an_old_run_is_still_shown_from_what_is_left(weeks, capsys):
    prune()
    (weeks.run_dir("run-1") / Artifact.ROI_METRICS).unlink()
    assert app.main(["show", "run-1"]) == 0
    page = capsys.readouterr().out
    assert "The files of this run were removed on" in page
    assert "2.3" in page, "returns are those of mart.roas"
    assert app.main(["show", "run-1", "--json"]) == 0
    reported = json.loads(capsys.readouterr().out)
    assert reported["pruned"]["reason"] == "not among the newest 1, older than 0 days"
    assert reported["roas"] == json.loads(json.dumps(read_roas(weeks, "run-1")))


def test_a_rollback_goes_to_what_was_kept_for_it(weeks):
    prune()
    assert rollback.roll_back("demo", to=None, reason=None).version == 3
    with pytest.raises(PrunedFilesError, match="run-2"):
        rollback.roll_back("demo", to=None, reason=None)
    assert not ids(prune()), "the version that was rolled back is the newest accepted run"


def test_a_forecast_that_is_not_scored_keeps_its_run_until_it_is(weeks):
    with writing(weeks, "demo") as con:
        con.execute("delete from mart.forecast_scores where forecast_run_id = 'run-1'")
    report = prune()
    assert ids(report) == ["run-5", "run-2"]
    assert any("mmm score" in reason for reason in report.datasets[0].kept)
    with writing(weeks, "demo") as con:
        con.execute("delete from mart.forecast_scores")
    score_all(weeks)
    assert ids(prune()) == ["run-1"]


def test_a_run_that_failed_goes_with_what_it_left_in_steps(weeks):
    home = weeks
    prune()
    start_run(home, "dead-1", "demo")
    fail_run(home, "dead-1", "the disk was full")
    start_run(home, "alive-1", "demo")
    for run_id in ("dead-1", "alive-1"):
        (home.steps / run_id / "rung_1").mkdir(parents=True)
        (home.steps / run_id / "fit_posterior.json").write_text("{}")
    assert not ids(prune()), "it ended today"
    age_runs(home, days=2)
    assert ids(prune()) == ["dead-1"]
    assert sorted(path.name for path in home.steps.iterdir()) == ["alive-1"]


def test_a_link_in_place_of_a_run_is_reported_and_the_others_go(weeks, tmp_path_factory):
    outside = tmp_path_factory.mktemp("outside")
    moved = outside / "run-1"
    weeks.run_dir("run-1").rename(moved)
    weeks.run_dir("run-1").symlink_to(moved, target_is_directory=True)
    report = prune()
    assert ids(report) == ["run-5", "run-2"]
    assert "run-1 was left alone: it is a link" in report.datasets[0].notes[0]
    assert (moved / POSTERIOR).is_file()
    assert versions(weeks) == [1, 3, 4]
    assert "run-1" not in {row.item_id for row in list_prunings(weeks)}


def test_a_warehouse_that_names_a_path_removes_nothing(weeks, tmp_path):
    victim = warehouse_of(weeks, "demo")
    with writing(weeks, "demo") as con:
        con.execute("update ops.runs set run_id = '../../data' where run_id = 'run-1'")
    report = prune()
    assert victim.is_file()
    assert any("not inside" in note for note in report.datasets[0].notes)


def test_artifacts_that_mlflow_keeps_elsewhere_on_the_machine_stay(weeks, tmp_path_factory):
    import sqlite3

    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "posterior.nc").write_bytes(b"x")
    with sqlite3.connect(weeks.mlruns / "mlflow.db") as con:
        con.execute(
            "update runs set artifact_uri = ? where run_uuid in "
            "(select run_uuid from tags where key = 'mmm.run_id' and value = 'run-1')",
            [str(elsewhere)],
        )
    report = prune()
    assert "run-1" not in ids(report)
    assert (elsewhere / "posterior.nc").is_file()
    assert has_files(weeks, "run-1")


def test_without_its_mlflow_store_the_last_decision_says_who_is_champion(weeks):
    (weeks.mlruns / "mlflow.db").rename(weeks.mlruns / "lost.db")
    assert ids(prune()) == ["run-5", "run-2", "run-1"]
    assert has_files(weeks, "run-4")


def test_a_broken_mlflow_store_prunes_nothing(weeks):
    (weeks.mlruns / "mlflow.db").write_bytes(b"not a database")
    with pytest.raises(Exception, match="database"):
        prune()
    assert has_files(weeks, "run-1")
    assert not list_prunings(weeks)


def test_files_that_cannot_be_removed_are_gone_the_next_time(weeks, monkeypatch):
    def full(*_):
        raise MmmError("data/runs/run-2 could not be removed (Read-only file system)")

    with monkeypatch.context() as patch:
        patch.setattr(ItemFiles, "remove", full)
        with pytest.raises(MmmError, match="Read-only"):
            prune()
    assert set(ids(prune())) == {"run-1", "run-2", "run-5"}


def test_what_cannot_be_recorded_is_not_removed(weeks, monkeypatch):
    def full(*_):
        raise duckdb.IOException("could not write: No space left on device")

    before = tree(weeks)
    with monkeypatch.context() as patch:
        patch.setattr("tasks.store.warehouse.prunings.writing", full)
        with pytest.raises(MmmError, match=r"Nothing was removed.*No space left"):
            prune()
    assert {k: v for k, v in tree(weeks).items() if "locks" not in k} == {
        k: v for k, v in before.items() if "locks" not in k
    }


def test_leftovers_go_by_age_in_a_pruning_of_everything_only(weeks):
    old = datetime.now(UTC) - timedelta(days=3)
    results = weeks.root / ".prefect" / "results"
    scratch = weeks.landing / "demo" / "tmpab12"
    for path, stays in (
        (weeks.run_dir("run-4") / ".posterior.nc.12ab34cd.partial", False),
        (weeks.run_dir("run-3") / ".posterior.nc.fresh.partial", True),
        (weeks.steps / "unknown-1" / "fit.json", True),
        (scratch / "rewritten.csv", False),
        (results / "abc", True),
        (results / "ancient", False),
    ):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x" * 9)
        if not stays:
            touch(path, old - timedelta(days=60 if path.name == "ancient" else 0))
    touch(scratch, old)
    assert not ids(prune(dry_run=True), ItemKind.PARTIAL), "a dataset's pruning looks at it alone"
    report = prune_now(None, STRICT, dry_run=False)
    assert sorted(ids(report, ItemKind.PARTIAL)) == [
        "data/landing/demo/tmpab12", "data/runs/run-4/.posterior.nc.12ab34cd.partial",
    ]  # fmt: skip
    assert ids(report, ItemKind.RESULTS) == ["1 file(s)"]
    assert not scratch.exists()
    assert (weeks.run_dir("run-3") / ".posterior.nc.fresh.partial").exists()
    assert (results / "abc").exists()


def touch(path, moment):
    os.utime(path, (moment.timestamp(), moment.timestamp()))


def test_the_policy_is_that_of_the_newest_run_whose_spec_can_be_read(weeks):
    for run_id, text in (
        ("run-5", "not json"),
        ("run-4", '{"dataset_id": "demo", "retention": {"keep_runs": 3, "keep_days": 0}}'),
        ("run-3", '{"dataset_id": "demo", "retention": {"keep_runs": 1, "keep_days": 0}}'),
    ):
        (weeks.run_dir(run_id) / Artifact.RUN_SPEC).write_text(text)
    assert pruning.read_retention(weeks, "demo").keep_runs == 3
    rejected_and_fourth = ids(prune(retention=None))
    assert rejected_and_fourth == ["run-5"], "three champions before this one can be gone back to"
