"""Where a run is shown by the services beside this one: MLflow, Prefect."""

import os
from typing import NamedTuple

from tasks.store.home import (
    PREFECT_DOOR,
    PREFECT_PAGES_VARIABLE,
    current_home,
    public_address,
)
from tasks.store.runs.champions import find_record
from tasks.store.runs.status import find_status_file
from tasks.store.tracking.local_registry import local_experiment_of
from tasks.store.tracking.server import run_address


class ServiceLink(NamedTuple):
    """One page of another service."""

    name: str
    href: str


def links_of(run_id: str) -> list[ServiceLink]:
    """Return the pages of a run elsewhere; those alone whose service this home names.

    MLflow's is that of the run, once it was published to a store of this home, else of its server.
    Prefect's is that of the flow run, or the list where it is not known.
    """
    home, found = current_home(), []
    record = find_record(home, run_id)
    pages = home.known_tracking_pages
    if pages and record is not None and record.mlflow_run_id:
        experiment = local_experiment_of(home, record.mlflow_run_id)
        page = run_address(home, experiment, record.mlflow_run_id) if experiment else pages
        found.append(ServiceLink("MLflow", page))
    known = find_status_file(home, run_id)
    made_by = known.flow_run_id if known else None
    prefect = _prefect_page(f"/runs/flow-run/{made_by}" if made_by else "/runs")
    return [*found, ServiceLink("Prefect", prefect)] if prefect else found


def _prefect_page(path: str) -> str | None:
    """Return where a page of Prefect is: past the door of those that we serve."""
    if served := os.environ.get(PREFECT_PAGES_VARIABLE):
        return f"{served}{PREFECT_DOOR}?to={path}"
    named = os.environ.get("PREFECT_UI_URL") or os.environ.get("PREFECT_API_URL")
    return public_address(named).removesuffix("/api") + path if named else None
