"""Tasks that judge the three layers of data. Logic: ``task_layers``, which needs no engine."""

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.validate import task_layers

validate_raw = task(name="validate-raw", cache_policy=NO_CACHE, timeout_seconds=1800)(
    task_layers.validate_raw
)
validate_canonical = task(name="validate-canonical", cache_policy=NO_CACHE, timeout_seconds=1800)(
    task_layers.validate_canonical
)
validate_features = task(name="validate-features", cache_policy=NO_CACHE, timeout_seconds=1800)(
    task_layers.validate_features
)
