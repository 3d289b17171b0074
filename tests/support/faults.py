"""Things that go wrong beneath a refit, as real as a test can have them."""

import os
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tasks.store.warehouse import connection

NOBODY = 65534
HOLD = """
import sys, duckdb
con = duckdb.connect(sys.argv[1])
print("held", flush=True)
sys.stdin.read()
"""


@contextmanager
def full_disk(free_bytes: int) -> Iterator[None]:
    """Let the kernel refuse to write a file beyond so many bytes, in this process."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (free_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@contextmanager
def read_only_copy(folder: Path) -> Iterator[Path]:
    """Copy a folder to where this process may read and not write; root becomes nobody for it."""
    # Not below pytest's own folder, which nobody else may enter.
    room = Path(tempfile.mkdtemp(prefix="mmm-read-only-"))
    copy = room / "home"
    shutil.copytree(folder, copy)
    for path in (room, copy, *copy.rglob("*")):
        path.chmod(0o555 if path.is_dir() else 0o444)
    is_root = os.geteuid() == 0
    if is_root:
        os.seteuid(NOBODY)
    try:
        yield copy
    finally:
        if is_root:
            os.seteuid(0)
        for path in (room, copy, *copy.rglob("*")):
            path.chmod(0o755)
        shutil.rmtree(room)


@contextmanager
def held_by_another(database: Path) -> Iterator[None]:
    """Let a program that is not ours hold a DuckDB file open for writing."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(database)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert process.stdout.readline() == "held\n"
        yield
    finally:
        process.kill()
        process.communicate()


def dead_server() -> str:
    """Return an address on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}"


def flip_a_byte(path: Path) -> None:
    """Change one byte in the middle of a file."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)


def wait_no_longer(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """Let readers and writers of the warehouse give up after so many seconds."""
    for opening in (connection.writing, connection.reading):
        monkeypatch.setitem(opening.__wrapped__.__kwdefaults__, "wait_seconds", seconds)


def set_clock(monkeypatch: pytest.MonkeyPatch, by: timedelta) -> None:
    """Set the clock of every module of ours forward or back."""

    class Shifted(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime.now(tz) + by

    for name, module in list(sys.modules.items()):
        ours = name.partition(".")[0] in {"flows", "tasks"}
        if ours and getattr(module, "datetime", None) is datetime:
            monkeypatch.setattr(module, "datetime", Shifted)
