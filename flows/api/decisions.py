"""What a person decides: who is champion, what is accepted, which files go."""

from schemas.answers.champions import AcceptRequest, RollbackRequest
from schemas.answers.decisions import DecidedChampion
from schemas.answers.pruning import Pruning
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
    """Delete the files of a run.

    Raises
    ------
    MmmError
        As ``tasks.prune.task_delete.delete_run``.
    """
    from tasks.prune.task_delete import delete_run as delete

    deleted = delete(run_id)
    if task_jobs.find_job(run_id) is not None:
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
