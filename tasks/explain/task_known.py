"""What is asked of two runs and whether it was answered before: no Prefect, no fit is opened."""

import logging

from pydantic import ValidationError

from schemas.documents.changes import ExplainRequest, Explanation
from schemas.names import Artifact
from tasks.explain.plan import require_two_of_one_dataset
from tasks.store.home import Home, current_home
from tasks.store.runs.compared import ComparedRun, open_compared, read_accepted
from tasks.store.runs.resume import input_digest

log = logging.getLogger(__name__)


def find_answer(request: ExplainRequest) -> Explanation | None:
    """Return the answer to the same question on the same runs and code, where it is on record.

    Raises
    ------
    UnknownRunError, IncomparableRunsError
        If a run is unknown or was not accepted, the two are one or of two datasets, or files are
        gone.
    """
    home = current_home()
    then, now = (read_accepted(home, run_id) for run_id in (request.run_a, request.run_b))
    require_two_of_one_dataset(then, now)
    key = question_key(*(open_compared(home, record) for record in (then, now)))
    return read_answer(home, request, key)


def read_answer(home: Home, request: ExplainRequest, key: str) -> Explanation | None:
    """Return the complete answer of that key, asked for by hand or made by the later refit."""
    folders = (home.explanation_dir(request.run_a, request.run_b), home.run_dir(request.run_b))
    for path in (folder / Artifact.CHANGE for folder in folders):
        if not path.is_file():
            continue
        try:
            known = Explanation.model_validate_json(path.read_text(encoding="utf-8"))
        except ValidationError:
            log.warning("%s is not whole; the change is explained again", path)
            continue
        if known.key == key and known.is_complete:
            log.info("this change was explained before; no fit is made")
            return known.model_copy(update={"is_on_record": True})
    return None


def question_key(then: ComparedRun, now: ComparedRun) -> str:
    """Return the key of a question by content: both fits, both specs, both panels, and the code."""
    files = [
        ref
        for run in (then, now)
        for ref in (
            run.source.posterior,
            run.source.roi_metrics,
            run.snapshot.wide,
            run.snapshot.column_info,
        )
    ]
    specs = [run.source.spec for run in (then, now)]
    return input_digest("explain", {"files": files, "specs": specs})
