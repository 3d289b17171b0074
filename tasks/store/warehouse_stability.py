"""SQL of ``mart.stability``: how far each accepted refit moved from the champion of its time."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import duckdb

STABILITY_COLUMNS = ("channel", "quantity", "overlap", "change_sd", "planned_share_change")
"""Per channel, as in ``stability.json``."""


def write_stability(
    con: "duckdb.DuckDBPyConnection", run_id: str, dataset_id: str, document: Mapping[str, Any]
) -> None:
    """Replace a run's rows by those of ``stability.json``; none without a champion."""
    con.execute("delete from mart.stability where run_id = ?", [run_id])
    champion: Mapping[str, Any] = document.get("champion") or {}
    columns = ", ".join(STABILITY_COLUMNS)
    for row in document.get("channels", []):
        con.execute(
            f"insert into mart.stability (run_id, dataset_id, champion_run_id, {columns}) "  # noqa: S608 - constant columns
            "values (?, ?, ?, ?, ?, ?, ?, ?)",
            [run_id, dataset_id, champion["run_id"], *(row[name] for name in STABILITY_COLUMNS)],
        )
