"""The task that lands a file. Logic: ``task_land``, which needs no engine."""

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.ingest import task_land

ingest_file = task(name="ingest-file", cache_policy=NO_CACHE, timeout_seconds=1800)(
    task_land.ingest_file
)
