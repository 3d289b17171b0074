"""Tasks from a landed batch to a snapshot. Logic: ``task_panel``, which needs no engine."""

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.tasks import exponential_backoff

from tasks.canonicalize import task_panel

canonicalize_batch = task(name="canonicalize-batch", cache_policy=NO_CACHE, timeout_seconds=1800)(
    task_panel.canonicalize_batch
)
preview_snapshot = task(name="preview-snapshot", cache_policy=NO_CACHE, timeout_seconds=600)(
    task_panel.preview_snapshot
)
accepted_since = task(name="accepted-since", cache_policy=NO_CACHE)(task_panel.accepted_since)
take_snapshot = task(
    name="take-snapshot",
    cache_policy=NO_CACHE,
    timeout_seconds=1800,
    retries=2,
    retry_delay_seconds=exponential_backoff(backoff_factor=2),
)(task_panel.take_snapshot)
refuse_batch = task(
    name="refuse-batch",
    cache_policy=NO_CACHE,
    timeout_seconds=1800,
    retries=2,
    retry_delay_seconds=exponential_backoff(backoff_factor=2),
)(task_panel.refuse_batch)
