"""Servers the product starts by itself, among them the ephemeral Prefect API.

Belongs here: ports, health and the end of child processes, all on 127.0.0.1.
Does not: what ``mmm ui`` serves (``flows.services.ui``); settings of Prefect or MLflow that hold
for every process (``tasks.store.home``).
Invariant: no server outlives the process that started it (``flows.services.watched``).
"""

import atexit
import logging
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from flows.services.guard import LOOPBACK_NAMES
from flows.services.guarded import PORT_VARIABLE
from flows.services.prefect_batches import prefect_batches
from flows.services.service_logs import opened_anew, tell_end
from schemas.errors import ResourceUnavailableError
from tasks.store.credential import api_credential
from tasks.store.home import current_home

log = logging.getLogger(__name__)

HOST = "127.0.0.1"
AUTH_VARIABLE = "PREFECT_API_AUTH_STRING"
"""Prefect's own name for the credential that a client shows."""
HEALTH_SECONDS = 120.0
"""How long a server may take to answer; a cold start on a busy machine needs most of a minute."""


@dataclass(frozen=True)
class Service:
    """One server that runs beside this process."""

    name: str
    port: int
    health_path: str
    process: "subprocess.Popen[bytes]"
    log: Path | None = None
    """File that takes what it prints; None: our own standard error."""

    @property
    def address(self) -> str:
        """Where a browser finds it."""
        return f"http://{HOST}:{self.port}"

    def close(self) -> None:
        """End the server; a second call does nothing."""
        if self.process.stdin is not None and not self.process.stdin.closed:
            self.process.stdin.close()
        try:
            self.process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def start_service(
    name: str,
    command: Sequence[str],
    *,
    port: int,
    health_path: str,
    env: Mapping[str, str] | None = None,
    log: Path | None = None,
) -> Service:
    """Start a server that ends with this process.

    Its output goes to the file ``log``, without one to our standard error. Returns at once;
    ``require_healthy`` waits.

    Raises
    ------
    StorageError
        If the file cannot be written.
    """
    with opened_anew(log) as output:
        process = subprocess.Popen(  # noqa: S603 - commands are built here, from no outside text
            [sys.executable, "-m", "flows.services.watched", *command],
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=output,
            env={**os.environ, "PYTHONPATH": import_path(), **(env or {})},
            start_new_session=True,
        )
    return Service(name=name, port=port, health_path=health_path, process=process, log=log)


def require_healthy(service: Service, *, seconds: float = HEALTH_SECONDS) -> None:
    """Wait until the server answers.

    Raises
    ------
    ResourceUnavailableError
        If it ends, or does not answer in time; the server is ended.
    """
    deadline = time.monotonic() + seconds
    while not _answers(service.address + service.health_path):
        ended = service.process.poll() is not None
        if ended or time.monotonic() > deadline:
            service.close()
            state = "ended while starting" if ended else f"did not answer within {seconds:.0f} s"
            raise ResourceUnavailableError(
                f"{service.name} on {service.address} {state}. Free the port or choose another, "
                f"and run again. {tell_end(service.log)}"
            )
        time.sleep(0.1)


def start_ephemeral_api() -> Service | None:
    """Start Prefect's ephemeral API early, so that its start overlaps with heavy imports.

    Prefect would start it at the first flow call and wait there. The command is Prefect's own
    (``SubprocessASGIServer``), without importing Prefect's server code into this process. Call it
    before Prefect is imported: its background threads see the environment, not a context.

    Returns
    -------
    Service | None
        None if Prefect's settings name a server.
    """
    if names_an_api():
        present_credential()
        return None
    port = free_port()
    service = start_service(
        "Prefect's ephemeral API",
        prefect_command(port),
        port=port,
        health_path="/api/health",
        env={
            **prefect_locks(port),
            **prefect_batches(),
            "PREFECT_SERVER_SERVICES_TRIGGERS_ENABLED": "false",  # it has no automations
            "PREFECT_UI_ENABLED": "0",
            "PREFECT__SERVER_EPHEMERAL": "1",
        },
    )
    os.environ["PREFECT_API_URL"] = f"{service.address}/api"
    os.environ[AUTH_VARIABLE] = api_credential(current_home())
    # It serves no pages, so log lines must not point at any.
    os.environ.setdefault("PREFECT_UI_URL", "")
    # Registered before Prefect is imported, so it runs after Prefect has sent its last logs.
    atexit.register(service.close)
    return service


def prefect_command(port: int) -> list[str]:
    """Return the command that serves Prefect behind the guard, as its own command line would."""
    return [
        sys.executable, "-m", "uvicorn", "--factory", "flows.services.guarded:prefect_app",
        "--host", HOST, "--port", str(port), "--log-level", "error", "--lifespan", "on",
    ]  # fmt: skip


def prefect_locks(port: int) -> dict[str, str]:
    """Return the settings under which Prefect answers only who holds this home's credential."""
    return {
        "PREFECT_SERVER_API_AUTH_STRING": api_credential(current_home()),
        "PREFECT_SERVER_CSRF_PROTECTION_ENABLED": "true",
        "PREFECT_SERVER_CORS_ALLOWED_ORIGINS": ",".join(own_origins(port)),
        "PREFECT__SERVER_FINAL": "1",
        PORT_VARIABLE: str(port),
    }


def own_origins(port: int) -> list[str]:
    """Return the origins of the pages that a server on ``port`` serves itself."""
    return [f"http://{HOST}:{port}", f"http://localhost:{port}"]


def present_credential() -> None:
    """Show this home's credential to a Prefect API on loopback, unless another one is set.

    ``mmm ui`` serves such an API. A server elsewhere never gets it.
    """
    named = urlsplit(os.environ.get("PREFECT_API_URL", ""))
    if named.hostname in LOOPBACK_NAMES and AUTH_VARIABLE not in os.environ:
        os.environ[AUTH_VARIABLE] = api_credential(current_home())


def require_prefect_api(service: Service | None) -> None:
    """Wait for the ephemeral API, or check the one that Prefect's settings name.

    Raises
    ------
    ResourceUnavailableError
        If it does not answer.
    """
    if service is not None:
        require_healthy(service)
        return
    from prefect.settings import PREFECT_API_URL

    named = PREFECT_API_URL.value()
    if named:
        _require_reachable(named)


def wait_until_one_ends(services: Sequence[Service]) -> None:
    """Block while all services run.

    Raises
    ------
    ResourceUnavailableError
        Naming the one that ended.
    """
    while True:
        for service in services:
            if service.process.poll() is not None:
                raise ResourceUnavailableError(
                    f"{service.name} on {service.address} ended by itself. {tell_end(service.log)}"
                )
        time.sleep(0.5)


def close_all(services: Sequence[Service]) -> None:
    """End all services, side by side."""
    for service in services:
        if service.process.stdin is not None and not service.process.stdin.closed:
            service.process.stdin.close()
    for service in services:
        service.close()


def free_port() -> int:
    """Return a port on 127.0.0.1 that nobody uses now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def require_free_port(port: int, *, option: str, name: str) -> None:
    """Raise if another program listens on ``port``.

    Raises
    ------
    ResourceUnavailableError
        With the option that chooses another port.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As the servers do: a port whose last owner has just gone may be used again.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise ResourceUnavailableError(
                f"Port {port} for the {name} is taken ({error.strerror}); stop the program that "
                f"uses it (perhaps another `mmm ui`), or choose another with {option}."
            ) from error


def names_an_api() -> bool:
    """Say whether environment, profile or a settings file names an API, without asking Prefect."""
    if os.environ.get("PREFECT_API_URL"):
        return True
    profiles = Path(os.environ.get("PREFECT_HOME", "")) / "profiles.toml"
    files = (profiles, Path("prefect.toml"), Path(".env"))
    texts = [path.read_text(encoding="utf-8", errors="replace") for path in files if path.is_file()]
    return any("PREFECT_API_URL" in text or "[api]" in text for text in texts)


def _require_reachable(api_url: str) -> None:
    try:
        urllib.request.urlopen(f"{api_url.rstrip('/')}/health", timeout=5).close()  # noqa: S310 - the user's own setting
    except urllib.error.HTTPError:
        return  # It answers; whether it lets us in is for Prefect to say.
    except (OSError, ValueError) as error:
        raise ResourceUnavailableError(
            f"The Prefect API at {api_url} (PREFECT_API_URL) does not answer: {error}. "
            "Start it, or unset PREFECT_API_URL to run without a server."
        ) from error


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as response:  # noqa: S310 - always 127.0.0.1
            return int(response.status) == 200
    except (OSError, ValueError):
        return False


def import_path() -> str:
    """Import path under which a child finds this package, installed or not."""
    ours = str(Path(__file__).resolve().parents[2])
    inherited = os.environ.get("PYTHONPATH")
    return f"{ours}{os.pathsep}{inherited}" if inherited else ours
