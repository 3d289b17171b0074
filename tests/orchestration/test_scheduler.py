"""A real Prefect server must create scheduled runs.

With SQLAlchemy 2.1, Prefect 3.8 starts, serves and runs flows, but its scheduler never inserts a
run; nothing but a missing weekly refit would tell. So this test looks.
"""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

pytestmark = pytest.mark.orchestration

START_SECONDS = 90
SCHEDULE_SECONDS = 60


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(look: Callable[[], Any], *, seconds: float, what: str, log: Path) -> Any:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = look()
        if found:
            return found
        time.sleep(0.5)
    pytest.fail(f"no {what} after {seconds} s; the server said:\n{log.read_text()[-3000:]}")


@pytest.fixture
def api(tmp_path: Path) -> Iterator[tuple[httpx.Client, Path]]:
    port, log = free_port(), tmp_path / "server.log"
    environment = {
        **os.environ,
        "PREFECT_HOME": str(tmp_path / "prefect"),
        "PREFECT_SERVER_SERVICES_SCHEDULER_LOOP_SECONDS": "5",
        "NO_PROXY": "127.0.0.1",
    }
    command = [sys.executable, "-m", "uvicorn", "--factory", "prefect.server.api.server:create_app"]
    with log.open("w") as stream:
        server = subprocess.Popen(
            [*command, "--host", "127.0.0.1", "--port", str(port), "--log-level", "warning"],
            env=environment,
            stdout=stream,
            stderr=subprocess.STDOUT,
        )
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}/api", trust_env=False) as client:
            wait_for(
                lambda: server.poll() is None and _is_healthy(client),
                seconds=START_SECONDS,
                what="healthy server",
                log=log,
            )
            yield client, log
    finally:
        server.terminate()
        try:
            server.wait(15)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _is_healthy(client: httpx.Client) -> bool:
    try:
        return client.get("/health").status_code == 200
    except httpx.TransportError:
        return False


def created(client: httpx.Client, path: str, document: dict[str, Any]) -> Any:
    """Post, and again while a server that has just started says it is too busy."""
    for _ in range(30):
        answer = client.post(path, json=document, timeout=30)
        if answer.status_code != httpx.codes.SERVICE_UNAVAILABLE:
            break
        time.sleep(1)
    answer.raise_for_status()
    return answer.json()


def test_a_cron_deployment_gets_scheduled_runs(api):
    client, log = api
    flow = created(client, "/flows/", {"name": "weekly"})
    cron = {"schedule": {"cron": "0 6 * * 1", "timezone": "UTC"}, "active": True}
    deployment = created(
        client, "/deployments/", {"name": "acme", "flow_id": flow["id"], "schedules": [cron]}
    )
    wanted = {
        "deployments": {"id": {"any_": [deployment["id"]]}},
        "flow_runs": {"state": {"type": {"any_": ["SCHEDULED"]}}},
    }
    runs = wait_for(
        lambda: created(client, "/flow_runs/filter", wanted),
        seconds=SCHEDULE_SECONDS,
        what="scheduled run",
        log=log,
    )
    assert all(run["state"]["type"] == "SCHEDULED" for run in runs)
