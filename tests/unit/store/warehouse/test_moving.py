"""A home with one warehouse for all is moved once, whole or not at all, by whoever opens it."""

import os
import shutil
import stat
import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
import pytest
from support.faults import full_disk, read_only
from support.plan_documents import forged_plan
from support.single_home import make_single

from schemas.documents.promotions import MadeBy, Promotion, PromotionAction
from schemas.errors import CorruptArtifactError, StorageError
from schemas.names import Artifact
from tasks.store.home import Home
from tasks.store.runs.status import start_run
from tasks.store.trial import trial_home
from tasks.store.warehouse.connection import reading, writing
from tasks.store.warehouse.gates import read_gate_results, write_gate_results
from tasks.store.warehouse.moving import ORIGIN
from tasks.store.warehouse.places import datasets, previous_of, warehouse_of
from tasks.store.warehouse.plans import list_scenarios, owner_of, read_plan, write_plan
from tasks.store.warehouse.promotions import list_promotions, write_promotion
from tasks.store.warehouse.repair import repair_warehouses
from tasks.store.warehouse.runs import list_runs

ROOT = Path(__file__).resolve().parents[4]
TODAY = date(2026, 11, 29)
NAMES = ["demo", "other"]
FILLED = ("canonical.kpi", "ops.runs", "ops.gate_results", "ops.promotions", "mart.scenarios",
          "mart.plans")  # fmt: skip
INSERT = "insert into canonical.kpi values (?, 'all', date '2026-11-09', 'sales', ?, 'b', ?)"


def promotion(dataset_id: str, version: int) -> Promotion:
    return Promotion(
        dataset_id=dataset_id, decided_at=datetime(2026, 1, 30 - version, tzinfo=UTC),
        version=version, run_id=f"{dataset_id}-{version}", from_version=None,
        action=PromotionAction.PROMOTE, reason="better", made_by=MadeBy.PERSON,
    )  # fmt: skip


def fill(home: Home) -> None:
    """Write rows of two datasets, in tables that say whose they are and in those that do not."""
    for number, dataset_id in enumerate(NAMES):
        start_run(home, f"{dataset_id}-1", dataset_id)
        (home.run_dir(f"{dataset_id}-1") / Artifact.DIGESTS).write_text("{}")
        with writing(home, dataset_id) as con:
            con.execute(INSERT, [dataset_id, float(number), TODAY])
            gates = [("r_hat", "PASS", 1.0, f"fine in {dataset_id}")]
            write_gate_results(con, f"{dataset_id}-1", "sampling", gates)
            for version in (1, 2, 3):
                write_promotion(con, promotion(dataset_id, version))
    plan = forged_plan(dataset_ids=("other", "demo"))
    with writing(home, owner_of(plan)) as con:
        write_plan(con, plan, "plan", None)


def contents(home: Home) -> dict[str, list]:
    found = {}
    for dataset_id in NAMES:
        with reading(home, dataset_id) as con:
            for table in FILLED:
                rows = con.execute(f"select * from {table}").fetchall()
                found[f"{dataset_id} {table}"] = rows
    return found


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A home of two datasets, and the same as an earlier version left it."""
    new, old = (tmp_path_factory.mktemp(name).resolve() for name in ("new", "old"))
    fill(Home(new))
    wanted = contents(Home(new))
    shutil.copytree(new, old, dirs_exist_ok=True)
    make_single(Home(old))
    return Home(old), wanted


@pytest.fixture
def old(made, home):
    shutil.copytree(made[0].root, home.root, dirs_exist_ok=True)
    return home


@pytest.fixture
def wanted(made):
    assert sum(map(len, made[1].values())) == len(NAMES) * (1 + 1 + 1 + 3) + 1 + 2
    return made[1]


def left_behind(home: Home) -> list[str]:
    return [path.name for path in home.root.rglob("*.partial*")]


def test_every_dataset_gets_its_rows_in_their_order_and_the_single_file_is_kept(old, wanted):
    before = old.single_warehouse.read_bytes()
    assert {run.run_id for run in list_runs(old)} == {f"{name}-1" for name in NAMES}
    assert contents(old) == wanted
    assert datasets(old) == NAMES
    assert not old.single_warehouse.exists()
    assert previous_of(old.single_warehouse).read_bytes() == before
    assert left_behind(old) == []


def test_what_does_not_name_its_dataset_follows_what_it_belongs_to(old):
    assert [row["detail"] for row in read_gate_results(old, "other-1")] == ["fine in other"]
    assert [row.version for row in list_promotions(old, "demo")] == [1, 2, 3]
    (shared,) = list_scenarios(old, "other")
    assert shared.dataset_ids == ["demo", "other"]
    assert read_plan(old, shared.scenario_id).scenario_id == shared.scenario_id


def test_a_write_moves_the_home_first_and_then_changes_its_dataset_alone(old):
    start_run(old, "demo-2", "demo")
    assert {run.run_id for run in list_runs(old, "demo")} == {"demo-1", "demo-2"}
    untouched = warehouse_of(old, "other").stat()
    start_run(old, "demo-3", "demo")
    assert warehouse_of(old, "other").stat() == untouched


KILLED = """
import json, os, sys
from pathlib import Path
from tasks.store.home import Home
from tasks.store.warehouse import files, moving
deadly = seen = 0
def passes():
    global seen
    seen += 1
    if seen == deadly:
        os._exit(9)
def watched(original):
    def call(*args, **kwargs):
        passes()
        found = original(*args, **kwargs)
        passes()
        return found
    return call
for owner, name in ((os, "replace"), (files, "flush"), (moving, "_copy_rows"), (os, "mkdir")):
    setattr(owner, name, watched(getattr(owner, name)))
for deadly, home in enumerate(sys.argv[1:], 1):
    if child := os.fork():
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
    else:
        moving.move_in(Home(Path(home)), wait_seconds=1)
        os._exit(0)
"""
MORE_THAN_ENOUGH = 18
"""Homes to kill in; before and after a folder, two datasets, their files and two renames is 14."""


def test_killed_at_any_moment_nothing_is_lost_and_the_next_one_moves_it(made, tmp_path):
    template, wanted = made
    homes = [Home(tmp_path / f"killed-{n}") for n in range(MORE_THAN_ENOUGH)]
    for home in homes:
        shutil.copytree(template.root, home.root)
    done = subprocess.run(
        [sys.executable, "-c", KILLED, *(str(home.root) for home in homes)],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    codes = done.stdout.split()
    n_killed = codes.count("9")
    assert codes == ["9"] * n_killed + ["0"] * (MORE_THAN_ENOUGH - n_killed)
    assert 14 <= n_killed < MORE_THAN_ENOUGH
    for moment, home in enumerate(homes, 1):
        assert home.single_warehouse.exists() == (moment < n_killed), "the last step retires it"
        if not home.warehouses.exists():
            # As before, for a program of the version before, too.
            with duckdb.connect(str(home.single_warehouse), read_only=True) as con:
                assert con.execute("select count(*) from ops.runs").fetchone() == (2,)
        assert contents(home) == wanted
        assert left_behind(home) == []
        assert not home.single_warehouse.exists()


def test_who_may_only_read_reads_the_single_file_and_moves_nothing(old, wanted, monkeypatch):
    monkeypatch.setenv("MMM_HOME", str(old.root))
    with read_only(old.root):
        assert {run.run_id for run in list_runs(old)} == {f"{name}-1" for name in NAMES}
        assert contents(old) == wanted
        assert [row.version for row in list_promotions(old, "demo")] == [1, 2, 3]
        with trial_home("demo") as trial, reading(trial, "demo") as con:
            assert con.execute("select count(*) from canonical.kpi").fetchone() == (1,)
        with pytest.raises(StorageError, match="MMM_HOME"):
            start_run(old, "demo-2", "demo")
    assert not old.warehouses.exists()
    assert contents(old) == wanted
    assert datasets(old) == NAMES


def test_on_a_full_disk_the_home_is_as_it_was_and_can_be_read(old, wanted):
    before = old.single_warehouse.read_bytes()
    with full_disk(100_000):
        with pytest.raises(StorageError, match="Free some space"):
            start_run(old, "demo-2", "demo")
        assert contents(old) == wanted
    assert old.single_warehouse.read_bytes() == before
    assert left_behind(old) == []
    assert not old.warehouses.exists()


def test_a_link_to_another_disk_and_the_mode_stay(old, wanted, tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    old.single_warehouse.rename(disk / "real.duckdb")
    old.single_warehouse.symlink_to(disk / "real.duckdb")
    assert contents(old) == wanted
    assert old.warehouses.resolve() == disk / "real.datasets"
    assert stat.S_IMODE(warehouse_of(old, "demo").stat().st_mode) == 0o640
    assert stat.S_IMODE((disk / "real.datasets").stat().st_mode) == 0o750
    assert not os.path.lexists(old.single_warehouse)
    start_run(old, "demo-2", "demo")
    assert stat.S_IMODE((disk / "real.datasets" / "demo.duckdb").stat().st_mode) == 0o640


def test_a_folder_that_a_person_has_linked_to_another_disk_is_used(old, wanted, tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    old.warehouses.symlink_to(disk)
    assert contents(old) == wanted
    assert (disk / "demo.duckdb").is_file()


def test_a_damaged_single_file_is_reported_and_mended_and_then_moved(old, wanted):
    shutil.copy2(old.single_warehouse, previous_of(old.single_warehouse))
    os.truncate(old.single_warehouse, old.single_warehouse.stat().st_size // 2)
    with pytest.raises(CorruptArtifactError, match="mmm repair"):
        list_runs(old)
    (mended,) = repair_warehouses(old, TODAY).warehouses
    assert (mended.dataset_id, bool(mended.moved_to)) == (None, True)
    assert contents(old) == wanted


def test_a_deleted_single_file_is_reported_and_put_back_and_then_moved(old, wanted):
    old.single_warehouse.rename(previous_of(old.single_warehouse))
    with pytest.raises(CorruptArtifactError, match=r"demo\.duckdb is gone.*mmm repair"):
        start_run(old, "demo-2", "demo")
    with pytest.raises(CorruptArtifactError, match="is gone"):
        list_runs(old)
    (mended,) = repair_warehouses(old, TODAY).warehouses
    assert mended.fault == "it is gone"
    assert contents(old) == wanted


def test_an_old_file_that_was_put_into_a_new_home_is_not_taken_for_it(old, wanted):
    contents(old)
    shutil.copy(previous_of(old.single_warehouse), old.single_warehouse)
    os.utime(old.single_warehouse, (0, 0))
    with pytest.raises(CorruptArtifactError, match="was not made of it"):
        list_runs(old)
    assert (old.warehouses / ORIGIN).is_file()
    old.single_warehouse.unlink()
    assert contents(old) == wanted


def test_a_file_of_an_earlier_version_moves_with_the_tables_that_it_has(old):
    with duckdb.connect(str(old.single_warehouse)) as con:
        con.execute("drop table mart.plans")
        con.execute("drop table mart.scenarios")
        con.execute("drop table ops.prunings")
    assert {run.run_id for run in list_runs(old)} == {f"{name}-1" for name in NAMES}
    assert list_scenarios(old) == []
