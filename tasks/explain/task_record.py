"""Explanations on record: found again, and put there."""

import logging

from prefect import task
from prefect.cache_policies import NO_CACHE
from pydantic import ValidationError

from schemas.documents.changes import Comparison, Explanation, ExplanationRef
from schemas.names import Artifact
from tasks.store.files.artifacts import read_document
from tasks.store.home import current_home
from tasks.store.tracking import experiments
from tasks.store.tracking.auxiliary_fits import log_auxiliary_fits_of
from tasks.store.warehouse import connection
from tasks.store.warehouse.changes import write_changes
from tasks.store.warehouse.runs import read_run

log = logging.getLogger(__name__)


@task(name="find-explanation", cache_policy=NO_CACHE)
def find_explanation(comparison: Comparison) -> Explanation | None:
    """Return the answer to the same question on the same runs and code, where it is on record."""
    home = current_home()
    for folder in (
        home.explanation_dir(comparison.run_a, comparison.run_b),
        home.run_dir(comparison.run_b),
    ):
        path = folder / Artifact.CHANGE
        if not path.is_file():
            continue
        try:
            known = Explanation.model_validate_json(path.read_text(encoding="utf-8"))
        except ValidationError:
            log.warning("%s is not whole; the change is explained again", path)
            continue
        if known.key == comparison.key and known.is_complete:
            log.info("this change was explained before; no fit is made")
            return known.model_copy(update={"is_on_record": True})
    return None


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
    with connection.writing(home) as con:
        write_changes(con, explanation)
    return explanation
