"""Wall seconds per stage, for the run report and MLflow."""

import time
from collections.abc import Iterator
from contextlib import contextmanager


class Timings:
    """Collects how long each stage took."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Measure one stage; it counts even when it fails."""
        started = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] = round(time.perf_counter() - started, 3)
