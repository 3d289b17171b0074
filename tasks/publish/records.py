"""What MLflow and Prefect are told about a refit: parameters, metrics, tags, note. No I/O."""

from collections.abc import Mapping, Sequence
from typing import Any

from schemas.documents.data import ValidationSummary
from schemas.documents.effects import ChannelReturns
from schemas.names import Artifact
from schemas.outcomes import GateRow, Verdict
from schemas.spec.kpi import KpiKind
from schemas.spec.run_spec import RunSpec
from schemas.words import escape_markdown, format_number
from tasks.mathematics.judging import gate_group_of, is_of_sampler
from tasks.publish.outputs import RunOutputs, compute_shares


def run_name(outputs: RunOutputs) -> str:
    """Return the name that reports two weeks apart in a list."""
    return f"{outputs.spec.dataset_id} {outputs.last_period} {outputs.diagnostics.verdict}"


def refit_params(outputs: RunOutputs, fingerprints: Mapping[str, str]) -> dict[str, str]:
    """Return what decided the result and is not the default, the snapshot, and the code.

    The whole spec is ``run_spec.json``, library versions are in ``model_metadata.json``: both are
    artifacts of the same run.
    """
    return {
        **flatten_spec(outputs.spec),
        "snapshot_id": outputs.snapshot.snapshot_id,
        "as_of": str(outputs.snapshot.as_of),
        **{f"fingerprint.{name}": value for name, value in fingerprints.items()},
    }


def refit_tags(outputs: RunOutputs, facts: Mapping[str, str]) -> dict[str, str]:
    """Return what a list of runs is searched and grouped by; ``facts`` are added."""
    return {
        "verdict": outputs.diagnostics.verdict.value,
        "dataset_id": outputs.spec.dataset_id,
        "snapshot_id": outputs.snapshot.snapshot_id,
        "last_period": outputs.last_period,
        "reasons": " | ".join(outputs.diagnostics.reasons)[:4000] or "none",
        "inputs_digest": outputs.snapshot.wide.sha256,
        **facts,
    }


def flatten_spec(spec: RunSpec) -> dict[str, str]:
    """Return what the spec states beside its defaults as dotted keys.

    Channels by name, so that two weeks compare in any order.
    """
    stated = _flatten(spec.model_dump(mode="json", exclude_defaults=True), "")
    return {"dataset_id": spec.dataset_id, "model.kind": spec.model.kind, **stated}


def refit_metrics(outputs: RunOutputs, timings: Mapping[str, float]) -> dict[str, float | None]:
    """Return metrics by their MLflow names: sampling, fit, returns, shares and seconds."""
    metrics = group_metrics({**outputs.diagnostics.metrics, **outputs.attribution.metrics})
    for channel, row in outputs.roas.items():
        for quantity in ("roas", "mroas", "cost_per_unit"):
            metrics[f"{quantity}/{channel}"] = getattr(row, f"{quantity}_mean")
    metrics |= {
        f"contribution_share/{name}": share for name, share in compute_shares(outputs).items()
    }
    metrics |= {f"seconds/{stage}": seconds for stage, seconds in timings.items()}
    metrics["seconds/total"] = total_seconds(timings)
    return metrics


def group_metrics(metrics: Mapping[str, float | None]) -> dict[str, float | None]:
    """Put metrics into the groups that MLflow shows: ``sampling/``, ``fit/``; others have one."""
    return {
        name if "/" in name else f"{'sampling' if is_of_sampler(name) else 'fit'}/{name}": value
        for name, value in metrics.items()
    }


def total_seconds(timings: Mapping[str, float]) -> float:
    """Sum the stages of a refit; ``fit_*`` are parts of ``fit``."""
    return sum(seconds for stage, seconds in timings.items() if stage[:4] != "fit_")


def gate_rows(outputs: RunOutputs, gate_group: str) -> list[GateRow]:
    """Return rows of ``ops.gate_results`` of one gate group, ``sampling`` or ``fit``."""
    return [
        GateRow(g.gate, g.verdict.value, g.observed, g.reason or g.where)
        for g in outputs.gates
        if gate_group_of(g) == gate_group
    ]


def roas_rows(outputs: RunOutputs) -> list[dict[str, str]]:
    """Return the table of returns as text, the largest contribution first."""
    count = outputs.spec.kpi.kind is KpiKind.COUNT
    shares = compute_shares(outputs)
    rows = []
    for name in outputs.channels:
        row = outputs.roas[name]
        cells = {
            "channel": name,
            "spend": format_number(row.spend),
            "share of KPI": f"{100 * shares[name]:.1f} %" if name in shares else "–",
            "ROAS": _interval(row, "roas"),
        }
        if count:
            cells[f"cost per {outputs.spec.kpi_name}"] = _interval(row, "cost_per_unit")
        cells["mROAS"] = format_number(row.mroas_mean)
        cells["decided by"] = "prior" if row.prior_driven else "data"
        cells["evidence"] = row.evidence_sentence or "–"
        rows.append(cells)
    return rows


def diagnostics_rows(outputs: RunOutputs) -> list[dict[str, str]]:
    """Return all gates as text, the worst first."""
    order = (Verdict.FAIL, Verdict.REVIEW, Verdict.NOT_EVALUATED, Verdict.PASS)
    gates = sorted(outputs.gates, key=lambda g: order.index(g.verdict))
    return [
        {
            "gate": g.gate,
            "verdict": g.verdict.value,
            "observed": format_number(g.observed),
            "where": g.where,
            "reason": g.reason,
        }
        for g in gates
    ]


def data_rows(summary: ValidationSummary) -> list[dict[str, str]]:
    """Return what the data checks found as rows like those of ``diagnostics_rows``."""
    rows = []
    for name, layer in summary.layers.items():
        found = [(f.rule, f.verdict, f"{f.message} {f.remedy}") for f in layer.findings]
        rows += [
            {
                "gate": rule, "verdict": verdict.value, "observed": "–", "where": f"{name} data",
                "reason": reason,
            }
            for rule, verdict, reason in found or [("all checks", layer.verdict, "")]
        ]  # fmt: skip
    return rows


def render_links(address: str) -> str:
    """Link to a run's page in MLflow and to its report there, in markdown."""
    return f"[MLflow run]({address}) · [report]({address}/artifacts/{Artifact.REPORT})"


def render_note(outputs: RunOutputs, promotion: str) -> str:
    """Render the page that opens with a run: verdict, reasons, returns."""
    reasons = "\n".join(f"- {escape_markdown(r)}" for r in outputs.diagnostics.reasons)
    notes = "\n".join(f"- note: {escape_markdown(n)}" for n in outputs.diagnostics.notes)
    metrics = {**outputs.diagnostics.metrics, **outputs.attribution.metrics}
    names = ("r_hat_max", "ess_bulk_min", "ess_tail_min", "divergences", "r2", "mape")
    facts = [(name, metrics.get(name)) for name in names]
    return "\n\n".join(
        part
        for part in (
            f"**{outputs.diagnostics.verdict}**, {escape_markdown(outputs.spec.dataset_id)} "
            f"to {outputs.last_period}. {escape_markdown(promotion)}",
            reasons,
            notes,
            " · ".join(
                f"{name} {format_number(value)}" for name, value in facts if value is not None
            ),
            render_table(roas_rows(outputs)),
        )
        if part
    )


def render_table(rows: Sequence[Mapping[str, str]]) -> str:
    """Render rows as a markdown table; names are text, whatever characters they have."""
    if not rows:
        return ""
    columns = list(rows[0])
    lines = [columns, ["---"] * len(columns), *([row[c] for c in columns] for row in rows)]
    return "\n".join(
        "| " + " | ".join(cell if cell == "---" else escape_markdown(cell) for cell in line) + " |"
        for line in lines
    )


def _flatten(value: Any, key: str) -> dict[str, str]:
    if isinstance(value, dict):
        parts = dict(value)
    elif isinstance(value, list) and value and all(isinstance(v, dict) for v in value):
        parts = {str(v.get("name", i)): v for i, v in enumerate(value)}
    else:
        return {key: ", ".join(map(str, value)) if isinstance(value, list) else str(value)}
    flat: dict[str, str] = {}
    for name, inner in parts.items():
        flat |= _flatten(inner, f"{key}.{name}" if key else str(name))
    return flat


def _interval(row: ChannelReturns, stem: str) -> str:
    mean, low, high = (getattr(row, f"{stem}_{end}") for end in ("mean", "low", "high"))
    if mean is None:
        return "–"
    return f"{format_number(mean)} [{format_number(low)}, {format_number(high)}]"
