"""Outcomes of gates in the warehouse. Belongs here: SQL over ``ops.gate_results``."""

from collections.abc import Iterable, Sequence
from typing import Any

import duckdb

from schemas.outcomes import Finding, GateRow, Layer, Verdict
from tasks.store.home import Home
from tasks.store.redaction import redact
from tasks.store.warehouse.across import ask, ask_run
from tasks.store.warehouse.connection import writing

_GROUPS = ("raw", "canonical", "features", "sampling", "fit", "stability")
"""Gate groups in the order of a refit."""


def record_findings(
    home: Home,
    run_id: str,
    layer: Layer,
    verdict: Verdict,
    findings: Sequence[Finding],
    *,
    dataset_id: str,
) -> None:
    """Replace one layer's outcomes of a run: its verdict, and one row per finding."""
    rows: dict[tuple[str, str], tuple[str, float | None]] = {
        ("verdict", f"{layer.value} layer"): (verdict.value, float(len(findings)))
    }
    for finding in findings:
        observed = None if finding.n_affected is None else float(finding.n_affected)
        rows[finding.rule, redact(finding.message)] = (finding.verdict.value, observed)
    with writing(home, dataset_id) as con:
        con.execute(
            "delete from ops.gate_results where run_id = ? and battery = ?",
            [run_id, layer.value],
        )
        con.executemany(
            "insert into ops.gate_results (run_id, battery, gate, verdict, observed, detail) "
            "values (?, ?, ?, ?, ?, ?)",
            [
                [run_id, layer.value, gate, reported, observed, detail]
                for (gate, detail), (reported, observed) in rows.items()
            ],
        )


def write_gate_results(
    con: duckdb.DuckDBPyConnection,
    run_id: str,
    gate_group: str,
    rows: Iterable[GateRow],
) -> None:
    """Replace the results of one gate group."""
    con.execute(
        "delete from ops.gate_results where run_id = ? and battery = ?", [run_id, gate_group]
    )
    for gate, verdict, observed, detail in rows:
        con.execute(
            "insert or replace into ops.gate_results "
            "(run_id, battery, gate, verdict, observed, detail) values (?, ?, ?, ?, ?, ?)",
            [run_id, gate_group, gate, verdict, observed, detail],
        )


def read_first_reasons(home: Home, dataset_id: str | None = None) -> dict[str, str]:
    """Return why runs did not pass, by run: the worst outcome, and how many more there are.

    Runs whose every outcome is a pass are left out. ``dataset_id`` None means all datasets.
    """
    rows = ask(
        home,
        dataset_id,
        "select run_id, first(detail order by verdict = 'FAIL' desc, "
        "list_position($order, battery), gate, detail), count(*) from ops.gate_results "
        "where verdict <> 'PASS' and gate <> 'verdict' group by run_id",
        {"order": [*_GROUPS]},
    )
    return {run_id: f"{reason} ({n - 1} more)" if n > 1 else reason for run_id, reason, n in rows}


def read_gate_results(home: Home, run_id: str) -> list[dict[str, Any]]:
    """Return all gate results of a run, in the order of the layers.

    Returns
    -------
    list of dict
        ``battery`` (the gate group), ``gate``, ``verdict``, ``observed``, ``detail``.
    """
    rows = ask_run(
        home,
        run_id,
        "select battery, gate, verdict, observed, detail from ops.gate_results "
        "where run_id = ? order by list_position(?, battery), gate, detail",
        [run_id, [*_GROUPS]],
    )
    return [
        dict(zip(("battery", "gate", "verdict", "observed", "detail"), row, strict=True))
        for row in rows
    ]
