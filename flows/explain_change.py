"""Why returns changed between two runs: both laid side by side, auxiliary fits, an answer."""

from prefect import flow

from flows.auxiliary_fits import try_fits
from schemas.documents.changes import ExplainRequest, Explanation
from tasks.explain.task import (
    answer_explanation,
    begin_explanation,
    compare_runs,
    explanation_folder,
    throw_away,
)
from tasks.explain.task_record import find_explanation, record_explanation
from tasks.store.redaction import filter_states

filter_states()


@flow(name="explain-change", flow_run_name="explain-{request.run_b}")
def explain_change(request: ExplainRequest) -> Explanation:
    """Split each channel's change between two accepted runs of one dataset.

    Parameters
    ----------
    request
        The earlier and the later run.

    Returns
    -------
    Explanation
        The same question on the same runs and code is answered from record.

    Raises
    ------
    UnknownRunError, IncomparableRunsError
        If a run is unknown or was not accepted, files are gone, or the two cannot be compared.
    """
    steps = begin_explanation(request)
    try:
        comparison = compare_runs(request, steps)
        known = find_explanation(comparison)
        if known is not None:
            return known
        tried = try_fits(comparison, steps)
        explanation = answer_explanation(comparison, tried, explanation_folder(request))
        return record_explanation(explanation)
    finally:
        throw_away(steps)
