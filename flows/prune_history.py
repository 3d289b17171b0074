"""Remove files that the retention policy lets go, of one dataset or of all.

The command line calls the tasks' own functions without Prefect's engine: it must work on a disk
that is all but full, where Prefect cannot write to its own database.
"""

from collections.abc import Callable
from typing import NamedTuple

from prefect import flow

from flows import hooks
from schemas.answers.pruning import DatasetPruning, PruneReport
from schemas.spec.retention import RetentionSpec
from tasks.prune.task import describe_pruning, prune_dataset, sweep_leftovers
from tasks.query.runs import select_datasets
from tasks.store.redaction import filter_states

filter_states()


@flow(name="prune-history", on_failure=[hooks.notify_failure], on_crashed=[hooks.notify_failure])
def prune_history(dataset_id: str | None = None, dry_run: bool = False) -> PruneReport:
    """Remove files by the retention policy of each dataset's newest run.

    Parameters
    ----------
    dataset_id
        One dataset; None prunes all of them, and what killed processes left behind.
    dry_run
        Only report what would go.

    Returns
    -------
    PruneReport
        A dataset that is being refitted is left for the next time, and named in ``busy``.

    Raises
    ------
    UnknownRunError
        If a dataset is named that has no run, while others have.
    """
    steps = _Steps(prune_dataset, sweep_leftovers)
    report = _prune(dataset_id, None, dry_run, steps)
    describe_pruning(report)
    return report


def prune_now(
    dataset_id: str | None, retention: RetentionSpec | None, *, dry_run: bool
) -> PruneReport:
    """Do the same in this process, without a flow run; ``retention`` None takes the stored one."""
    steps = _Steps(prune_dataset.fn, sweep_leftovers.fn)
    return _prune(dataset_id, retention, dry_run, steps)


class _Steps(NamedTuple):
    """The steps of a pruning: tasks in a flow run, their functions without one."""

    prune: Callable[[str, RetentionSpec | None, bool], DatasetPruning]
    sweep: Callable[[bool], DatasetPruning]


def _prune(
    dataset_id: str | None, retention: RetentionSpec | None, dry_run: bool, steps: _Steps
) -> PruneReport:
    # Leftovers first: their removal is not recorded, and so makes room where the disk is full.
    parts = [steps.sweep(dry_run)] if dataset_id is None else []
    parts += [steps.prune(name, retention, dry_run) for name in select_datasets(dataset_id)]
    return PruneReport(dry_run=dry_run, datasets=parts)
