"""What ``mmm ui`` runs: web app, Prefect server, MLflow UI, a worker with deployments registered.

Belongs here: their commands and the order in which they start.
Does not: how a child process starts, answers and ends (``flows.services.servers``).
"""

import os
import subprocess
import sys
from pathlib import Path

import yaml

from flows.services import servers
from flows.services.guard import allowed_names
from flows.services.guarded import PORT_VARIABLE
from flows.services.prefect_batches import prefect_batches
from flows.services.servers import HOST, Service
from flows.services.service_logs import log_path
from schemas.errors import ResourceUnavailableError
from tasks.lifecycle.task import require_services
from tasks.store.credential import api_credential
from tasks.store.home import (
    CHECKOUT,
    LOCAL_PAGES,
    PAGES_VARIABLE,
    PREFECT_PAGES_VARIABLE,
    current_home,
)

DEPLOYMENTS = CHECKOUT / "prefect.yaml"
REGISTER_SECONDS = 180.0
MLFLOW_APP = "steady-mmm"
"""Entry point of ``flows.services.guarded:mlflow_app`` (pyproject.toml)."""
WORKER = "mmm-ui"
"""Name of the worker. A fixed one, so that a restart takes the place of what was there before."""


def start_ui(*, prefect_port: int, mlflow_port: int, app_port: int) -> list[Service]:
    """Start everything; returns when all pages answer and the worker takes runs.

    Returns
    -------
    list[Service]
        Prefect server, MLflow UI unless the store has a server of its own, the web app, a worker
        per work pool.

    Raises
    ------
    ResourceUnavailableError
        If a port is taken, a server does not come up, or the deployments cannot be registered;
        nothing is left running.
    """
    servers.require_free_port(prefect_port, option="--prefect-port", name="Prefect server")
    servers.require_free_port(app_port, option="--app-port", name="web app")
    if current_home().is_tracking_served:
        require_services()
    else:
        servers.require_free_port(mlflow_port, option="--mlflow-port", name="MLflow UI")
    started: list[Service] = []
    try:
        started.append(start_prefect_server(prefect_port))
        if not current_home().is_tracking_served:
            started.append(start_mlflow_ui(mlflow_port))
        servers.require_healthy(started[0])
        api_url = f"{started[0].address}/api"
        pages = f"http://{HOST}:{mlflow_port}"
        started.append(start_app(app_port, api_url, pages))
        started.extend(start_worker(pool, api_url, pages) for pool in work_pools())
        for service in started[1:]:
            servers.require_healthy(service)
        register_deployments(api_url)
    except BaseException:
        servers.close_all(started)
        raise
    return started


def start_prefect_server(port: int) -> Service:
    """Start Prefect's server with its pages and its scheduler."""
    return servers.start_service(
        "Prefect server",
        servers.prefect_command(port),
        port=port,
        log=log_path("Prefect server"),
        health_path="/api/health",
        # Else the pages would ask the default port, whatever the server listens on.
        env={
            **servers.prefect_locks(port),
            **prefect_batches(),
            "PREFECT_SERVER_UI_API_URL": f"http://{HOST}:{port}/api",
        },
    )


def start_mlflow_ui(port: int) -> Service:
    """Start MLflow's pages on the store of this home."""
    home = current_home()
    home.mlruns.mkdir(parents=True, exist_ok=True)
    return servers.start_service(
        "MLflow UI",
        [sys.executable, "-m", "mlflow", "server", "--workers", "1", "--app-name", MLFLOW_APP,
         "--host", HOST, "--port", str(port),
         "--allowed-hosts", ",".join(mlflow_hosts(port)),
         "--cors-allowed-origins", ",".join(servers.own_origins(port)),
         "--backend-store-uri", home.tracking_uri,
         "--default-artifact-root", str(home.mlruns / "artifacts")],
        port=port,
        log=log_path("MLflow UI"),
        health_path="/health",
        env={PORT_VARIABLE: str(port)},
    )  # fmt: skip


def start_app(port: int, api_url: str, mlflow_pages: str) -> Service:
    """Start the web app and the REST API; the jobs that they start talk to Prefect at ``api_url``.

    Links lead to MLflow at ``mlflow_pages``, unless its store has a server of its own.
    As on every loopback address, everybody on this machine may ask until the first token is made.
    """
    return servers.start_service(
        "web app",
        [sys.executable, "-m", "flows.services.api", str(port)],
        port=port,
        log=log_path("web app"),
        health_path="/health",
        env={
            "PREFECT_API_URL": api_url,
            PAGES_VARIABLE: mlflow_pages,
            PREFECT_PAGES_VARIABLE: api_url.removesuffix("/api"),
            servers.AUTH_VARIABLE: api_credential(current_home()),
            "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "INFO",  # its pages show the logs of jobs
        },
    )


def mlflow_hosts(port: int) -> list[str]:
    """Return the ``Host`` headers that MLflow answers to; by itself it takes all private ones."""
    further = [host for name in allowed_names() for host in (name, f"{name}:*")]
    return [f"{HOST}:{port}", f"localhost:{port}", *further]


def start_worker(pool: str, api_url: str, mlflow_pages: str = LOCAL_PAGES) -> Service:
    """Start a worker, which makes its work pool if there is none; a flow run is its child.

    Prefect's worker writes into a folder of the system's temporary one that all users would share,
    and the first of them own; so it gets a temporary folder of the home.
    """
    port = servers.free_port()
    temporary = current_home().root / ".prefect" / "tmp"
    temporary.mkdir(parents=True, exist_ok=True)
    return servers.start_service(
        f"worker of {pool}",
        # Installing nothing and making the pool itself: `prefect work-pool create` would ask a
        # registry on the internet for types of pools.
        _prefect("worker", "start", "--pool", pool, "--type", "process", "--name", WORKER,
                 "--install-policy", "never", "--with-healthcheck"),
        port=port,
        log=log_path(f"worker of {pool}"),
        health_path="/health",
        env={
            "PREFECT_API_URL": api_url,
            PAGES_VARIABLE: mlflow_pages,
            servers.AUTH_VARIABLE: api_credential(current_home()),
            "PREFECT_WORKER_WEBSERVER_HOST": HOST,
            "PREFECT_WORKER_WEBSERVER_PORT": str(port),
            "TMPDIR": str(temporary),
        },
    )  # fmt: skip


def register_deployments(api_url: str, *, deployments: Path = DEPLOYMENTS) -> None:
    """Register all deployments; those that are there already are updated.

    Raises
    ------
    ResourceUnavailableError
        If Prefect refuses one of them.
    """
    command = _prefect("--no-prompt", "deploy", "--all", "--prefect-file", str(deployments))
    done = subprocess.run(  # noqa: S603 - commands are built here, from no outside text
        command,
        cwd=CHECKOUT,  # where entrypoints are, and where flow runs will be
        env={
            **os.environ,
            "PREFECT_API_URL": api_url,
            servers.AUTH_VARIABLE: api_credential(current_home()),
        },
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=REGISTER_SECONDS,
        check=False,
    )
    if done.returncode:
        raise ResourceUnavailableError(
            f"The deployments of {deployments} could not be registered; Prefect says:\n"
            f"{done.stdout.strip()}\nMend the file, and run again."
        )


def work_pools(deployments: Path = DEPLOYMENTS) -> list[str]:
    """Return the work pools that the deployments name, each once."""
    document = yaml.safe_load(deployments.read_text(encoding="utf-8"))
    return sorted({deployment["work_pool"]["name"] for deployment in document["deployments"]})


def _prefect(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "prefect", *arguments]
