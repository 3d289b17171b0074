"""Servers end with the process that started them; a taken port is reported before any start."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from flows.services import servers, ui
from flows.services.prefect_batches import prefect_batches
from flows.services.service_logs import log_path
from schemas.errors import ResourceUnavailableError

CHECKOUT = Path(__file__).resolve().parents[3]
SERVER = [sys.executable, "-m", "http.server", "--bind", servers.HOST]


def is_alive(port):
    with socket.socket() as probe:
        return probe.connect_ex((servers.HOST, port)) == 0


def wait_for(condition, seconds=15):
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.05)
    return condition()


def start(port):
    return servers.start_service("a server", [*SERVER, str(port)], port=port, health_path="/")


def test_a_server_answers_and_ends(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    service = start(servers.free_port())
    servers.require_healthy(service, seconds=30)
    assert is_alive(service.port)
    service.close()
    service.close()
    assert not is_alive(service.port)


def test_a_server_that_ends_while_starting_is_reported():
    service = servers.start_service(
        "a server", [sys.executable, "-c", "raise SystemExit(3)"], port=1, health_path="/"
    )
    with pytest.raises(ResourceUnavailableError, match="ended while starting"):
        servers.require_healthy(service, seconds=30)


def test_what_a_server_prints_goes_to_its_file_and_into_the_error(home, capfd):
    path = log_path("A server")
    for said in ("first time", "why it ended"):
        service = servers.start_service(
            "A server", [sys.executable, "-c", f"print({said!r}); raise SystemExit(3)"],
            port=1, health_path="/", log=path,
        )  # fmt: skip
        with pytest.raises(ResourceUnavailableError, match=said):
            servers.require_healthy(service, seconds=30)
    assert capfd.readouterr() == ("", "")
    assert path.read_text() == "why it ended\n"
    assert path.with_name("a-server.log.1").read_text() == "first time\n"
    assert path.stat().st_mode & 0o077 == 0


def test_a_killed_parent_leaves_no_server(tmp_path):
    port = servers.free_port()
    script = (
        "import time; from flows.services import servers\n"
        f"s = servers.start_service('x', {[*SERVER, str(port)]!r}, port={port}, health_path='/')\n"
        "servers.require_healthy(s); time.sleep(60)\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", script], cwd=CHECKOUT, stderr=subprocess.DEVNULL
    )
    assert wait_for(lambda: is_alive(port), 30)
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    assert wait_for(lambda: not is_alive(port)), "the server outlived its parent"


def test_a_taken_port_is_reported_before_anything_starts(home):
    with socket.socket() as taken:
        taken.bind((servers.HOST, 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ResourceUnavailableError, match=rf"Port {port}.*--prefect-port"):
            ui.start_ui(prefect_port=port, mlflow_port=servers.free_port(), app_port=8050)


def test_the_web_app_needs_a_free_port_before_anything_starts(home):
    with socket.socket() as taken:
        taken.bind((servers.HOST, 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ResourceUnavailableError, match=rf"Port {port}.*--app-port"):
            ui.start_ui(
                prefect_port=servers.free_port(), mlflow_port=servers.free_port(), app_port=port
            )


def test_a_store_behind_a_server_is_asked_and_gets_no_second_one(home, monkeypatch):
    """``mmm ui`` takes the MLflow that is named; one that is not there is reported."""
    port = servers.free_port()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://{servers.HOST}:{port}")
    started = []
    monkeypatch.setattr(ui, "start_prefect_server", lambda *_: started.append("prefect"))
    with pytest.raises(ResourceUnavailableError, match="MLFLOW_TRACKING_URI"):
        ui.start_ui(
            prefect_port=servers.free_port(),
            mlflow_port=servers.free_port(),
            app_port=servers.free_port(),
        )
    assert not started


def test_the_pages_of_a_server_are_named_and_not_started(home, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "health").write_text("OK")
    mlflow = start(servers.free_port())
    servers.require_healthy(mlflow, seconds=30)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", mlflow.address)
    monkeypatch.setattr(ui, "start_prefect_server", lambda _: start(servers.free_port()))
    monkeypatch.setattr(ui, "work_pools", list)
    monkeypatch.setattr(ui, "register_deployments", lambda _: None)
    monkeypatch.setattr(ui, "start_mlflow_ui", lambda _: pytest.fail("a second MLflow"))
    try:
        started = ui.start_ui(
            prefect_port=servers.free_port(), mlflow_port=mlflow.port, app_port=servers.free_port()
        )
        assert [service.name for service in started][1:] == ["web app"]
        servers.close_all(started)
        assert is_alive(mlflow.port), "what was not started here is not ended here"
    finally:
        mlflow.close()


def test_batches_are_settings_that_prefect_knows_and_the_environment_comes_first(monkeypatch):
    from prefect.settings import get_current_settings

    monkeypatch.setenv("PREFECT_SERVER_SERVICES_EVENT_PERSISTER_BATCH_SIZE", "7")
    for name, value in prefect_batches().items():
        monkeypatch.setenv(name, value)
    fresh = type(get_current_settings())()
    services = fresh.server.services
    assert services.task_run_recorder.batch_size == 200
    assert services.task_run_recorder.flush_interval == 2
    assert services.event_persister.batch_size == 7


def test_a_named_prefect_server_needs_no_ephemeral_one(monkeypatch):
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:1/api")
    assert servers.start_ephemeral_api() is None
