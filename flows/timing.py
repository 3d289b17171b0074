"""Wall seconds per stage, for the run report and MLflow."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

listeners: list[Callable[[str, float], object]] = []
"""Called with every stage that has ended: its name, and its wall seconds."""


class Timings:
    """Collects how long each stage took."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Measure one stage; it counts even when it fails, and adds up when it is done again."""
        started = time.perf_counter()
        try:
            yield
        finally:
            spent = time.perf_counter() - started
            self.seconds[name] = round(self.seconds.get(name, 0.0) + spent, 3)
            for report in listeners:
                report(name, spent)
