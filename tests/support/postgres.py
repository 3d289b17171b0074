"""A private PostgreSQL cluster on 127.0.0.1: ``python tests/support/postgres.py`` runs one.

Debian's server refuses to run as root, so root runs it as its own user ``postgres``.
"""

import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

HOST = "127.0.0.1"
USER = "mmm"
_PLACES = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/usr/local/pgsql/bin")
_QUICK = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=100")
"""A cluster that lives for a test may lose everything when the machine stops."""


@dataclass(frozen=True)
class Cluster:
    """A running server with a user of its own."""

    port: int
    password: str

    def address(self, database: str, *, driver: str) -> str:
        """Address of a database for SQLAlchemy."""
        return f"postgresql+{driver}://{USER}:{self.password}@{HOST}:{self.port}/{database}"

    def query(self, database: str, sql: str) -> list[tuple[object, ...]]:
        import psycopg

        place = f"host={HOST} port={self.port} user={USER} password={self.password}"
        with psycopg.connect(f"{place} dbname={database}") as connection:
            return list(connection.execute(sql).fetchall())

    def create(self, database: str) -> None:
        import psycopg

        place = f"host={HOST} port={self.port} user={USER} password={self.password}"
        with psycopg.connect(f"{place} dbname=postgres", autocommit=True) as connection:
            connection.execute(f"create database {database}")


def find_programs() -> Path | None:
    """Folder of ``initdb`` and ``pg_ctl``, the newest version; None where there is none."""
    named = shutil.which("initdb")
    folders = [folder for pattern in _PLACES for folder in Path("/").glob(pattern.lstrip("/"))]
    found = sorted(folder for folder in folders if (folder / "initdb").is_file())
    if found:
        return found[-1]
    return Path(named).parent if named else None


def why_not() -> str | None:
    """Say why no cluster can be started here; None where it can."""
    from importlib.util import find_spec

    if find_programs() is None:
        return "PostgreSQL's server is not installed (Debian: postgresql)"
    if find_spec("psycopg") is None:
        return "psycopg is not installed (the extra `postgres`)"
    if os.geteuid() == 0 and shutil.which("runuser") is None:
        return "root cannot run PostgreSQL, and runuser is not there"
    return None


@contextmanager
def running_cluster() -> Iterator[Cluster]:
    """Make a cluster in a temporary folder, run it, and remove it."""
    programs = find_programs()
    assert programs is not None
    # Not under the test's own folder: another user could not reach it there.
    folder = Path(tempfile.mkdtemp(prefix="mmm-postgres-"))
    as_other = os.geteuid() == 0
    prefix = ["runuser", "-u", "postgres", "--"] if as_other else []
    cluster = Cluster(_free_port(), secrets.token_hex(16))
    data = folder / "data"
    password_file = folder / "password"
    password_file.write_text(cluster.password)
    if as_other:
        shutil.chown(folder, "postgres")
        shutil.chown(password_file, "postgres")

    def run(*command: str) -> None:
        subprocess.run(
            [*prefix, str(programs / command[0]), *command[1:]],
            check=True, cwd=folder, stdout=subprocess.DEVNULL, timeout=120,
        )  # fmt: skip

    options = " ".join(
        [f"-p {cluster.port}", f"-k {folder}", f"-c listen_addresses={HOST}",
         *(f"-c {setting}" for setting in _QUICK)]
    )  # fmt: skip
    try:
        run("initdb", "-D", str(data), "-U", USER, "--auth=scram-sha-256", "-E", "UTF8",
            f"--pwfile={password_file}", "--no-sync")  # fmt: skip
        run("pg_ctl", "-D", str(data), "-w", "-l", str(folder / "log"), "-o", options, "start")
        try:
            yield cluster
        finally:
            run("pg_ctl", "-D", str(data), "-w", "-m", "fast", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    reason = why_not()
    if reason:
        sys.exit(reason)
    with running_cluster() as running:
        sys.stdout.write(f"{running.address('postgres', driver='psycopg')}\nEnter ends it.\n")
        sys.stdout.flush()
        sys.stdin.readline()
