"""What routers and pages ask for and change: typed answers in and out, no HTTP."""

from schemas.answers.champions import AcceptRequest, RollbackRequest
from schemas.answers.decisions import DecidedChampion


def roll_back(dataset_id: str, asked: RollbackRequest) -> DecidedChampion:
    """Give the champion alias to another version.

    Raises
    ------
    MmmError
        As ``tasks.publish.task_rollback.roll_back``.
    """
    from tasks.publish.task_rollback import roll_back as decide

    return DecidedChampion.of(decide(dataset_id, to=asked.to, reason=asked.reason))


def accept(asked: AcceptRequest) -> DecidedChampion:
    """Accept what stands against a run under REVIEW.

    Raises
    ------
    MmmError
        As ``tasks.publish.task_rollback.accept_run``.
    """
    from tasks.publish.task_rollback import accept_run

    return DecidedChampion.of(accept_run(asked.run_id, reason=asked.reason))
