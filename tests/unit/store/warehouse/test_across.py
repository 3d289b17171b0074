"""Answers of warehouses are kept until another file is in the place of the one that was asked."""

import pytest

from schemas.errors import CorruptArtifactError
from tasks.store.warehouse import across, files
from tasks.store.warehouse.connection import writing
from tasks.store.warehouse.places import warehouse_of

QUERY = "select entity_id from canonical.kpi order by entity_id"


def write(home, dataset_id, entity):
    with writing(home, dataset_id) as con:
        con.execute(
            "insert into canonical.kpi values (?, ?, date '2026-11-02', 'sales', 1, 'b', "
            "date '2026-11-03')", [dataset_id, entity],
        )  # fmt: skip


@pytest.fixture
def opened(monkeypatch):
    """Names of the files that were opened for a question."""
    seen, attached = [], files.attached

    def noted(con, path, **options):
        seen.append(path.name)
        return attached(con, path, **options)

    monkeypatch.setattr(files, "attached", noted)
    return seen


def test_a_file_is_opened_once_for_a_question_until_it_is_written_to(home, opened):
    for dataset_id in "ab":
        write(home, dataset_id, "acme")
    opened.clear()
    for _ in range(3):
        assert across.ask_all(home, QUERY) == [("acme",), ("acme",)]
    assert opened == ["a.duckdb", "b.duckdb"]
    write(home, "b", "bolt")
    opened.clear()
    assert across.ask_all(home, QUERY) == [("acme",), ("acme",), ("bolt",)]
    assert opened == ["b.duckdb"]


def test_a_question_with_other_values_is_another_one(home):
    write(home, "a", "acme")
    query = "select entity_id from canonical.kpi where entity_id = ?"
    assert across.ask(home, "a", query, ["acme"]) == [("acme",)]
    assert across.ask(home, "a", query, ["bolt"]) == []


def test_who_gets_rows_may_change_the_list(home):
    write(home, "a", "acme")
    across.ask(home, "a", QUERY).clear()
    across.ask_all(home, QUERY).clear()
    assert across.ask(home, "a", QUERY) == across.ask_all(home, QUERY) == [("acme",)]


def test_a_dataset_that_is_new_or_gone_is_seen_at_once(home):
    write(home, "a", "acme")
    assert across.ask_all(home, QUERY) == [("acme",)]
    write(home, "b", "bolt")
    assert across.ask_all(home, QUERY) == [("acme",), ("bolt",)]
    warehouse_of(home, "a").unlink()
    assert across.ask_all(home, QUERY) == [("bolt",)]


def test_a_warehouse_that_was_damaged_says_nothing_from_memory(home):
    write(home, "a", "acme")
    assert across.ask(home, "a", QUERY) == [("acme",)]
    path = warehouse_of(home, "a")
    path.write_bytes(b"no database" * 1000)
    with pytest.raises(CorruptArtifactError, match="damaged"):
        across.ask(home, "a", QUERY)


def test_whether_all_can_be_opened_is_no_memory(home, opened):
    write(home, "a", "acme")
    across.require_all_open(home, wait_seconds=1)
    opened.clear()
    across.require_all_open(home, wait_seconds=1)
    assert opened == ["a.duckdb"]
