"""Who is champion, read from MLflow's own SQLite file: its client takes longer to import than that.

Belongs here: one read-only look. Does not: decisions, and any store but a local file; whatever is
not as expected gives None, and the caller asks the client. ``tests/contract`` holds the two equal.
"""

import logging
import sqlite3
from contextlib import closing

from tasks.store.home import Home
from tasks.store.tracking.experiments import RUN_TAG

log = logging.getLogger(__name__)

_QUERY = """
select t.value from registered_model_aliases a
join model_versions v on v.name = a.name and v.version = a.version
join tags t on t.run_uuid = v.run_id
where a.name = ? and a.alias = ? and t.key = ?
"""


def local_run_of(home: Home, dataset_id: str, alias: str) -> str | None:
    """Return the run whose version holds an alias; None where the file does not say so plainly."""
    return _ask(home, _QUERY, [dataset_id, str(alias), RUN_TAG])


def local_experiment_of(home: Home, mlflow_run_id: str) -> str | None:
    """Return the experiment of a run in MLflow; None where the file does not say so plainly."""
    return _ask(home, "select experiment_id from runs where run_uuid = ?", [mlflow_run_id])


def _ask(home: Home, query: str, values: list[str]) -> str | None:
    prefix, path = "sqlite:///", home.mlruns / "mlflow.db"
    if not home.tracking_uri.startswith(prefix) or not path.is_file():
        return None
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as con:
            rows = con.execute(query, values).fetchall()
    except sqlite3.Error as error:
        log.debug("the client is asked, since %s cannot be read: %s", path, error)
        return None
    return str(rows[0][0]) if len(rows) == 1 and rows[0][0] else None
