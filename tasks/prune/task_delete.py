"""Delete the files of one run because a person asks for it; tables in the warehouse stay."""

from datetime import UTC, datetime

from schemas.answers.pruning import ItemKind, Pruning
from schemas.documents.results import ENDED, RunRecord
from schemas.errors import IncomparableRunsError
from tasks.store.files.items import open_files
from tasks.store.home import current_home
from tasks.store.locks import BRIEF_WAIT_SECONDS, dataset_lock
from tasks.store.runs.retention_facts import gather_facts
from tasks.store.warehouse.prunings import finish_pruning, mark_prunings
from tasks.store.warehouse.runs import read_run


def delete_run(run_id: str) -> Pruning:
    """Remove the files of a run, here and in MLflow; what it published stays in the warehouse.

    Returns
    -------
    Pruning
        What was removed, as the history of prunings has it.

    Raises
    ------
    UnknownRunError
        If there is no such run.
    IncomparableRunsError
        If it is champion, or has not ended.
    ResourceUnavailableError
        If a refit of the dataset is running.
    """
    home = current_home()
    record = read_run(home, run_id)
    _require_ended(record)  # before the lock, which a run at work holds itself
    with dataset_lock(home, record.dataset_id, wait_seconds=BRIEF_WAIT_SECONDS):
        record = read_run(home, run_id)
        facts = gather_facts(home, record.dataset_id)
        if record.model_version is not None and record.model_version in facts.champions:
            raise IncomparableRunsError(
                f"Run {run_id} is champion of {record.dataset_id}; go back to another version "
                "first, then delete it."
            )
        _require_ended(record)
        files = open_files(home, record.dataset_id)
        row = Pruning(
            dataset_id=record.dataset_id, kind=ItemKind.RUN, item_id=run_id,
            n_bytes=files.measure(ItemKind.RUN, run_id), reason="deleted by a person",
            decided_at=datetime.now(UTC),
        )  # fmt: skip
        mark_prunings(home, [row])
        files.remove(ItemKind.RUN, run_id, row.decided_at)
        finish_pruning(home, row, datetime.now(UTC))
    return row


def _require_ended(record: RunRecord) -> None:
    if record.status not in ENDED:
        raise IncomparableRunsError(
            f"Run {record.run_id} is {record.status}; cancel it first, then delete it."
        )
