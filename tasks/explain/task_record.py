"""Explanations on record: found again, and put there."""

from prefect import task
from prefect.cache_policies import NO_CACHE

from schemas.documents.changes import Comparison, ExplainRequest, Explanation, ExplanationRef
from tasks.explain.task_known import read_answer
from tasks.store.files.artifacts import read_document
from tasks.store.home import current_home
from tasks.store.tracking import experiments
from tasks.store.tracking.auxiliary_fits import log_auxiliary_fits_of
from tasks.store.warehouse import connection
from tasks.store.warehouse.changes import write_changes
from tasks.store.warehouse.runs import read_run


@task(name="find-explanation", cache_policy=NO_CACHE)
def find_explanation(comparison: Comparison) -> Explanation | None:
    """Return the answer to the same question on the same runs and code, where it is on record."""
    request = ExplainRequest(run_a=comparison.run_a, run_b=comparison.run_b)
    return read_answer(current_home(), request, comparison.key)


@task(
    name="record-explanation", cache_policy=NO_CACHE, retries=2, retry_delay_seconds=5,
    timeout_seconds=300,
)  # fmt: skip
def record_explanation(ref: ExplanationRef) -> Explanation:
    """Put an explanation on record: fits in MLflow under the later run, rows in the warehouse."""
    home = current_home()
    explanation = read_document(home, ref.file, Explanation)
    parent = read_run(home, explanation.run_b).mlflow_run_id
    if parent is not None:
        log_auxiliary_fits_of(experiments.open_store(home), parent, explanation)
    with connection.writing(home, explanation.dataset_id) as con:
        write_changes(con, explanation)
    return explanation
