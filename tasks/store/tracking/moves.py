"""A home that was moved: MLflow keeps artifact paths absolute, so they are made to follow."""

import logging
import os
import sqlite3
from contextlib import closing

from tasks.store.home import Home
from tasks.store.storage import writing_to

log = logging.getLogger(__name__)

_STORED_PATHS = (
    ("experiments", "artifact_location"),
    ("runs", "artifact_uri"),
    ("logged_models", "artifact_location"),
    ("model_versions", "storage_location"),
)


def follow_moved_home(home: Home) -> None:
    """Rewrite stored artifact paths after the home was moved: MLflow keeps them absolute.

    Who may only read the home leaves them: what is read of MLflow then are its tables.

    Raises
    ------
    StorageError
        If the disk is full or failing.
    """
    database = home.mlruns / "mlflow.db"
    if not database.exists() or not os.access(database, os.W_OK):
        return
    with writing_to(home.mlruns), closing(sqlite3.connect(database, timeout=30)) as con, con:
        tables = {
            row[0] for row in con.execute("select name from sqlite_master where type = 'table'")
        }
        if not {table for table, _ in _STORED_PATHS} <= tables:
            return
        locations = [
            row[0] or "" for row in con.execute("select artifact_location from experiments")
        ]
        marker = f"/{home.mlruns.name}/artifacts/"
        roots = {loc.rsplit(marker, 1)[0] for loc in locations if marker in loc} - {str(home.root)}
        for old in roots:
            for table, column in _STORED_PATHS:
                con.execute(
                    f"update {table} set {column} = ? || substr({column}, ?) "  # noqa: S608 - constants
                    f"where substr({column}, 1, ?) = ?",
                    (str(home.root), len(old) + 1, len(old) + len(marker), old + marker),
                )
            log.info("the MLflow store was moved from %s; its artifact paths follow", old)
