"""A dataset's file: no id leads elsewhere, no two share one, the folder says which there are."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import SpecError
from tasks.store.home import Home
from tasks.store.runs.status import start_run
from tasks.store.warehouse.connection import reading, writing
from tasks.store.warehouse.places import datasets, lock_of, previous_of, stem_of, warehouse_of
from tasks.store.warehouse.runs import list_runs, read_run

HOME = Home(Path("/home/of/nobody"))
HOSTILE = ("../../etc/passwd", "a/b", "..", ".", "~", "x'; attach 'y", "con:", "a\0b", "ä b", "%2e")
IDS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=16)


@pytest.mark.parametrize("dataset_id", HOSTILE)
def test_an_id_that_looks_like_a_path_is_a_name_in_the_folder(dataset_id):
    path = warehouse_of(HOME, dataset_id)
    assert path.parent == HOME.warehouses
    assert path.suffixes == [".duckdb"]


@given(IDS)
def test_a_name_is_plain_and_says_its_dataset(dataset_id):
    path = warehouse_of(HOME, dataset_id)
    assert path.parent == HOME.warehouses
    assert set(path.stem) <= set("abcdefghijklmnopqrstuvwxyz0123456789_-=")


@given(IDS, IDS)
def test_two_ids_never_share_a_file_on_any_disk(one, other):
    assert (one == other) == (stem_of(one).casefold() == stem_of(other).casefold())


def test_ids_of_lower_case_letters_are_the_name():
    assert warehouse_of(HOME, "brand_1-uk").name == "brand_1-uk.duckdb"


@pytest.mark.parametrize("dataset_id", ["", "x" * 193, "ä" * 64])
def test_what_cannot_name_a_file_is_refused(dataset_id):
    with pytest.raises(SpecError, match="cannot name a dataset"):
        warehouse_of(HOME, dataset_id)


def test_the_folder_lists_what_was_written_and_nothing_that_lies_beside_it(home):
    written = ["Acme", "acme", "acme.previous", "ops", "main", "temp", "old", "held", "x' or 1"]
    for dataset_id in written:
        for _ in range(2):  # the second write keeps the first
            with writing(home, dataset_id) as con:
                con.execute("select count(*) from ops.runs")
    (home.warehouses / "Notes.duckdb").write_text("by hand")
    (home.warehouses / "acme.damaged-1.duckdb").write_text("moved aside")
    assert datasets(home) == sorted(written)
    for dataset_id in written:
        assert previous_of(warehouse_of(home, dataset_id)).exists()
        assert lock_of(warehouse_of(home, dataset_id)).exists()
        with reading(home, dataset_id) as con:
            assert con.execute("select count(*) from ops.runs").fetchone() == (0,)


def test_questions_go_to_all_and_a_run_is_found_wherever_it_is(home):
    for number, dataset_id in enumerate(["Acme", "acme", "ops"]):
        start_run(home, f"run-{number}", dataset_id)
    assert {(run.run_id, run.dataset_id) for run in list_runs(home)} == {
        ("run-0", "Acme"), ("run-1", "acme"), ("run-2", "ops"),
    }  # fmt: skip
    assert [run.run_id for run in list_runs(home, "acme")] == ["run-1"]
    assert read_run(home, "run-2").dataset_id == "ops"
