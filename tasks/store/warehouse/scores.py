"""SQL of the forecast ledger: ``mart.forecast_scores`` and ``ops.alarms``."""
# ruff: noqa: S608 - SQL is made of constants; values are parameters

from collections.abc import Mapping, Sequence
from datetime import UTC
from typing import TYPE_CHECKING, Any

import duckdb

from schemas.documents.forecast_scores import SCORE_COLUMNS, Alarm
from tasks.store.home import Home
from tasks.store.warehouse.across import ask
from tasks.store.warehouse.connection import reading

if TYPE_CHECKING:
    import pandas as pd

SCORE_RECORD = (*SCORE_COLUMNS, "first_actual", "scored_at", "compared")
_ALARM = tuple(Alarm.model_fields)
_ALARMS = (
    f"select {', '.join(_ALARM)} from ops.alarms where ($dataset is null or "
    "dataset_id = $dataset) and (not $open or cleared_at is null) "
    "order by raised_period desc, dataset_id, kind"
)
_MAY_BE_MISSING = ("ape", "naive_error", "z")


def read_scores(home: Home, dataset_id: str) -> "pd.DataFrame":
    """Return every score of a dataset, the oldest run first.

    Returns
    -------
    pd.DataFrame
        ``SCORE_RECORD``; ``scored_at`` is in UTC, without saying so.
    """
    columns = ", ".join(
        "timezone('UTC', s.scored_at) as scored_at" if name == "scored_at" else f"s.{name}"
        for name in SCORE_RECORD
    )
    with reading(home, dataset_id) as con:
        return con.execute(
            f"select {columns} from mart.forecast_scores s "
            "left join ops.runs r on r.run_id = s.forecast_run_id where s.dataset_id = ? "
            "order by r.created_at, s.forecast_run_id, s.basis, s.scope, s.entity_id, "
            "s.period_start",
            [dataset_id],
        ).df()


def replace_scores(
    con: duckdb.DuckDBPyConnection, run_id: str, dataset_id: str, rows: "pd.DataFrame"
) -> None:
    """Replace a run's scores of the bases that ``rows`` (``SCORE_RECORD``) has.

    Scores of another basis stay: what was evaluated while the files of the run were there.

    Parameters
    ----------
    con
        An open transaction.
    run_id, dataset_id
        Whose forecast was scored.
    rows
        Columns ``SCORE_RECORD``, one row per scored forecast.
    """
    for basis in sorted(set(rows["basis"])):
        con.execute(
            "delete from mart.forecast_scores where forecast_run_id = ? and basis = ?",
            [run_id, basis],
        )
    columns = ", ".join(SCORE_RECORD)
    values = ", ".join(
        f"case when isnan({name}) then null else {name} end" if name in _MAY_BE_MISSING else name
        for name in SCORE_RECORD
    )
    con.register("scored", rows[list(SCORE_RECORD)])
    con.execute(
        f"insert into mart.forecast_scores (dataset_id, {columns}) select ?, {values} from scored",
        [dataset_id],
    )
    con.unregister("scored")


def scored_before(home: Home, dataset_id: str) -> Mapping[str, Mapping[str, str]]:
    """Return what the scores of each run were compared with, by run and basis."""
    rows = ask(
        home,
        dataset_id,
        "select forecast_run_id, basis, max(compared) from mart.forecast_scores "
        "where dataset_id = ? group by all",
        [dataset_id],
    )
    found: dict[str, dict[str, str]] = {}
    for run_id, basis, compared in rows:
        found.setdefault(run_id, {})[basis] = compared
    return found


def alarms_of(home: Home, dataset_id: str | None = None, *, is_open: bool = True) -> list[Alarm]:
    """Return alarms, the newest first.

    Parameters
    ----------
    home, dataset_id
        Whose; None means of all datasets.
    is_open
        Only those that are not cleared.
    """
    rows = ask(home, dataset_id, _ALARMS, {"dataset": dataset_id, "open": is_open})
    found = [_alarm(row) for row in rows]
    found.sort(key=lambda alarm: (alarm.dataset_id, alarm.kind))
    return sorted(found, key=lambda alarm: alarm.raised_period, reverse=True)


def find_alarms(
    con: duckdb.DuckDBPyConnection, dataset_id: str | None, *, is_open: bool
) -> list[Alarm]:
    """Do what ``alarms_of`` does, in an open transaction."""
    rows = con.execute(_ALARMS, {"dataset": dataset_id, "open": is_open}).fetchall()
    return [_alarm(row) for row in rows]


def _alarm(row: tuple[Any, ...]) -> Alarm:
    facts = dict(zip(_ALARM, row, strict=True))
    moments = {name: facts[name] for name in ("raised_at", "cleared_at") if facts[name]}
    in_utc = {name: moment.astimezone(UTC) for name, moment in moments.items()}
    return Alarm.model_validate(facts | in_utc)


def write_alarms(con: duckdb.DuckDBPyConnection, alarms: Sequence[Alarm]) -> None:
    """Insert alarms, or replace those of the same dataset, kind and first period."""
    marks = ", ".join(["?"] * len(_ALARM))
    for alarm in alarms:
        values = alarm.model_dump()
        con.execute(
            f"insert or replace into ops.alarms ({', '.join(_ALARM)}) values ({marks})",
            [values[name] for name in _ALARM],
        )
