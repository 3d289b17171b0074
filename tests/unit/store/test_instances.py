"""An instance of DuckDB is lent to one at a time, and comes back as it was made."""

from contextlib import ExitStack

import duckdb
import pytest

from tasks.store import instances


@pytest.fixture(autouse=True)
def _none_idle(monkeypatch):
    monkeypatch.setattr(instances, "_idle", {})
    monkeypatch.setattr(instances, "_idle_with_tables", {})


@pytest.fixture
def made(monkeypatch):
    """Instances that were made, in their order."""
    connections, really = [], duckdb.connect

    def connect(*file):
        con = really(*file)
        if not file:
            connections.append(con)
        return con

    monkeypatch.setattr(instances.duckdb, "connect", connect)
    return connections


def databases(con):
    return con.execute("select database_name from duckdb_databases() where not internal").fetchall()


def test_one_that_is_idle_is_lent_again(made, tmp_path):
    for _ in range(3):
        with instances.in_memory(tmp_path / "aside") as con:
            con.execute("select 1")
    assert len(made) == 1


def test_two_at_once_have_one_each(made):
    with instances.in_memory(None) as outer, instances.in_memory(None) as inner:
        inner.execute("create table t (x int)")
        with pytest.raises(duckdb.CatalogException):
            outer.execute("from t")
    assert len(made) == 2


def test_what_was_made_and_opened_in_one_is_gone(made, tmp_path):
    file = tmp_path / "held.duckdb"
    with instances.in_memory(None) as con:
        con.execute("create schema ops")
        con.execute("create table ops.runs (x int)")
        con.execute("create temp table kept (x int)")
        con.execute("set variable seen = 1")
        con.execute("attach ? as held", [str(file)])
        con.execute("use held")
    with duckdb.connect(str(file)) as own, instances.in_memory(None) as con:
        assert own.execute("select 1").fetchone() == (1,)
        assert sorted(databases(con)) == [("memory",), ("own",)]
        assert con.execute("select count(*) from duckdb_tables()").fetchone() == (0,)
        assert con.execute("select getvariable('seen')").fetchone() == (None,)
    assert len(made) == 1


def test_after_an_error_nobody_gets_it(made):
    with pytest.raises(RuntimeError), instances.in_memory(None):
        raise RuntimeError
    with instances.in_memory(None) as con:
        assert con.execute("select 1").fetchone() == (1,)
    assert len(made) == 2
    with pytest.raises(duckdb.ConnectionException):
        made[0].execute("select 1")


def test_a_folder_that_was_written_to_goes_with_its_instance(made, tmp_path):
    aside = tmp_path / "aside"
    with instances.in_memory(aside) as con:
        con.execute("set memory_limit = '60MB'")
        con.execute(
            "create table t as select range x, random() r, repeat('a', 90) from range(900000)"
        )
        assert con.execute("from t order by r limit 1 offset 800000").fetchone()
        assert any(aside.iterdir())
    assert not aside.exists()
    with instances.in_memory(tmp_path / "another") as con:
        assert con.execute("select current_setting('memory_limit')").fetchone() != ("57.2 MiB",)
    assert len(made) == 2


def test_no_more_than_some_are_kept(made):
    with ExitStack() as stack:
        for _ in range(6):
            stack.enter_context(instances.in_memory(None))
    (idle,) = instances._idle.values()
    assert len(idle) == instances._MAX_IDLE


DDL = "create schema ops; create table ops.runs (run_id varchar)"


def test_tables_are_made_once_and_lent_without_what_the_last_one_left(made):
    for _ in range(3):
        with instances.with_tables(DDL) as con:
            assert con.execute("select count(*) from ops.runs").fetchone() == (0,)
            con.execute("create temp table kept (x int)")
            with pytest.raises(duckdb.TransactionException, match="read-only"):
                con.execute("insert into ops.runs values ('run-1')")
    assert len(made) == 1
    with instances.with_tables(DDL) as con, instances.with_tables(DDL) as other:
        assert len(made) == 2
        for one in (con, other):
            assert one.execute("select count(*) from ops.runs").fetchone() == (0,)
    with instances.with_tables(DDL) as con, pytest.raises(duckdb.CatalogException):
        con.execute("from kept")
    with instances.with_tables("create table other (x int)") as con:
        assert con.execute("from other").fetchall() == []


def test_tables_are_made_anew_after_a_failure(made):
    with pytest.raises(RuntimeError), instances.with_tables(DDL):
        raise RuntimeError
    with instances.with_tables(DDL) as con:
        assert con.execute("from ops.runs").fetchall() == []
    assert len(made) == 2
