"""One writer at a time; a transaction is whole or absent; a reader never waits."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from schemas.errors import CorruptArtifactError, ResourceUnavailableError
from tasks.store.warehouse import connection, files
from tasks.store.warehouse.across import ask_all
from tasks.store.warehouse.places import previous_of, warehouse_of

ROOT = Path(__file__).resolve().parents[4]
INSERT = (
    "insert into canonical.kpi values "
    "('d', ?, date '2026-11-09', 'sales', 1.0, 'b1', date '2026-11-09')"
)
WRITE = """
import sys, time
from pathlib import Path
from tasks.store.home import Home
from tasks.store.warehouse import connection, files
with connection.writing(Home(Path(sys.argv[1])), "d") as con:
    con.execute(sys.argv[2], ["written"])
    print("written", flush=True)
    time.sleep(60)
"""
HOLD = """
import sys, time, duckdb
con = duckdb.connect(sys.argv[1])
print("held", flush=True)
time.sleep(float(sys.argv[2]))
"""


def entities(home) -> list[str]:
    with connection.reading(home, "d") as con:
        return [row[0] for row in con.execute("select entity_id from canonical.kpi").fetchall()]


def insert_then_raise(home, error: BaseException) -> None:
    with connection.writing(home, "d") as con:
        con.execute(INSERT, ["lost"])
        raise error


@pytest.fixture
def beside() -> Iterator:
    """Run a program beside the test until it has printed its first line."""
    processes = []

    def start(program: str, *arguments: str) -> subprocess.Popen:
        process = subprocess.Popen(
            [sys.executable, "-c", program, *arguments],
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        processes.append(process)
        assert process.stdout.readline()
        return process

    yield start
    for process in processes:
        process.kill()
        process.wait()
        process.stdout.close()


@pytest.fixture
def hold(home, beside):
    """Let another program have the warehouse open for writing for some seconds."""
    home.warehouses.mkdir(parents=True)
    return lambda seconds: beside(HOLD, str(warehouse_of(home, "d")), str(seconds))


def test_a_block_that_ends_is_committed(home):
    with connection.writing(home, "d") as con:
        con.execute(INSERT, ["acme"])
    assert entities(home) == ["acme"]


def test_a_block_that_raises_is_rolled_back_as_a_whole(home):
    with connection.writing(home, "d") as con:
        con.execute(INSERT, ["before"])
    with pytest.raises(RuntimeError, match="half way"):
        insert_then_raise(home, RuntimeError("half way"))
    assert entities(home) == ["before"]


def test_an_interrupt_is_rolled_back_too(home):
    with pytest.raises(KeyboardInterrupt):
        insert_then_raise(home, KeyboardInterrupt())
    assert entities(home) == []


def test_a_hostile_entity_is_just_a_name(home):
    hostile = "x'); DROP TABLE kpi;--"
    with connection.writing(home, "d") as con:
        con.execute(INSERT, [hostile])
    assert entities(home) == [hostile]


def test_an_absent_warehouse_reads_as_an_empty_one_and_is_not_made(home):
    assert entities(home) == []
    assert list(home.root.iterdir()) == []


def test_a_reader_cannot_write(home):
    with connection.writing(home, "d") as con:
        con.execute(INSERT, ["kept"])
    with (
        connection.reading(home, "d") as con,
        pytest.raises(duckdb.InvalidInputException, match="read-only"),
    ):
        con.execute(INSERT, ["acme"])


def test_the_tables_can_be_made_twice(home):
    for entity in ("a", "b"):
        with connection.writing(home, "d") as con:
            con.execute(INSERT, [entity])
    assert sorted(entities(home)) == ["a", "b"]


def test_no_extension_is_fetched_from_the_network(home):
    with connection.writing(home, "d") as con:
        setting = "select current_setting('autoinstall_known_extensions')"
        assert con.execute(setting).fetchone() == (False,)


def test_a_second_writer_gives_up_with_a_clear_message(home, hold):
    hold(60)
    started = time.monotonic()
    with (
        pytest.raises(ResourceUnavailableError, match="locked by another process") as caught,
        connection.writing(home, "d", wait_seconds=0.5),
    ):
        pass
    assert time.monotonic() - started < 10
    assert caught.value.exit_code == 4


def test_a_second_writer_waits_for_the_first(home, hold):
    hold(1.0)
    with connection.writing(home, "d", wait_seconds=30) as con:
        con.execute(INSERT, ["second"])
    assert entities(home) == ["second"]


def test_a_file_that_is_no_warehouse_is_not_taken_for_a_lock(home):
    home.warehouses.mkdir(parents=True)
    warehouse_of(home, "d").write_bytes(b"not a database" * 1000)
    with (
        pytest.raises(CorruptArtifactError, match="is damaged"),
        connection.writing(home, "d", wait_seconds=60),
    ):
        pass


def test_a_warehouse_of_an_earlier_version_gains_the_tables_it_lacks_and_keeps_its_rows(home):
    with connection.writing(home, "d") as con:
        con.execute(INSERT, ["kept"])
        con.execute("drop table mart.forecasts")
    with connection.reading(home, "d") as con:
        assert con.execute("select count(*) from mart.forecasts").fetchone() == (0,)
    assert entities(home) == ["kept"]


def test_reading_does_not_write_a_warehouse_that_has_every_table(home):
    with connection.writing(home, "d") as con:
        con.execute(INSERT, ["kept"])
    before = warehouse_of(home, "d").read_bytes()
    assert entities(home) == ["kept"]
    assert warehouse_of(home, "d").read_bytes() == before


def test_a_reader_sees_the_last_commit_at_once_while_another_process_writes(home, beside):
    with connection.writing(home, "d") as con:
        con.execute(INSERT, ["committed"])
    writer = beside(WRITE, str(home.root), INSERT)
    started = time.monotonic()
    assert entities(home) == ["committed"]
    assert time.monotonic() - started < 2
    assert writer.poll() is None, "the writer is still inside its transaction"


def test_a_writer_that_is_killed_leaves_the_last_commit_and_no_copy_for_long(home, beside):
    with connection.writing(home, "d") as con:
        con.execute(INSERT, ["committed"])
    writer = beside(WRITE, str(home.root), INSERT)
    writer.kill()
    writer.wait()
    copy = next(home.warehouses.glob("*.partial"))
    spilled = copy.with_name(f"{copy.name}.tmp")  # what a large write had no memory for
    spilled.mkdir()
    (spilled / "duckdb_temp_storage").write_bytes(b"rows")
    assert entities(home) == ["committed"]
    with connection.writing(home, "d", wait_seconds=5) as con:
        con.execute(INSERT, ["next"])
    assert sorted(entities(home)) == ["committed", "next"]
    assert {path.name for path in home.warehouses.iterdir()} == {
        "d.duckdb",
        ".d.duckdb.sha256",
        "d.previous.duckdb",
        "d.lock",
    }


def test_the_many_tables_of_a_new_warehouse_are_small(home):
    with connection.writing(home, "d") as con:
        con.execute(INSERT, ["one"])
    assert warehouse_of(home, "d").stat().st_size < 400_000


def test_a_warehouse_with_the_large_blocks_of_earlier_versions_stays_as_it_is(home):
    path = warehouse_of(home, "d")
    path.parent.mkdir(parents=True)
    with duckdb.connect(str(path)) as con:
        con.execute(files.ddl())
        con.execute(INSERT, ["before"])
    with connection.writing(home, "d") as con:
        con.execute(INSERT, ["after"])
    with connection.writing(home, "new") as con:
        con.execute(INSERT, ["beside"])
    question = "select entity_id, (select max(block_size) from pragma_database_size()) "
    question += "from canonical.kpi order by all"
    rows = ask_all(home, question)
    assert rows == [("after", 262144), ("before", 262144), ("beside", 16384)]


def test_two_writers_take_turns(home, beside):
    beside(WRITE, str(home.root), INSERT)
    with (
        pytest.raises(ResourceUnavailableError, match="locked by another process"),
        connection.writing(home, "d", wait_seconds=0.5),
    ):
        pass


def test_what_another_program_committed_before_it_was_killed_is_not_lost(home, beside):
    with connection.writing(home, "d"):
        pass
    program = """
import duckdb, sys, time
con = duckdb.connect(sys.argv[1])
con.execute(sys.argv[2], ["by hand"])
print("written", flush=True)
time.sleep(60)
"""
    other = beside(program, str(warehouse_of(home, "d")), INSERT)
    other.kill()
    other.wait()
    assert (home.warehouses / "d.duckdb.wal").exists()
    with connection.writing(home, "d", wait_seconds=5) as con:
        con.execute(INSERT, ["ours"])
    assert sorted(entities(home)) == ["by hand", "ours"]


def test_a_block_that_raises_leaves_the_file_as_it_was(home):
    with connection.writing(home, "d") as con:
        con.execute(INSERT, ["before"])
    before = warehouse_of(home, "d").read_bytes()
    with pytest.raises(OSError, match="No space left"):
        insert_then_raise(home, OSError(28, "No space left on device"))
    assert warehouse_of(home, "d").read_bytes() == before


def test_what_a_reader_puts_aside_is_for_nobody_else(home):
    with connection.writing(home, "d") as con:
        con.execute(INSERT, ["acme"])
    path = warehouse_of(home, "d")
    with files.opened(path, wait_seconds=1) as con, files.opened(path, wait_seconds=1) as beside:
        assert spill_of(con) != spill_of(beside)
        private = Path(spill_of(con)).parent
    assert private.stat().st_mode & 0o777 == 0o700
    assert not private.is_relative_to(home.root)


def spill_of(con) -> str:
    return con.execute("select current_setting('temp_directory')").fetchone()[0]


def test_a_write_keeps_the_state_before_where_a_disk_changed_what_it_would_copy(home):
    """Else the next write would make the damaged file the state that a repair puts back."""
    for entity in ("first", "second"):
        with connection.writing(home, "d") as con:
            con.execute("delete from canonical.kpi")
            con.execute(INSERT, [entity])
    path = warehouse_of(home, "d")
    with duckdb.connect(str(path)) as con:
        con.execute("create table main.beside as select range as n from range(200000)")
        con.execute("checkpoint")
    with connection.writing(home, "d") as con:
        con.execute(INSERT, ["third"])
    assert entities(home) == ["second", "third"], "what another program writes is no damage"
    kept = previous_of(path).read_bytes()
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with (
        pytest.raises(CorruptArtifactError, match="`mmm repair` puts back"),
        connection.writing(home, "d"),
    ):
        pytest.fail("it wrote onto a damaged file")
    assert previous_of(path).read_bytes() == kept


def spill_folder(monkeypatch, tmp_path) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return files.private_folder.__wrapped__()


def test_all_readers_of_a_user_spill_into_one_folder_that_nobody_else_opens(monkeypatch, tmp_path):
    first, second = spill_folder(monkeypatch, tmp_path), spill_folder(monkeypatch, tmp_path)
    assert first == second
    assert first.stat().st_mode & 0o777 == 0o700
    assert [path.name for path in tmp_path.iterdir()] == [first.name]


@pytest.mark.parametrize("how", ["a link", "open to all"])
def test_a_folder_that_somebody_else_prepared_is_not_spilled_into(monkeypatch, tmp_path, how):
    prepared = tmp_path / f"mmm-reading-{os.geteuid()}"
    if how == "a link":
        (tmp_path / "elsewhere").mkdir(mode=0o700)
        prepared.symlink_to(tmp_path / "elsewhere")
    else:
        prepared.mkdir()
        prepared.chmod(0o777)
    folder = spill_folder(monkeypatch, tmp_path)
    assert folder != prepared
    assert folder.stat().st_mode & 0o777 == 0o700
