"""Tasks of a pruning, and what Prefect shows of it. Logic: ``task_prune``, without an engine."""

from prefect import task
from prefect.artifacts import create_table_artifact
from prefect.cache_policies import NO_CACHE

from schemas.answers.pruning import PruneReport
from tasks.prune import task_prune
from tasks.store.artifact_keys import artifact_key

prune_dataset = task(name="prune-dataset", cache_policy=NO_CACHE, timeout_seconds=3600)(
    task_prune.prune_dataset
)
sweep_leftovers = task(name="sweep-leftovers", cache_policy=NO_CACHE, timeout_seconds=3600)(
    task_prune.sweep_leftovers
)


@task(name="describe-pruning", cache_policy=NO_CACHE)
def describe_pruning(report: PruneReport) -> None:
    """Show in the Prefect UI what was removed, or would be."""
    rows = [item.model_dump(mode="json") for part in report.datasets for item in part.items]
    verb = "would be removed" if report.dry_run else "removed"
    create_table_artifact(
        key=artifact_key("pruned", "all"),
        table=rows,
        description=f"{len(rows)} things {verb}, {report.n_bytes} bytes",
    )
