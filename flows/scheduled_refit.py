"""The weekly refit as a deployment runs it: the run spec is a file, read when the run begins.

A schedule so follows the spec that is on disk today, and a rejected fit shows as what it is: the
flow run ends ``Rejected``, and the webhook is called.
"""

import logging

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.runtime import flow_run as current_run

from flows.endings import end_state
from flows.hooks import dataset_of, notify_failure, notify_rejection
from flows.refit_weekly import refit_dataset
from flows.spec_files import find_file
from schemas.documents.results import RefitReport
from schemas.outcomes import Verdict
from schemas.spec.refit_request import RefitRequest
from schemas.spec.scheduled import ScheduledRefit
from tasks.query.runs import load_spec, locate_data
from tasks.store.redaction import filter_states

filter_states()


def name_run() -> str:
    """Name a flow run by its dataset and its day: what it is about, not where its file lies."""
    parameters = current_run.parameters or {}
    request = parameters.get("request")
    asked = request.get("as_of") if isinstance(request, dict) else getattr(request, "as_of", None)
    due = current_run.scheduled_start_time
    return f"refit {dataset_of(parameters) or 'of an unreadable spec'} {asked or f'{due:%Y-%m-%d}'}"


@flow(
    name="scheduled-refit",
    flow_run_name=name_run,
    on_failure=[notify_failure],
    on_crashed=[notify_failure],
)
def scheduled_refit(request: ScheduledRefit) -> State[RefitReport]:
    """Refit one dataset as its run spec file says today.

    The run ends Completed with the verdict as its message; Review where someone has to look;
    Rejected where a gate rejected the fit and the champion stays; Failed where the data or the spec
    cannot be used.

    Raises
    ------
    MmmError
        As ``refit_weekly``; also if the spec file or the input file cannot be used.
    """
    for name in ("flows", "tasks"):  # Prefect attaches its handler to them, not a level.
        logging.getLogger(name).setLevel(logging.INFO)
    # The body, not the flow: one flow run holds the tasks, and one hook reports of its end.
    report = refit_dataset(_open_request(request))
    if report.verdict is Verdict.FAIL:
        notify_rejection(report, str(current_run.id))
    return end_state(report)


def _open_request(request: ScheduledRefit) -> RefitRequest:
    path = find_file(request.spec_file, parameter="spec_file")
    spec = load_spec(path)
    override = find_file(request.data, parameter="data") if request.data else None
    source = locate_data(spec, spec_path=path, override=override)
    return RefitRequest(
        spec=spec,
        data=str(source) if source else None,
        as_of=request.as_of,
        accept_restatement=request.accept_restatement,
    )
