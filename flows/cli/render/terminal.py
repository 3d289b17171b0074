"""How results look on a terminal.

Does not belong here: what a verb does (``flows.cli``), errors and streams (``.process``).
"""

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from schemas.documents.results import RefitReport, RunRecord
from schemas.names import Artifact
from schemas.words import describe_against, format_champion, format_number


def render_refit(report: Mapping[str, Any], summaries: Mapping[str, Any]) -> str:
    """Render the closing page of a refit."""
    metrics = {**summaries.get("fit", {}), **report.get("metrics", {})}
    facts = [
        ("worst R-hat", format_number(metrics.get("r_hat_max"))),
        (
            "min ESS",
            format_number(_least(metrics.get("ess_bulk_min"), metrics.get("ess_tail_min"))),
        ),
        ("R²", format_number(metrics.get("r2"))),
        ("MAPE", _percent(metrics.get("mape"))),
        ("seconds", format_number(_total(report.get("timings", {})))),
    ]
    parts = [
        f"{report['verdict']}  {report['dataset_id']}  run {report['run_id']}",
        *(f"  - {reason}" for reason in report.get("reasons", [])),
        *_notes(report.get("findings", [])),
        render_returns(summaries.get("roas", {})),
        "  ".join(f"{name} {value}" for name, value in facts),
        _plan_line(report),
        _champion_line(report),
        f"report     {shown_path(report['artifacts_dir'])}/{Artifact.REPORT}",
        f"artifacts  {shown_path(report['artifacts_dir'])}",
    ]
    if report.get("mlflow_run_id"):
        parts.append(f"MLflow     run {report['mlflow_run_id']} (mmm ui shows it)")
    return "\n".join(part for part in parts if part)


def _notes(findings: Sequence[Mapping[str, Any]]) -> list[str]:
    """What was done with the file and needs nobody to act."""
    return [f"  note: {f['message']}" for f in findings if f["verdict"] == "PASS"]


def render_standing(report: RefitReport) -> str:
    """Say who stays champion after a refit that was not promoted, and how old that one is."""
    if report.champion is None:
        return "there is still no champion"
    name = f"{report.champion} stays champion"
    return format_champion(name, report.champion_last_period, report.champion_age_days)


def _plan_line(report: Mapping[str, Any]) -> str:
    """Say what to do with the budget; nothing where the fit was rejected."""
    if not report.get("plan_note"):
        return ""
    advice = (report.get("advice") or "none").upper()
    against = describe_against(report["verdict"], report.get("reasons", []))
    return f"plan       {advice}: {report['plan_note']} {against}".rstrip()


def shown_path(path: str) -> str:
    """Return a path as a person would type it: relative where it is below the working folder."""
    here, there = Path.cwd(), Path(path)
    return str(there.relative_to(here)) if there.is_relative_to(here) else path


def render_validation(result: Mapping[str, Any], data: Path) -> str:
    """Render the verdict on a file and its findings."""
    facts = {
        k: v
        for k, v in result.items()
        if k not in {"verdict", "findings"} and isinstance(v, str | int)
    }
    lines = [
        f"{result['verdict']}  {data.name}  " + "  ".join(f"{k} {v}" for k, v in facts.items())
    ]
    lines += [
        f"- [{f['verdict']}] {f['rule']}: {f['message']} {f.get('remedy', '')}".rstrip()
        for f in result["findings"]
    ]
    return "\n".join(lines) + "\n"


def render_returns(roas: Mapping[str, Mapping[str, Any]]) -> str:
    """Render the table of returns, the largest contribution first."""
    if not roas:
        return ""
    by_size = sorted(roas.items(), key=lambda item: -float(item[1].get("contribution_mean") or 0))
    has_cost = any(row.get("cost_per_unit_mean") is not None for row in roas.values())
    header = ["channel", "spend", "contribution", "ROAS", "94 % interval"]
    header += ["cost per unit", "94 % interval"] if has_cost else []
    rows = []
    for name, row in by_size:
        cells = [
            name,
            format_number(row.get("spend")),
            format_number(row.get("contribution_mean")),
            *_interval(row, "roas"),
        ]
        cells += _interval(row, "cost_per_unit") if has_cost else []
        rows.append([*cells, "prior-driven" if row.get("prior_driven") else ""])
    return render_table([*header, ""], rows)


def render_runs(records: Sequence[RunRecord], pruned: Mapping[str, str] | None = None) -> str:
    """Render a list of runs; ``pruned`` has the day on which a run's files were removed."""
    removed = pruned or {}
    if not records:
        return "No runs yet; start one with `mmm refit --spec FILE`."
    rows = [
        [
            r.run_id, r.dataset_id, r.status.value, r.verdict.value if r.verdict else "–",
            str(r.model_version) if r.model_version is not None else "–",
            r.created_at.strftime("%Y-%m-%d %H:%M"), _note(r, removed.get(r.run_id)),
        ]
        for r in records
    ]  # fmt: skip
    return render_table(
        ["run", "dataset", "status", "verdict", "version", "created (UTC)", "reason"], rows
    )


def _note(record: RunRecord, pruned_on: str | None) -> str:
    reason = (record.reason or "").partition("\n")[0][:80]
    gone = f"files removed on {pruned_on}" if pruned_on else ""
    return "; ".join(part for part in (gone, reason) if part)


def render_run(summary: Mapping[str, Any]) -> str:
    """Render all that is known of one run."""
    keys = ("run_id", "dataset_id", "status", "reason", "verdict", "snapshot_id", "model_version",
            "champion", "mlflow_run_id", "created_at", "updated_at", "artifacts_dir")  # fmt: skip
    facts = [[key, str(summary[key])] for key in keys if summary.get(key) is not None]
    numbers = {
        **summary["diagnostics"],
        **{k: v for k, v in summary["fit"].items() if isinstance(v, int | float)},
    }
    gates = [
        [g["battery"], g["gate"], g["verdict"], format_number(g["observed"]), g["detail"] or ""]
        for g in summary["gates"]
    ]
    parts = [
        render_table(["", ""], facts),
        _pruned_line(summary["pruned"]),
        "\n".join(f"- {reason}" for reason in summary["reasons"]),
        "\n".join(f"note: {note}" for note in summary["notes"]),
        render_returns(summary["roas"]),
        render_table(["diagnostic", "value"], [[k, format_number(v)] for k, v in numbers.items()])
        if numbers
        else "",
        render_table(["battery", "gate", "verdict", "observed", "detail"], gates) if gates else "",
    ]
    return "\n\n".join(part for part in parts if part)


def _pruned_line(pruning: Mapping[str, Any] | None) -> str:
    if pruning is None:
        return ""
    return (
        f"The files of this run were removed on {str(pruning['decided_at'])[:10]} by the retention "
        f"policy ({pruning['reason']}); this is what the warehouse and the run's trail say."
    )


def render_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Render aligned columns; names are printed as text, control characters made visible."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, show_header=any(header), pad_edge=False)
    for name in header:
        table.add_column(Text(name))
    for row in rows:
        table.add_row(*(Text(_visible(cell)) for cell in row))
    # Wide enough that nothing is cut or wrapped: a table that is piped must stay one row per line.
    console = Console(file=io.StringIO(), width=400, color_system=None)
    console.print(table)
    page = console.file.getvalue()  # type: ignore[attr-defined]
    return "\n".join(line.rstrip() for line in page.splitlines() if line.strip())


def _visible(text: str) -> str:
    # A terminal breaks no cell, so the space that must not break a line is a plain one here.
    text = text.replace("\N{NO-BREAK SPACE}", " ")
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def _interval(row: Mapping[str, Any], stem: str) -> list[str]:
    if row.get(f"{stem}_mean") is None:
        return ["–", "–"]
    return [
        format_number(row[f"{stem}_mean"]),
        f"{format_number(row.get(f'{stem}_low'))} to {format_number(row.get(f'{stem}_high'))}",
    ]


def _champion_line(report: Mapping[str, Any]) -> str:
    champion, version = report.get("champion"), report.get("model_version")
    if not champion:
        return "champion   none yet"
    if report["verdict"] != "FAIL" and champion == f"{report['dataset_id']}@{version}":
        return f"champion   {champion}"
    period, age = report.get("champion_last_period"), report.get("champion_age_days")
    registered = f"; {report['dataset_id']}@{version} is challenger" if version else ""
    return f"champion   {format_champion(f'{champion} (unchanged)', period, age)}{registered}"


def _least(*values: float | None) -> float | None:
    return min((v for v in values if v is not None), default=None)


def _total(timings: Mapping[str, float]) -> float:
    """Wall seconds of all stages; ``fit_*`` are parts of ``fit``."""
    return sum(seconds for stage, seconds in timings.items() if not stage.startswith("fit_"))


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.1f} %"
