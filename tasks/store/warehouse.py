"""The DuckDB warehouse: one writer at a time, readers open it read-only.

Belongs here: opening the file, its DDL, transactions.
Does not: SQL of one concern (``warehouse_canonical``, ``warehouse_runs``).
"""

import importlib.resources
import logging
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager

import duckdb

from schemas.errors import ResourceUnavailableError
from tasks.store.home import Home

log = logging.getLogger(__name__)

WAIT_SECONDS = 120.0
"""How long a second writer waits before it gives up."""


@contextmanager
def writing(
    home: Home, *, wait_seconds: float = WAIT_SECONDS
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the warehouse for one transaction: committed as a whole, or rolled back as a whole.

    Raises
    ------
    ResourceUnavailableError
        If another process holds the file for longer than ``wait_seconds``.
    """
    home.warehouse.parent.mkdir(parents=True, exist_ok=True)
    with _connect(home, read_only=False, wait_seconds=wait_seconds) as con:
        con.execute(_ddl())
        con.execute("begin transaction")
        try:
            yield con
        except BaseException:
            con.execute("rollback")
            raise
        con.execute("commit")


@contextmanager
def reading(
    home: Home, *, wait_seconds: float = WAIT_SECONDS
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the warehouse read-only; a table that it lacks, or all of it, reads as an empty one."""
    if home.warehouse.exists():
        with _connect(home, read_only=True, wait_seconds=wait_seconds) as con:
            if _has_every_table(con):
                yield con
                return
    with writing(home, wait_seconds=wait_seconds):
        log.info("made the tables that the warehouse %s did not have", home.warehouse)
    with _connect(home, read_only=True, wait_seconds=wait_seconds) as con:
        yield con


def _ddl() -> str:
    return importlib.resources.files("schemas.sql").joinpath("warehouse.sql").read_text()


def _has_every_table(con: duckdb.DuckDBPyConnection) -> bool:
    """Tell whether the file has all that this version reads: an earlier one may have made it."""
    wanted = set(re.findall(r"create table if not exists (\S+)", _ddl()))
    rows = con.execute("select schema_name || '.' || table_name from duckdb_tables()").fetchall()
    return wanted <= {row[0] for row in rows}


def _connect(home: Home, *, read_only: bool, wait_seconds: float) -> duckdb.DuckDBPyConnection:
    deadline = time.monotonic() + wait_seconds
    told = False
    while True:
        try:
            con = duckdb.connect(str(home.warehouse), read_only=read_only)
        except (duckdb.IOException, duckdb.ConnectionException) as error:
            # DuckDB has no error code for a lock; its text is the only sign.
            if "lock" not in str(error).lower() and "configuration" not in str(error).lower():
                raise
            if time.monotonic() > deadline:
                raise ResourceUnavailableError(
                    f"The warehouse {home.warehouse} is held by another process for more than "
                    f"{wait_seconds:.0f} s; wait for it to end, then run again."
                ) from error
            if not told:
                log.warning(
                    "the warehouse is held by another process; waiting up to %.0f s", wait_seconds
                )
                told = True
            time.sleep(0.2)
        else:
            con.execute("set autoinstall_known_extensions = false")
            return con
