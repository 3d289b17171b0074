"""Outcomes of data gates in the warehouse. Belongs here: SQL that writes ``ops.gate_results``."""

from collections.abc import Sequence

from schemas.outcomes import Finding, Layer, Verdict
from tasks.store.home import Home
from tasks.store.redaction import redact
from tasks.store.warehouse.connection import writing


def record_findings(
    home: Home, run_id: str, layer: Layer, verdict: Verdict, findings: Sequence[Finding]
) -> None:
    """Replace one layer's outcomes of a run: its verdict, and one row per finding."""
    rows: dict[tuple[str, str], tuple[str, float | None]] = {
        ("verdict", f"{layer.value} layer"): (verdict.value, float(len(findings)))
    }
    for finding in findings:
        observed = None if finding.n_affected is None else float(finding.n_affected)
        rows[finding.rule, redact(finding.message)] = (finding.verdict.value, observed)
    with writing(home) as con:
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
