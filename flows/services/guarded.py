"""The servers of Prefect and MLflow behind the guard, as factories for uvicorn.

Belongs here: wrapping their applications. Does not: commands, ports and settings
(``flows.services.ui``, ``flows.services.servers``).
"""

import os

from flows.collector import spare_collector
from flows.services.guard import App, Guard, allowed_names
from tasks.store.credential import api_credential
from tasks.store.home import current_home

PORT_VARIABLE = "MMM_SERVED_PORT"
"""How the process that starts a server says which port it serves."""


def prefect_app() -> App:
    """Return Prefect's API and pages; its own switches come from the environment."""
    spare_collector()
    from prefect.server.api.server import create_app

    from flows.services.prefect_door import with_door

    return _guarded(with_door(create_app()))


def mlflow_app() -> App:
    """Return MLflow's API and pages, which ask for the home's credential.

    Its command has put its settings into the environment.
    """
    spare_collector()
    from mlflow.server.fastapi_app import app

    from flows.services.credentials import asking_for

    return _guarded(asking_for(api_credential(current_home()), app))


def _guarded(app: App) -> Guard:
    return Guard(app, port=int(os.environ[PORT_VARIABLE]), names=allowed_names())
