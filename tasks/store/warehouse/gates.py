"""Outcomes of gates in the warehouse. Belongs here: SQL over ``ops.gate_results``."""

from collections.abc import Iterable
from typing import Any

import duckdb

from schemas.documents.data import LayerReport, ValidationSummary
from schemas.names import Artifact
from schemas.outcomes import GateRow
from tasks.store.files.artifacts import parse_document
from tasks.store.home import Home
from tasks.store.redaction import redact
from tasks.store.warehouse.across import ask, ask_run

_GROUPS = ("raw", "canonical", "features", "sampling", "fit", "stability")
"""Gate groups in the order of a refit."""


def record_findings(con: duckdb.DuckDBPyConnection, home: Home, run_id: str) -> None:
    """Replace the outcomes of the layers of data by those that a run's folder says by now.

    Layers are judged one after another and written down in ``validation_summary.json``; the
    warehouse gets them with the next thing that is written of the run. Without that file: nothing.
    """
    path = home.run_dir(run_id) / Artifact.VALIDATION_SUMMARY
    if path.is_file():
        for layer, report in parse_document(path, ValidationSummary).layers.items():
            write_gate_results(con, run_id, layer, _rows_of(layer, report))


def _rows_of(layer: str, report: LayerReport) -> list[GateRow]:
    """Return a layer's verdict, and one row per finding."""
    n_findings = float(len(report.findings))
    rows = {
        ("verdict", f"{layer} layer"): GateRow(
            "verdict", report.verdict.value, n_findings, f"{layer} layer"
        )
    }
    for finding in report.findings:
        observed = None if finding.n_affected is None else float(finding.n_affected)
        detail = redact(finding.message)
        rows[finding.rule, detail] = GateRow(finding.rule, finding.verdict.value, observed, detail)
    return list(rows.values())


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
