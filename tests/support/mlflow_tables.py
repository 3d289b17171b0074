"""MLflow's tables, made once for all homes of a test session.

MLflow makes the tables of an empty store by its whole history of migrations, which takes a second.
They are its own business: the first store of a session is made so, every other one is a copy of it.
"""

import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock


def share_tables(template: Path, patch: pytest.MonkeyPatch) -> None:
    """Copy ``template`` into each empty SQLite store; the first one that is made becomes it."""
    if "mlflow" not in sys.modules:
        return  # Nothing that was collected needs a store.
    from mlflow.store.db import utils
    from mlflow.store.model_registry import sqlalchemy_store

    made_by_mlflow = utils._initialize_tables

    def initialize(engine: Any) -> None:
        file = engine.url.database
        if engine.url.get_backend_name() != "sqlite" or not file:
            made_by_mlflow(engine)
            return
        with FileLock(template.with_suffix(".lock")):
            if template.exists():
                _copy(template, file)
                return
            made_by_mlflow(engine)
            partial = template.with_suffix(".partial")
            _copy(file, partial)
            partial.rename(template)

    for module in (utils, sqlalchemy_store):
        patch.setattr(module, "_initialize_tables", initialize)


def _copy(source: Path | str, target: Path | str) -> None:
    with closing(sqlite3.connect(source)) as made, closing(sqlite3.connect(target)) as empty:
        made.backup(empty)
