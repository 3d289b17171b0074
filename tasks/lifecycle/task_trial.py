"""Work that leaves no trace, for whoever asks without Prefect's engine."""

from collections.abc import Iterator
from contextlib import contextmanager

from tasks.store.home import Home
from tasks.store.trial import trial_home


@contextmanager
def on_trial(dataset_id: str | None) -> Iterator[Home]:
    """Work in a throw-away home with a copy of what is known of a dataset; None: of nothing."""
    with trial_home(dataset_id) as home:
        yield home
