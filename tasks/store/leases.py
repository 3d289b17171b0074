"""Leases: who works on what, told to every machine that shares a home.

A file lock holds on one machine; many shared folders pass it on to no other. Where ``MMM_LEASES``
names a database, whoever has taken a file lock takes a row there, too, and renews it. A holder
whose row does not change for ``LEASE_SECONDS`` is dead, or stopped, and loses it; whoever waits
measures that by its own clock, so clocks of machines need not agree. A row of a dead process on
this machine is taken at once: that its file lock is free says that it is dead.
Invariant: rows are compared and swapped in one statement each, so two can never take one.
"""

import logging
import os
import socket
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from schemas.errors import ResourceUnavailableError
from tasks.store.home import Home

if TYPE_CHECKING:
    from sqlalchemy import Engine, Table

log = logging.getLogger(__name__)

LEASE_SECONDS = 90.0
"""How long a row may stay as it is before its holder has lost it."""
RENEW_SECONDS = 15.0
_POLL_SECONDS = 0.5
_held: dict[tuple[str, str], "Lease"] = {}
"""Leases of this process, by database and name."""


class Row(NamedTuple):
    """A lease as the database has it."""

    name: str
    token: str
    place: str
    holder: str
    since: datetime
    renewed: int
    """How often; a number, since clocks of machines differ."""


@contextmanager
def leased(home: Home, name: str, *, what: str, wait_seconds: float) -> Iterator[None]:
    """Hold a lease; nothing where no database of leases is named.

    Parameters
    ----------
    home
        The home that machines share.
    name
        Of the lease. Its file lock is held by the caller.
    what
        What it protects, as the begin of a sentence.
    wait_seconds
        How long another holder is waited for.

    Raises
    ------
    ResourceUnavailableError
        If another holder renews it for longer than ``wait_seconds``, or there is no database.
    """
    if home.leases is None:
        yield
        return
    with _answering():
        lease = _take(home.leases, _place_of(home.locks), name, what, wait_seconds)
    _held[home.leases, name] = lease
    try:
        with lease.renewed_in_background():
            yield
    finally:
        del _held[home.leases, name]
        lease.give_back()


def require_held(home: Home, name: str) -> None:
    """Raise if this process has taken a lease and lost it, as one does that was stopped.

    Raises
    ------
    ResourceUnavailableError
        Then nothing may be written: another machine has begun.
    """
    lease = _held.get((home.leases or "", name))
    if lease is not None and not lease.renew():
        raise ResourceUnavailableError(
            f"This process was stopped for more than {LEASE_SECONDS:.0f} s, and has lost {name!r} "
            "to another machine; nothing was written. Run it again."
        )


def dataset_lease(dataset_id: str) -> str:
    """Return the lease of whoever works on a dataset."""
    return f"dataset {dataset_id}"


class Lease:
    """A row that this process holds."""

    def __init__(self, address: str, name: str, token: str) -> None:
        self.address, self.name, self.token = address, name, token

    def renew(self) -> bool:
        """Say that the holder lives; return whether it holds the lease still."""
        engine, table = _opened(self.address)
        mine = (table.c.name == self.name) & (table.c.token == self.token)
        once_more = table.update().where(mine).values(renewed=table.c.renewed + 1)
        with engine.begin() as con:
            return con.execute(once_more).rowcount == 1

    def give_back(self) -> None:
        """Let the next one have it; a database that has gone away only lets it wait."""
        engine, table = _opened(self.address)
        mine = (table.c.name == self.name) & (table.c.token == self.token)
        try:
            with engine.begin() as con:
                con.execute(table.delete().where(mine))
        except Exception as error:
            log.warning("the lease %s could not be given back: %s", self.name, error)

    @contextmanager
    def renewed_in_background(self) -> Iterator[None]:
        """Renew it until the block ends."""
        is_over = threading.Event()

        def keep() -> None:
            while not is_over.wait(RENEW_SECONDS):
                try:
                    self.renew()
                except Exception as error:  # the next time may be in time
                    log.warning("the lease %s could not be renewed: %s", self.name, error)

        thread = threading.Thread(target=keep, name=f"lease {self.name}", daemon=True)
        thread.start()
        try:
            yield
        finally:
            is_over.set()
            thread.join()


def _take(address: str, place: str, name: str, what: str, wait_seconds: float) -> Lease:
    """Take a lease that nobody has, or that its holder has lost; wait for it."""
    began = unchanged_since = time.monotonic()
    seen: Row | None = None
    while True:
        mine = _new_row(name, place)
        if _insert(address, mine):
            return Lease(address, name, mine.token)
        found = _read(address, name)
        if found is None:
            continue
        now = time.monotonic()
        if seen is None or (found.token, found.renewed) != (seen.token, seen.renewed):
            if seen is None and found.place != place:
                log.warning("%s is held by %s; waiting for it", what, found.holder)
            seen, unchanged_since = found, now
        is_dead = found.place == place or now - unchanged_since > LEASE_SECONDS
        if is_dead and _swap(address, found, mine):
            return Lease(address, name, mine.token)
        if now - began > wait_seconds:
            raise ResourceUnavailableError(
                f"{what} is held by another machine for more than {wait_seconds:.0f} s: "
                f"{found.holder}, since {found.since:%Y-%m-%d %H:%M:%S} UTC. Wait for it to end, "
                "or end it, then run again."
            )
        time.sleep(_POLL_SECONDS)


def _new_row(name: str, place: str) -> Row:
    words = " ".join(Path(part).name for part in sys.argv[:3])
    holder = f"process {os.getpid()} ({words}) on {socket.gethostname()}"
    since = datetime.now(UTC).replace(tzinfo=None)
    return Row(name, uuid.uuid4().hex, place, holder[:300], since, 0)


def _insert(address: str, row: Row) -> bool:
    from sqlalchemy.exc import IntegrityError

    engine, table = _opened(address)
    with suppress(IntegrityError), engine.begin() as con:
        con.execute(table.insert().values(**row._asdict()))
        return True
    return False


def _read(address: str, name: str) -> Row | None:
    engine, table = _opened(address)
    with engine.connect() as con:
        found = con.execute(table.select().where(table.c.name == name)).mappings().first()
    return Row(**found) if found else None


def _swap(address: str, before: Row, after: Row) -> bool:
    """Put a row in the place of one that has not changed; return whether it had not."""
    engine, table = _opened(address)
    same = (
        (table.c.name == before.name)
        & (table.c.token == before.token)
        & (table.c.renewed == before.renewed)
    )
    with engine.begin() as con:
        return con.execute(table.update().where(same).values(**after._asdict())).rowcount == 1


@cache
def _opened(address: str) -> tuple["Engine", "Table"]:
    """Open a database of leases, once in a process, and make its table."""
    import sqlalchemy as sa

    is_file = address.startswith("sqlite")
    waits: dict[str, Any] = {"connect_args": {"timeout": 30}} if is_file else {}
    engine = sa.create_engine(address, poolclass=sa.NullPool, **waits)
    table = sa.Table(
        "mmm_leases",
        sa.MetaData(),
        sa.Column("name", sa.String(300), primary_key=True),
        sa.Column("token", sa.String(32), nullable=False),
        sa.Column("place", sa.String(300), nullable=False),
        sa.Column("holder", sa.String(300), nullable=False),
        sa.Column("since", sa.DateTime(), nullable=False),
        sa.Column("renewed", sa.BigInteger(), nullable=False),
    )
    with suppress(sa.exc.OperationalError, sa.exc.ProgrammingError):  # another has just made it
        table.create(engine, checkfirst=True)
    return engine, table


@contextmanager
def _answering() -> Iterator[None]:
    from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

    try:
        yield
    except (DBAPIError, ArgumentError, NoSuchModuleError) as error:
        said = str(getattr(error, "orig", error)).splitlines()[0]
        raise ResourceUnavailableError(
            f"The database of leases that MMM_LEASES names does not answer ({said}); without it "
            "nobody knows what other machines do."
        ) from error


def _place_of(locks: Path) -> str:
    """Name the machine and its folder of locks: where a file lock tells who is dead."""
    path = locks / ".place"
    if not path.exists():
        locks.mkdir(parents=True, exist_ok=True)
        whole = path.with_name(f".place.{uuid.uuid4().hex[:8]}.partial")
        whole.write_text(uuid.uuid4().hex, encoding="utf-8")
        with suppress(FileExistsError):
            os.link(whole, path)
        whole.unlink()
    return f"{socket.gethostname()}:{path.read_text(encoding='utf-8')}"
