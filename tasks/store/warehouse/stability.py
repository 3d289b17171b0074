"""SQL of ``mart.stability`` and ``mart.noise_floor``: how far refits move, and chance alone."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from schemas.answers.stability import FloorRow, TrendRow
from schemas.documents.diagnostics import StabilityReport
from tasks.store.home import Home
from tasks.store.warehouse.across import ask, ask_run

if TYPE_CHECKING:
    import duckdb

STABILITY_COLUMNS = ("channel", "quantity", "overlap", "change_sd", "planned_share_change")
"""Per channel, as in ``stability.json``."""
_FLOOR_COLUMNS = tuple(FloorRow.model_fields)


def write_stability(
    con: "duckdb.DuckDBPyConnection", run_id: str, dataset_id: str, document: StabilityReport | None
) -> None:
    """Replace a run's rows by those of ``stability.json``; none without a champion.

    Parameters
    ----------
    con
        An open transaction.
    run_id, dataset_id
        Of the refit.
    document
        ``stability.json``; None where there is none.
    """
    con.execute("delete from mart.stability where run_id = ?", [run_id])
    if document is None or document.champion is None:
        return
    columns = ", ".join(STABILITY_COLUMNS)
    for row in document.channels:
        con.execute(
            f"insert into mart.stability (run_id, dataset_id, champion_run_id, {columns}) "  # noqa: S608 - constant columns
            "values (?, ?, ?, ?, ?, ?, ?, ?)",
            [
                run_id,
                dataset_id,
                document.champion.run_id,
                *(getattr(row, name) for name in STABILITY_COLUMNS),
            ],
        )


def read_stability(home: Home, dataset_id: str) -> list[TrendRow]:
    """Return the rows of all accepted refits of a dataset, the oldest refit first."""
    names = tuple(TrendRow.model_fields)
    columns = ", ".join(f"s.{name}" for name in names)
    rows = ask(
        home,
        dataset_id,
        f"select {columns} from mart.stability s join ops.runs r using (run_id) "  # noqa: S608 - constant columns
        "where s.dataset_id = ? order by r.created_at, s.run_id, s.rowid",
        [dataset_id],
    )
    return [TrendRow.model_validate(dict(zip(names, row, strict=True))) for row in rows]


def read_last_periods(home: Home, dataset_id: str) -> dict[str, Any]:
    """Return the newest period of the snapshot of every run of a dataset.

    Returns
    -------
    dict
        First day of the newest period, by run.
    """
    rows = ask(
        home,
        dataset_id,
        "select r.run_id, s.last_period from ops.runs r join ops.snapshots s "
        "using (dataset_id, snapshot_id) where r.dataset_id = ?",
        [dataset_id],
    )
    return {str(run_id): last for run_id, last in rows}


def write_noise_floor(con: "duckdb.DuckDBPyConnection", rows: Sequence[FloorRow]) -> None:
    """Write repetitions of a fit; the same run and seed once more replaces what was there."""
    columns, marks = ", ".join(_FLOOR_COLUMNS), ", ".join("?" * len(_FLOOR_COLUMNS))
    for row in rows:
        con.execute(
            f"insert or replace into mart.noise_floor ({columns}) values ({marks})",  # noqa: S608 - constant columns
            [getattr(row, name) for name in _FLOOR_COLUMNS],
        )


def read_noise_floor(home: Home, dataset_id: str) -> list[FloorRow]:
    """Return all repetitions of a dataset's fits, those that were made last at the end."""
    columns = ", ".join(_FLOOR_COLUMNS)
    rows = ask(
        home,
        dataset_id,
        f"select {columns} from mart.noise_floor where dataset_id = ? "  # noqa: S608 - constant columns
        "order by measured_at, seed, rowid",
        [dataset_id],
    )
    return [FloorRow.model_validate(dict(zip(_FLOOR_COLUMNS, row, strict=True))) for row in rows]


def read_floor_returns(
    home: Home, run_id: str, fingerprint: str
) -> dict[int, dict[str, dict[str, float]]]:
    """Return the returns of the repetitions of a run that this code made, by seed.

    Each is ``{channel: {roas_mean, roas_mcse}}``, or ``share_*`` where there is no ROAS.
    """
    rows = ask_run(
        home,
        run_id,
        "select seed, channel, quantity, mean, mcse from mart.noise_floor "
        "where run_id = ? and fingerprint = ? order by seed, rowid",
        [run_id, fingerprint],
    )
    by_seed: dict[int, dict[str, dict[str, float]]] = {}
    for seed, channel, quantity, mean, mcse in rows:
        row = {f"{quantity}_mean": float(mean), f"{quantity}_mcse": float(mcse)}
        by_seed.setdefault(int(seed), {})[str(channel)] = row
    return by_seed
