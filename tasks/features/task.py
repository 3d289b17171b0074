"""The task that builds features. Logic: ``task_write``, which needs no engine."""

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.features import task_write

build_features = task(name="build-features", cache_policy=NO_CACHE, timeout_seconds=600)(
    task_write.build_features
)
