"""The flow of a pruning: files that the retention policy lets go, of one dataset or of all."""

from prefect import flow

from flows import hooks
from flows.prune_now import Steps, prune_by
from schemas.answers.pruning import PruneReport
from tasks.prune.task import describe_pruning, prune_dataset, sweep_leftovers
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
    steps = Steps(prune_dataset, sweep_leftovers)
    report = prune_by(steps, dataset_id, None, dry_run=dry_run)
    describe_pruning(report)
    return report
