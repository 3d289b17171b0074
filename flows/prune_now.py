"""A pruning without Prefect's engine, for the command line.

It must work on a disk that is all but full, where Prefect cannot write to its own database.
"""

from collections.abc import Callable
from typing import NamedTuple

from schemas.answers.pruning import DatasetPruning, PruneReport
from schemas.spec.retention import RetentionSpec
from tasks.prune import task_prune
from tasks.query.runs import select_datasets


class Steps(NamedTuple):
    """The steps of a pruning: tasks in a flow run, their functions without one."""

    prune: Callable[[str, RetentionSpec | None, bool], DatasetPruning]
    sweep: Callable[[bool], DatasetPruning]


def prune_now(
    dataset_id: str | None, retention: RetentionSpec | None, *, dry_run: bool
) -> PruneReport:
    """Do what ``flows.prune_history`` does in this process, without a flow run.

    Parameters
    ----------
    dataset_id
        One dataset; None prunes all of them, and what killed processes left behind.
    retention
        The policy; None takes that of each dataset's newest run.
    dry_run
        Only report what would go.

    Raises
    ------
    UnknownRunError
        If a dataset is named that has no run, while others have.
    """
    steps = Steps(task_prune.prune_dataset, task_prune.sweep_leftovers)
    return prune_by(steps, dataset_id, retention, dry_run=dry_run)


def prune_by(
    steps: Steps, dataset_id: str | None, retention: RetentionSpec | None, *, dry_run: bool
) -> PruneReport:
    """Prune step by step; parameters and errors as for ``prune_now``."""
    # Leftovers first: their removal is not recorded, and so makes room where the disk is full.
    parts = [steps.sweep(dry_run)] if dataset_id is None else []
    parts += [steps.prune(name, retention, dry_run) for name in select_datasets(dataset_id)]
    return PruneReport(dry_run=dry_run, datasets=parts)
