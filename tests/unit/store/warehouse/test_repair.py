"""A damaged or lost warehouse is told as what it is; the state before the last write comes back."""

import os
import stat
from datetime import date

import pytest

from schemas.errors import CorruptArtifactError
from schemas.names import Artifact
from tasks.store.runs.status import start_run
from tasks.store.warehouse.connection import reading, writing
from tasks.store.warehouse.places import previous_of, warehouse_of
from tasks.store.warehouse.repair import repair_warehouses
from tasks.store.warehouse.runs import list_runs

TODAY = date(2026, 11, 28)


@pytest.fixture
def two_runs(home):
    """A warehouse that was written to twice, and the folders of both runs."""
    for run_id in ("r-1", "r-2"):
        start_run(home, run_id, "demo")
        (home.run_dir(run_id) / Artifact.DIGESTS).write_text("{}")
    return home


def truncated(home):
    os.truncate(warehouse_of(home, "demo"), warehouse_of(home, "demo").stat().st_size // 2)


def flipped(home):
    content = bytearray(warehouse_of(home, "demo").read_bytes())
    content[20] ^= 0xFF
    warehouse_of(home, "demo").write_bytes(content)


def emptied(home):
    os.truncate(warehouse_of(home, "demo"), 0)
    warehouse_of(home, "demo").write_bytes(b"no database")


def deleted(home):
    warehouse_of(home, "demo").unlink()


@pytest.mark.parametrize("harm", [truncated, flipped, emptied, deleted])
def test_what_is_wrong_is_told_and_put_back(two_runs, harm):
    harm(two_runs)
    with pytest.raises(CorruptArtifactError, match="mmm repair"):
        list_runs(two_runs)
    with pytest.raises(CorruptArtifactError, match="mmm repair"):
        start_run(two_runs, "r-3", "demo")
    report = repair_warehouses(two_runs, TODAY)
    (mended,) = report.warehouses
    assert (mended.dataset_id, bool(mended.fault)) == ("demo", True)
    assert mended.restored_from == previous_of(warehouse_of(two_runs, "demo")).name
    assert [run.run_id for run in list_runs(two_runs)] == ["r-1"]
    assert report.runs_not_in_warehouse == ["r-2"]
    again = repair_warehouses(two_runs, TODAY)
    assert again.warehouses == []


def test_without_a_kept_state_nothing_is_touched(two_runs):
    truncated(two_runs)
    previous_of(warehouse_of(two_runs, "demo")).unlink()
    before = warehouse_of(two_runs, "demo").read_bytes()
    with pytest.raises(CorruptArtifactError, match="backup"):
        repair_warehouses(two_runs, TODAY)
    assert warehouse_of(two_runs, "demo").read_bytes() == before


def test_a_new_home_has_nothing_to_mend(home):
    report = repair_warehouses(home, TODAY)
    assert report.warehouses == []
    assert list(home.root.iterdir()) == []


def test_a_date_after_today_is_taken_back(home):
    fill = {"DATE": "date '2026-01-05'", "TIMESTAMP WITH TIME ZONE": "now()", "VARCHAR": "'x'"}
    with writing(home, "demo") as con:
        columns = con.execute("describe ops.snapshots").fetchall()
        for snapshot, as_of in (("s-1", "2028-11-28"), ("s-2", "2026-11-01")):
            known = {"snapshot_id": f"'{snapshot}'", "as_of": f"date '{as_of}'"}
            values = [known.get(name, fill.get(kind, "1")) for name, kind, *_ in columns]
            con.execute(f"insert into ops.snapshots values ({', '.join(values)})")
    assert repair_warehouses(home, TODAY).dates_taken_back == 1
    with reading(home, "demo") as con:
        found = con.execute("select snapshot_id, as_of from ops.snapshots order by 1").fetchall()
    assert found == [("s-1", TODAY), ("s-2", date(2026, 11, 1))]
    assert repair_warehouses(home, TODAY).dates_taken_back == 0


def test_a_link_and_a_mode_outlive_a_write(home, tmp_path):
    elsewhere = tmp_path / "disk" / "real.duckdb"
    elsewhere.parent.mkdir()
    with writing(home, "demo"):
        pass
    warehouse_of(home, "demo").rename(elsewhere)
    warehouse_of(home, "demo").symlink_to(elsewhere)
    elsewhere.chmod(0o640)
    start_run(home, "r-1", "demo")
    assert warehouse_of(home, "demo").is_symlink()
    assert stat.S_IMODE(elsewhere.stat().st_mode) == 0o640
    assert [run.run_id for run in list_runs(home)] == ["r-1"]


def test_a_new_warehouse_is_its_owners_alone(home):
    with writing(home, "demo"):
        pass
    assert stat.S_IMODE(warehouse_of(home, "demo").stat().st_mode) == 0o600
