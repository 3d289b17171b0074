"""Things that go wrong beneath a refit, as real as a test can have them."""

import ctypes
import os
import resource
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tasks.store.warehouse import across, connection

CAPABILITY_VERSION = 0x20080522
CAP_DAC_OVERRIDE = 1 << 1
"""The right to write against permissions; capabilities(7)."""
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
def read_only(folder: Path) -> Iterator[None]:
    """Take the right to write from a folder and all in it; for root too, as far as it goes."""
    modes = {path: path.stat().st_mode for path in (folder, *folder.rglob("*"))}
    for path in modes:
        path.chmod(0o555 if path.is_dir() else 0o444)
    try:
        with _bound_by_permissions():
            yield
    finally:
        for path, mode in modes.items():
            path.chmod(mode)


@contextmanager
def _bound_by_permissions() -> Iterator[None]:
    """Let permissions hold for root as they do for everybody else, in this thread.

    Root stays who it is and may read everything, so that it finds its own files wherever the
    checkout lies: another user could not enter a private folder.
    """
    if os.geteuid() != 0:
        yield
        return
    if not sys.platform.startswith("linux"):
        pytest.skip("root may write everywhere, and only Linux lets a thread do without that right")
    libc = ctypes.CDLL(None, use_errno=True)
    thread = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION, 0)
    rights = (ctypes.c_uint32 * 6)()  # effective, permitted, inheritable, and their upper halves
    _require_done(libc.capget(thread, rights))
    before = rights[0]
    rights[0] = before & ~CAP_DAC_OVERRIDE
    _require_done(libc.capset(thread, rights))
    try:
        yield
    finally:
        rights[0] = before
        _require_done(libc.capset(thread, rights))


def _require_done(code: int) -> None:
    if code != 0:
        raise OSError(ctypes.get_errno(), "the rights of this thread cannot be read or changed")


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
    monkeypatch.setattr(across, "WAIT_SECONDS", seconds)
    openers = (
        connection.writing.__wrapped__,
        connection.reading.__wrapped__,
        across._Opener.__init__,
    )
    for opening in openers:
        monkeypatch.setitem(opening.__kwdefaults__, "wait_seconds", seconds)


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
