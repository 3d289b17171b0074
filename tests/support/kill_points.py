"""Every moment of a refit at which a kill could matter: listed as they pass, or one of them deadly.

A moment is the border of a task, or a write inside it: a file whose bytes are on the disk under a
temporary name or that has just been renamed, a warehouse transaction before its commit, a row that
has just been written to MLflow. They are found by watching a refit, so that no list has to be kept.
"""

import os
import re
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import duckdb
from prefect import Task

BEFORE, AFTER = "before", "after"
WRITTEN, RENAMED = "written, not renamed", "renamed"
COMMIT = "before commit"
OUTSIDE = "flow"
"""Where a moment is that belongs to no task."""
_MLFLOW_WRITES = ("create_", "delete_", "finalize_", "log_", "restore_", "set_", "update_")
_TEMPORARY = re.compile(r"^\.|\.[0-9a-f]{8}\.partial$")
_SQL_WRITE = re.compile(r"\s*commit\b", re.I)


class Moment(NamedTuple):
    """One moment: the task it is in, what happens, to what, and for which time in this task."""

    task: str
    what: str
    name: str = ""
    nth: int = 1

    def __str__(self) -> str:
        again = f" #{self.nth}" if self.nth > 1 else ""
        return " ".join(filter(None, (self.what, self.name))) + again


def tasks_of(module: ModuleType) -> set[str]:
    """Names of all tasks that a flow's module calls, also through modules of ``flows``."""
    found: set[str] = set()
    for value in vars(module).values():
        if isinstance(value, Task):
            found.add(value.fn.__name__)
            continue
        home = getattr(value, "__module__", None) or ""
        if callable(value) and home.startswith("flows.") and home != module.__name__:
            found |= tasks_of(sys.modules[home])
    return found


class Watch:
    """Reports every moment that passes; kills this process at the one that is deadly."""

    def __init__(self, home: Path, deadly: Moment | None, report: Callable[[Moment], None]) -> None:
        self.home = home.resolve()
        self.deadly = deadly
        self.report = report
        self.task = OUTSIDE
        self.seen: dict[Moment, int] = {}

    def passes(self, what: str, name: str = "", task: str | None = None) -> None:
        plain = Moment(task or self.task, what, name)
        self.seen[plain] = self.seen.get(plain, 0) + 1
        moment = plain._replace(nth=self.seen[plain])
        self.report(moment)
        if moment == self.deadly:
            os.kill(os.getpid(), signal.SIGKILL)

    def arm(self) -> None:
        """Watch this process from now on; there is no way back."""
        self._watch_tasks()
        self._watch_files()
        self._watch_transactions()
        self._watch_mlflow()

    def _watch_tasks(self) -> None:
        call = Task.__call__

        def watched(step: Any, *args: Any, **kwargs: Any) -> Any:
            name, outer = step.fn.__name__, self.task
            self.passes(BEFORE, task=name)
            self.task = name
            try:
                found = call(step, *args, **kwargs)
            finally:
                self.task = outer
            self.passes(AFTER, task=name)
            return found

        Task.__call__ = watched

    def _watch_files(self) -> None:
        replace = os.replace

        def watched(source: Any, target: Any, **kwargs: Any) -> None:
            path = Path(os.fspath(target)).absolute()
            if not path.is_relative_to(self.home / "data"):
                replace(source, target, **kwargs)
                return
            name = self._name(path)
            self.passes(WRITTEN, name)
            replace(source, target, **kwargs)
            self.passes(RENAMED, name)

        os.replace = watched

    def _name(self, path: Path) -> str:
        """Name that is the same in every refit: of a record of a step, with its folder."""
        if path.is_relative_to(self.home / "data" / "steps"):
            return f"steps/{path.name}"
        if path.is_relative_to(self.home / "data" / "landing"):
            return "landing file"
        return path.name

    def _watch_transactions(self) -> None:
        execute = duckdb.DuckDBPyConnection.execute

        def watched(con: Any, query: Any, *args: Any, **kwargs: Any) -> Any:
            if isinstance(query, str) and _SQL_WRITE.match(query):
                self.passes(COMMIT)
            return execute(con, query, *args, **kwargs)

        duckdb.DuckDBPyConnection.execute = watched

    def _watch_mlflow(self) -> None:
        for owner, method in _mlflow_writes():
            self._watch_mlflow_write(owner, method)

    def _watch_mlflow_write(self, owner: type, method: str) -> None:
        write = getattr(owner, method)

        def watched(store: Any, *args: Any, **kwargs: Any) -> Any:
            found = write(store, *args, **kwargs)
            self.passes(AFTER, f"mlflow.{method}")
            return found

        setattr(owner, method, watched)


def _mlflow_writes() -> Iterator[tuple[type, str]]:
    from mlflow.store.artifact.local_artifact_repo import LocalArtifactRepository
    from mlflow.store.model_registry.sqlalchemy_store import SqlAlchemyStore as Registry
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore as Tracking

    for owner in (Tracking, Registry, LocalArtifactRepository):
        for name in vars(owner):
            if name.startswith(_MLFLOW_WRITES) and callable(getattr(owner, name)):
                yield owner, name
