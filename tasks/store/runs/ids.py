"""Names of runs and plans: readable, sortable by time, unique, and fit for a folder."""

import secrets
from collections.abc import Sequence
from datetime import datetime


def new_run_id(dataset_id: str, now: datetime) -> str:
    """Return ``<dataset>-<UTC time>-<four hex digits>``; sorts by time within a dataset."""
    return f"{dataset_id}-{now:%Y%m%dT%H%M%S}-{secrets.token_hex(2)}"


def is_run_of(run_id: str, dataset_id: str) -> bool:
    """Say whether a run id was made for a dataset."""
    return run_id.rsplit("-", 2)[0] == dataset_id


def new_scenario_id(dataset_ids: Sequence[str], now: datetime) -> str:
    """Return ``plan-<dataset>-<UTC time>-<four hex digits>``; several datasets are ``combined``."""
    subject = dataset_ids[0] if len(dataset_ids) == 1 else "combined"
    return new_run_id(f"plan-{subject}", now)
