"""One writer at a time; a transaction is whole or absent."""

import subprocess
import sys
import time
from collections.abc import Iterator

import duckdb
import pytest

from schemas.errors import ResourceUnavailableError
from tasks.store import warehouse

INSERT = (
    "insert into canonical.kpi values "
    "('d', ?, date '2026-11-09', 'sales', 1.0, 'b1', date '2026-11-09')"
)
HOLD = """
import sys, time, duckdb
con = duckdb.connect(sys.argv[1])
print("held", flush=True)
time.sleep(float(sys.argv[2]))
"""


def entities(home) -> list[str]:
    with warehouse.reading(home) as con:
        return [row[0] for row in con.execute("select entity_id from canonical.kpi").fetchall()]


def insert_then_raise(home, error: BaseException) -> None:
    with warehouse.writing(home) as con:
        con.execute(INSERT, ["lost"])
        raise error


@pytest.fixture
def hold(home) -> Iterator:
    """Hold the warehouse in another process for some seconds."""
    processes = []

    def start(seconds: float) -> None:
        process = subprocess.Popen(
            [sys.executable, "-c", HOLD, str(home.warehouse), str(seconds)],
            stdout=subprocess.PIPE,
            text=True,
        )
        processes.append(process)
        assert process.stdout.readline() == "held\n"

    home.warehouse.parent.mkdir(parents=True)
    yield start
    for process in processes:
        process.kill()
        process.wait()
        process.stdout.close()


def test_a_block_that_ends_is_committed(home):
    with warehouse.writing(home) as con:
        con.execute(INSERT, ["acme"])
    assert entities(home) == ["acme"]


def test_a_block_that_raises_is_rolled_back_as_a_whole(home):
    with warehouse.writing(home) as con:
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
    with warehouse.writing(home) as con:
        con.execute(INSERT, [hostile])
    assert entities(home) == [hostile]


def test_an_absent_warehouse_reads_as_an_empty_one(home):
    assert entities(home) == []


def test_a_reader_cannot_write(home):
    with (
        warehouse.reading(home) as con,
        pytest.raises(duckdb.InvalidInputException, match="read-only"),
    ):
        con.execute(INSERT, ["acme"])


def test_the_tables_can_be_made_twice(home):
    for entity in ("a", "b"):
        with warehouse.writing(home) as con:
            con.execute(INSERT, [entity])
    assert sorted(entities(home)) == ["a", "b"]


def test_no_extension_is_fetched_from_the_network(home):
    with warehouse.writing(home) as con:
        setting = "select current_setting('autoinstall_known_extensions')"
        assert con.execute(setting).fetchone() == (False,)


def test_a_second_writer_gives_up_with_a_clear_message(home, hold):
    hold(60)
    started = time.monotonic()
    with (
        pytest.raises(ResourceUnavailableError, match="held by another process") as caught,
        warehouse.writing(home, wait_seconds=0.5),
    ):
        pass
    assert time.monotonic() - started < 10
    assert caught.value.exit_code == 4


def test_a_second_writer_waits_for_the_first(home, hold):
    hold(1.0)
    with warehouse.writing(home, wait_seconds=30) as con:
        con.execute(INSERT, ["second"])
    assert entities(home) == ["second"]


def test_a_file_that_is_no_warehouse_is_not_taken_for_a_lock(home):
    home.warehouse.parent.mkdir(parents=True)
    home.warehouse.write_bytes(b"not a database" * 1000)
    with pytest.raises(duckdb.Error), warehouse.writing(home, wait_seconds=60):
        pass


def test_a_warehouse_of_an_earlier_version_gains_the_tables_it_lacks_and_keeps_its_rows(home):
    with warehouse.writing(home) as con:
        con.execute(INSERT, ["kept"])
        con.execute("drop table mart.forecasts")
    with warehouse.reading(home) as con:
        assert con.execute("select count(*) from mart.forecasts").fetchone() == (0,)
    assert entities(home) == ["kept"]


def test_reading_does_not_write_a_warehouse_that_has_every_table(home):
    with warehouse.writing(home) as con:
        con.execute(INSERT, ["kept"])
    before = home.warehouse.read_bytes()
    assert entities(home) == ["kept"]
    assert home.warehouse.read_bytes() == before
