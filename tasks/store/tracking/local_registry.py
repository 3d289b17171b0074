"""Who is champion, read from MLflow's own SQLite file: its client takes longer to import than that.

Belongs here: one read-only look. Does not: decisions, and any store but a local file; whatever is
not as expected gives None, and the caller asks the client. ``tests/contract`` holds the two equal.
"""

import logging
import sqlite3
from contextlib import closing
from datetime import date
from typing import Any

from schemas.documents.promotions import Champion
from schemas.names import Alias
from tasks.store.home import Home
from tasks.store.tracking.experiments import RUN_TAG

log = logging.getLogger(__name__)

_QUERY = """
select t.value from registered_model_aliases a
join model_versions v on v.name = a.name and v.version = a.version
join tags t on t.run_uuid = v.run_id
where a.name = ? and a.alias = ? and t.key = ?
"""
_VERSION = """
select v.version, v.run_id from registered_model_aliases a
join model_versions v on v.name = a.name and v.version = a.version
where a.name = ? and a.alias = ?
"""
# In this order: a tag of the version says more than one of its run.
_FACTS = """
select 'param ' || key, value from params where run_uuid = ? and key = 'as_of'
union all select key, value from tags where run_uuid = ?
union all select key, value from model_version_tags where name = ? and version = ?
"""


def local_run_of(home: Home, dataset_id: str, alias: str) -> str | None:
    """Return the run whose version holds an alias; None where the file does not say so plainly."""
    return _ask(home, _QUERY, [dataset_id, str(alias), RUN_TAG])


def local_champion(home: Home, dataset_id: str) -> Champion | None:
    """Return the version that holds the champion alias with what its run knew.

    None where the file does not say so plainly: for want of a champion, too.
    """
    held = _rows(home, _VERSION, [dataset_id, str(Alias.CHAMPION)])
    if len(held) != 1:
        return None
    version, mlflow_run_id = held[0]
    asked = [mlflow_run_id, mlflow_run_id, dataset_id, version]
    facts: dict[str, str] = dict(_rows(home, _FACTS, asked))
    if RUN_TAG not in facts:
        return None
    return Champion(
        dataset_id=dataset_id,
        version=int(version),
        run_id=facts[RUN_TAG],
        as_of=_day(facts.get("param as_of")),
        last_period=_day(facts.get("last_period")),
    )


def local_experiment_of(home: Home, mlflow_run_id: str) -> str | None:
    """Return the experiment of a run in MLflow; None where the file does not say so plainly."""
    return _ask(home, "select experiment_id from runs where run_uuid = ?", [mlflow_run_id])


def _ask(home: Home, query: str, values: list[str]) -> str | None:
    rows = _rows(home, query, values)
    return str(rows[0][0]) if len(rows) == 1 and rows[0][0] else None


def _rows(home: Home, query: str, values: list[str]) -> list[Any]:
    """Return what the file answers; nothing where it is none, or cannot be read."""
    prefix, path = "sqlite:///", home.mlruns / "mlflow.db"
    if not home.tracking_uri.startswith(prefix) or not path.is_file():
        return []
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as con:
            return list(con.execute(query, values))
    except sqlite3.Error as error:
        log.debug("the client is asked, since %s cannot be read: %s", path, error)
        return []


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text[:10]) if text else None
