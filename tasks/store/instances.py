"""DuckDB without a file of its own: instances that wait for whoever needs one next.

Belongs here: making an instance, lending it, taking it back clean. Does not: what is asked of it.
Invariant: who borrows one is alone in it, and leaves nothing in it: no table, no file, no setting.

DuckDB takes 14 ms of processor time to make an instance, and 1 ms to open a file in one that is
there. A refit opens a warehouse or a landed file some sixty times. It takes as long to make the
tables of a warehouse; the first check of a dataset, which has none, asks for them four times.
"""

import atexit
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

_MAX_IDLE = 4
"""As many as one question needs at once, and some for threads beside it."""
_OWN = "own"
_idle: dict[int, list[duckdb.DuckDBPyConnection]] = {}
"""By process: the threads of an instance stay behind where a process forks."""
_idle_with_tables: dict[tuple[int, str], list[duckdb.DuckDBPyConnection]] = {}
"""By process and DDL."""


@contextmanager
def in_memory(aside: Path | None) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open an empty database in memory, which fetches nothing from the network.

    Parameters
    ----------
    aside
        Folder for what it has no memory for, made when it is needed; None where there is none. By
        itself DuckDB would take the folder that a command was started in.
    """
    idle = _idle.setdefault(os.getpid(), [])
    instance = _take(idle)
    try:
        instance.execute("set temp_directory = ?", [str(aside or "")])
        with instance.cursor() as con:
            con.execute(f"attach ':memory:' as {_OWN}")
            use_own(con)
            yield con
    except BaseException:
        # After an error of DuckDB's own an instance answers nothing any more.
        instance.close()
        raise
    if len(idle) < _MAX_IDLE and _is_clean(instance):
        idle.append(instance)
    else:
        instance.close()


@contextmanager
def with_tables(ddl: str) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a database in memory that has the tables of a DDL without rows, to be read alone.

    A transaction that may not write lets the next one who borrows it find the same.
    """
    idle = _idle_with_tables.setdefault((os.getpid(), ddl), [])
    try:
        instance = idle.pop()
    except IndexError:
        instance = _made_with(ddl)
    try:
        with instance.cursor() as con:
            use_own(con)
            con.execute("begin transaction read only")
            yield con
            con.execute("rollback")
    except BaseException:
        instance.close()
        raise
    if len(idle) < _MAX_IDLE:
        idle.append(instance)
    else:
        instance.close()


def use_own(con: duckdb.DuckDBPyConnection) -> None:
    """Let names of tables mean those of the database in memory again."""
    con.execute(f"use {_OWN}")


def _take(idle: list[duckdb.DuckDBPyConnection]) -> duckdb.DuckDBPyConnection:
    try:
        return idle.pop()
    except IndexError:
        return _new()


def _new() -> duckdb.DuckDBPyConnection:
    instance = duckdb.connect()
    instance.execute("set autoinstall_known_extensions = false")
    return instance


def _made_with(ddl: str) -> duckdb.DuckDBPyConnection:
    instance = _new()
    instance.execute("set temp_directory = ''")
    instance.execute(f"attach ':memory:' as {_OWN}")
    use_own(instance)
    instance.execute(ddl)
    return instance


def _is_clean(instance: duckdb.DuckDBPyConnection) -> bool:
    """Close what was opened in an instance; False where that cannot be, or it wrote aside."""
    try:
        # Refused where the folder was used: that goes with the instance.
        instance.execute("set temp_directory = ''")
        attached = instance.execute(
            "select database_name from duckdb_databases() "
            "where not internal and database_name <> 'memory'"
        ).fetchall()
        for (name,) in attached:
            instance.execute(f'detach "{name}"')
    except duckdb.Error:
        return False
    return True


@atexit.register
def _close_all() -> None:
    # Open ones would be reported as leaks when Python ends.
    own = os.getpid()
    prepared = [pool for (process, _), pool in _idle_with_tables.items() if process == own]
    for pool in (_idle.pop(own, []), *prepared):
        while pool:
            pool.pop().close()
