"""Names of runs: readable, sortable by time, unique."""

import secrets
from datetime import datetime


def new_run_id(dataset_id: str, now: datetime) -> str:
    """Return ``<dataset>-<UTC time>-<four hex digits>``; sorts by time within a dataset."""
    return f"{dataset_id}-{now:%Y%m%dT%H%M%S}-{secrets.token_hex(2)}"
