"""What a person decides: who is champion, what is accepted, which files go."""

from datetime import UTC, datetime

from schemas.answers.champions import AcceptRequest, RollbackRequest
from schemas.answers.decisions import DecidedChampion
from schemas.answers.pruning import ItemKind, Pruning
from schemas.errors import IncomparableRunsError
from tasks.lifecycle import task_jobs


def roll_back(dataset_id: str, asked: RollbackRequest) -> DecidedChampion:
    """Give the champion alias to another version.

    Raises
    ------
    MmmError
        As ``tasks.publish.task_rollback.roll_back``.
    """
    from tasks.publish.task_rollback import roll_back as decide

    return DecidedChampion.of(decide(dataset_id, to=asked.to, reason=asked.reason))


def delete_run(run_id: str) -> Pruning:
    """Delete the files of a run; of one that ended before it began, that it was asked for.

    Raises
    ------
    MmmError
        As ``tasks.prune.task_delete.delete_run``; where it waits or runs, too.
    """
    from tasks.prune.task_delete import delete_run as delete

    job = task_jobs.find_job(run_id)
    if job is not None and not job.state.is_over:
        raise IncomparableRunsError(
            f"Run {run_id} is {job.state}; cancel it first, then delete it."
        )
    if job is None or task_jobs.find_record(run_id) is not None:
        deleted = delete(run_id)
    else:
        deleted = Pruning(
            dataset_id=job.dataset_id or "", kind=ItemKind.RUN, item_id=run_id, n_bytes=0,
            reason="deleted by a person", decided_at=datetime.now(UTC),
        )  # fmt: skip
    if job is not None:
        task_jobs.forget_job(run_id)
    return deleted


def accept(asked: AcceptRequest) -> DecidedChampion:
    """Accept what stands against a run under REVIEW.

    Raises
    ------
    MmmError
        As ``tasks.publish.task_rollback.accept_run``.
    """
    from tasks.publish.task_rollback import accept_run

    return DecidedChampion.of(accept_run(asked.run_id, reason=asked.reason))
