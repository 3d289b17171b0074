"""A home that ``mmm serve`` serves, in a process of its own."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flows.services import servers


@contextmanager
def serve_home(root: Path) -> Iterator[str]:
    """Serve a home and yield the address; the server ends with the block."""
    with serve_process(root) as service:
        yield service.address


@contextmanager
def serve_process(root: Path, port: int | None = None) -> Iterator[servers.Service]:
    """Serve a home and yield the server, which the block may kill; it ends with the block."""
    port = port or servers.free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "flows.cli.app", "serve", "--port", str(port)],
        env={**os.environ, "MMM_HOME": str(root), "PYTHONPATH": servers.import_path()},
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
    )
    service = servers.Service("web app", port, "/health", process)
    try:
        servers.require_healthy(service)
        yield service
    finally:
        process.terminate()
        process.wait(timeout=60)
