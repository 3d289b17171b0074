"""The servers of Prefect and MLflow behind the guard, as factories for uvicorn.

Belongs here: wrapping their applications. Does not: commands, ports and settings
(``flows.services.ui``, ``flows.services.servers``).
"""

import os

from flows.services.guard import App, Guard, allowed_names

PORT_VARIABLE = "MMM_SERVED_PORT"
"""How the process that starts a server says which port it serves."""


def prefect_app() -> App:
    """Return Prefect's API and pages; its own switches come from the environment."""
    from prefect.server.api.server import create_app

    return _guarded(create_app())


def mlflow_app() -> App:
    """Return MLflow's API and pages; its command has put its settings into the environment."""
    from mlflow.server.fastapi_app import app

    return _guarded(app)


def _guarded(app: App) -> Guard:
    return Guard(app, port=int(os.environ[PORT_VARIABLE]), names=allowed_names())
