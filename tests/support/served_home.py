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
    port = servers.free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "flows.cli.app", "serve", "--port", str(port)],
        env={**os.environ, "MMM_HOME": str(root), "PYTHONPATH": servers.import_path()},
        stdout=subprocess.DEVNULL,
    )
    service = servers.Service("web app", port, "/health", process)
    try:
        servers.require_healthy(service)
        yield service.address
    finally:
        process.terminate()
        process.wait(timeout=60)
