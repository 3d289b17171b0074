"""SQL of forecasts (``mart.forecasts``): what accepted runs said of periods to come.

Invariant: a forecast is frozen. Once a run has published one, its rows and those of
``mart.forecast_assumptions`` are never changed and never deleted.
"""
# ruff: noqa: S608 - SQL is made of constants; values are parameters

from typing import TYPE_CHECKING

import duckdb

from schemas.documents.forecast_scores import ASSUMPTION_COLUMNS
from schemas.errors import MmmError
from schemas.names import FORECAST_COLUMNS
from tasks.store.home import Home
from tasks.store.warehouse.across import ask_all
from tasks.store.warehouse.connection import reading
from tasks.store.warehouse.runs import replace_rows

if TYPE_CHECKING:
    import pandas as pd

_FROM_RUNS = "from mart.forecasts f join ops.runs r using (run_id) where f.dataset_id = ?"
_ORDER = "order by r.created_at, f.run_id, f.scope, f.entity_id, f.period_start"
_COLUMNS = ", ".join(f"f.{name}" for name in FORECAST_COLUMNS)


class FrozenForecastError(MmmError, RuntimeError):
    """A forecast that has been published was to be replaced by another one."""


def write_forecasts(
    con: duckdb.DuckDBPyConnection,
    run_id: str,
    dataset_id: str,
    frame: "pd.DataFrame",
    assumptions: "pd.DataFrame",
    *,
    kpi: str,
) -> None:
    """Freeze the forecast of one run and what it supposes, inside the caller's transaction.

    Writing the same again, as a retried task does, changes nothing.

    Parameters
    ----------
    con, run_id, dataset_id
        Open transaction, and the run.
    frame
        ``schemas.names.FORECAST_COLUMNS``.
    assumptions
        ``schemas.documents.forecast_scores.ASSUMPTION_COLUMNS``.
    kpi
        Name of the KPI, so that a dataset whose KPI is exchanged does not compare two of them.

    Raises
    ------
    FrozenForecastError
        If the run has published another forecast before.
    """
    columns = ("kpi", *FORECAST_COLUMNS)
    ahead = frame.assign(kpi=kpi)[list(columns)]
    _freeze(con, "mart.forecasts", run_id, dataset_id, ahead)
    supposed = assumptions[list(ASSUMPTION_COLUMNS)]
    _freeze(con, "mart.forecast_assumptions", run_id, dataset_id, supposed)


def read_forecasts(home: Home, dataset_id: str, *, kpi: str, before_run: str) -> "pd.DataFrame":
    """Return what runs that began before another one had forecast.

    Parameters
    ----------
    home
        Home of the warehouse.
    dataset_id, kpi
        What was forecast.
    before_run
        A run of ``ops.runs``; its own forecast and those of later runs are left out.

    Returns
    -------
    pd.DataFrame
        ``run_id`` and ``schemas.names.FORECAST_COLUMNS``; without rows where there is none.
    """
    with reading(home, dataset_id) as con:
        return con.execute(
            f"select f.run_id, {_COLUMNS} {_FROM_RUNS} and f.kpi = ? and r.created_at < "
            f"(select created_at from ops.runs where run_id = ?) {_ORDER}",
            [dataset_id, kpi, before_run],
        ).df()


def read_ledger(home: Home, dataset_id: str) -> "pd.DataFrame":
    """Return every frozen forecast of a dataset, the oldest run first.

    Returns
    -------
    pd.DataFrame
        ``run_id, kpi`` and ``schemas.names.FORECAST_COLUMNS``.
    """
    with reading(home, dataset_id) as con:
        return con.execute(
            f"select f.run_id, f.kpi, {_COLUMNS} {_FROM_RUNS} {_ORDER}", [dataset_id]
        ).df()


def datasets_with_forecasts(home: Home) -> list[str]:
    """Return the datasets that have a frozen forecast, in alphabetical order."""
    query = "select distinct dataset_id from mart.forecasts"
    return [str(row[0]) for row in ask_all(home, query)]


def _freeze(
    con: duckdb.DuckDBPyConnection,
    table: str,
    run_id: str,
    dataset_id: str,
    frame: "pd.DataFrame",
) -> None:
    """Insert a run's rows of ``table``, a constant, or require that they are there already."""
    known = con.execute(f"select 1 from {table} where run_id = ? limit 1", [run_id]).fetchall()
    if not known:
        replace_rows(con, table, run_id, dataset_id, frame)
        return
    columns = ", ".join(frame.columns)
    held = f"select dataset_id, {columns} from {table} where run_id = $run"
    given = f"select $dataset, {columns} from given"
    con.register("given", frame)
    changed = con.execute(
        f"(({held}) except all ({given})) union all (({given}) except all ({held}))",
        {"run": run_id, "dataset": dataset_id},
    ).fetchall()
    con.unregister("given")
    if changed:
        raise FrozenForecastError(
            f"Run {run_id} has published its forecast, and {table} never changes afterwards; "
            "start a new run to forecast again."
        )
