"""What Prefect calls when a refit fails or crashes, and what a rejected one calls itself.

One event is reported once: a raised error and a dead process through ``notify_failure``, a
rejection by the flow that got it. After a crash the worker runs the hook in a fresh process, so
nothing is remembered here.
"""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flows.spec_files import find_file
from schemas.documents.results import RefitReport
from schemas.errors import MmmError
from tasks.lifecycle import task_notices as notices
from tasks.query.runs import load_spec

if TYPE_CHECKING:
    from prefect import Flow
    from prefect.client.schemas.objects import FlowRun, State

_PREFIX = "Flow run encountered an exception: "


def notify_failure(flow: "Flow[..., Any]", flow_run: "FlowRun", state: "State[Any]") -> None:
    """Report that a flow run ended Failed or Crashed; Prefect calls it by these argument names."""
    message = (state.message or "no reason is known").removeprefix(_PREFIX)
    notices.notify_failure(
        dataset_of(flow_run.parameters),
        message if state.is_failed() else f"{state.name}: {message}",
        job=flow.name,
        # A worker that reports of a crash holds the flow run as it was before its start.
        since=flow_run.start_time or flow_run.expected_start_time,
        link=link_of(str(flow_run.id)),
    )


def notify_rejection(report: RefitReport, flow_run_id: str | None = None) -> None:
    """Report that a gate rejected the fit."""
    notices.notify_rejection(report, link=link_of(flow_run_id) if flow_run_id else None)


def notify_unstarted(error: Exception, spec_file: Path) -> None:
    """Report what ended a refit before its flow began: a missing file, a spec that is wrong."""
    dataset_id = None
    with suppress(MmmError):  # the spec itself may be what cannot be read
        dataset_id = load_spec(spec_file).dataset_id
    notices.notify_failure(dataset_id, str(error) or type(error).__name__)


def link_of(flow_run_id: str) -> str | None:
    """Address of a flow run in the Prefect UI, or None where no UI is served."""
    from prefect.settings import PREFECT_UI_URL
    from prefect.utilities.urls import url_for

    return url_for("flow-run", obj_id=flow_run_id) if PREFECT_UI_URL.value() else None


def dataset_of(parameters: Mapping[str, Any]) -> str | None:
    """Return the dataset that a flow run is about, or None where its run spec cannot be read."""
    request = parameters.get("request")
    spec_file = _part(request, "spec_file")
    if spec_file:
        try:
            return load_spec(find_file(str(spec_file), parameter="spec_file")).dataset_id
        except MmmError:
            return None
    named = parameters.get("dataset_id") or _part(_part(request, "spec"), "dataset_id")
    return str(named) if named else None


def _part(of: Any, name: str) -> Any:
    """Return a part of a model, or of a model that Prefect has turned into a dict."""
    return of.get(name) if isinstance(of, Mapping) else getattr(of, name, None)
