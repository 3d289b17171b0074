"""Flow runs of brands whose process died: they cannot say so themselves, and would run for ever."""

import logging

from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterName,
    FlowRunFilterState,
    FlowRunFilterStateType,
    FlowRunFilterTags,
)
from prefect.client.schemas.objects import StateType
from prefect.states import Crashed

log = logging.getLogger(__name__)


def tag_of(portfolio_run_id: str) -> str:
    """Return the tag of the flow runs of a portfolio's brands."""
    return f"portfolio:{portfolio_run_id}"


def close_flow_runs(portfolio_run_id: str, dataset_id: str, reason: str) -> int:
    """Let the flow run of a dead brand end Crashed; return how many there were.

    A server that does not answer changes nothing that the brand came to.
    """
    dead = FlowRunFilter(
        name=FlowRunFilterName(any_=[f"refit-{dataset_id}"]),
        tags=FlowRunFilterTags(all_=[tag_of(portfolio_run_id)]),
        state=FlowRunFilterState(
            type=FlowRunFilterStateType(any_=[StateType.RUNNING, StateType.PENDING])
        ),
    )
    try:
        with get_client(sync_client=True) as client:
            runs = client.read_flow_runs(flow_run_filter=dead)
            for run in runs:
                client.set_flow_run_state(run.id, Crashed(message=reason), force=True)
    except Exception as error:
        log.warning("the flow run of %s could not be ended in Prefect: %s", dataset_id, error)
        return 0
    return len(runs)
