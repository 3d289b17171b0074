"""One real Prefect server for the tests of schedules and deployments, with its scheduler."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest

START_SECONDS = 90


class Server(NamedTuple):
    """A running server: a client of its API, the API's address, its log."""

    client: httpx.Client
    api_url: str
    log: Path

    def created(self, path: str, document: dict[str, Any]) -> Any:
        """Post, and again while a server that has just started says it is too busy."""
        for _ in range(30):
            answer = self.client.post(path, json=document, timeout=30)
            if answer.status_code != httpx.codes.SERVICE_UNAVAILABLE:
                break
            time.sleep(1)
        answer.raise_for_status()
        return answer.json()

    def wait_for(self, look: Callable[[], Any], *, seconds: float, what: str) -> Any:
        """Look until something is found."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            found = look()
            if found:
                return found
            time.sleep(0.5)
        pytest.fail(
            f"no {what} after {seconds} s; the server said:\n{self.log.read_text()[-3000:]}"
        )


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("server")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{probe.getsockname()[1]}"
    log = folder / "server.log"
    environment = {
        **os.environ,
        "PREFECT_HOME": str(folder / "prefect"),
        "PREFECT_SERVER_SERVICES_SCHEDULER_LOOP_SECONDS": "5",
        "NO_PROXY": "127.0.0.1",
    }
    command = [sys.executable, "-m", "uvicorn", "--factory", "prefect.server.api.server:create_app"]
    with log.open("w") as stream:
        process = subprocess.Popen(
            [*command, "--host", "127.0.0.1", "--port", address.rsplit(":", 1)[1],
             "--log-level", "warning"],
            env=environment, stdout=stream, stderr=subprocess.STDOUT,
        )  # fmt: skip
    try:
        with httpx.Client(base_url=f"{address}/api", trust_env=False) as client:
            running = Server(client, f"{address}/api", log)
            running.wait_for(
                lambda: process.poll() is None and _is_healthy(client),
                seconds=START_SECONDS,
                what="healthy server",
            )
            yield running
    finally:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _is_healthy(client: httpx.Client) -> bool:
    try:
        return client.get("/health").status_code == httpx.codes.OK
    except httpx.TransportError:
        return False
