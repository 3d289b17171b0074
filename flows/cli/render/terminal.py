"""How results look on a terminal.

Does not belong here: what a verb does (``flows.cli``), errors and streams (``.process``).
"""

import io
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path

from schemas.answers.checked_file import CheckedFile
from schemas.answers.pruning import Pruning
from schemas.answers.runs import ListedRun, RunFigures, RunSummary
from schemas.documents.effects import ChannelReturns
from schemas.documents.results import RefitReport
from schemas.names import Artifact
from schemas.outcomes import Verdict
from schemas.words import describe_against, format_champion, format_number

MAX_REASON = 120
"""Characters of a reason in a list of runs."""


def render_refit(report: RefitReport, figures: RunFigures) -> str:
    """Render the closing page of a refit."""
    metrics = {**(dict(figures.fit) if figures.fit else {}), **report.metrics}
    facts = [
        ("worst R-hat", format_number(metrics.get("r_hat_max"))),
        (
            "min ESS",
            format_number(_least(metrics.get("ess_bulk_min"), metrics.get("ess_tail_min"))),
        ),
        ("R²", format_number(metrics.get("r2"))),
        ("MAPE", _percent(metrics.get("mape"))),
        ("seconds", format_number(_total(report.timings))),
    ]
    parts = [
        f"{report.verdict}  {report.dataset_id}  run {report.run_id}",
        *(f"  - {reason}" for reason in report.reasons),
        *(f"  note: {note}" for note in report.notes or _notes_on_data(report)),
        render_returns(figures.roas),
        "  ".join(f"{name} {value}" for name, value in facts),
        _plan_line(report),
        _champion_line(report),
        f"report     {shown_path(report.artifacts_dir)}/{Artifact.REPORT}",
        f"artifacts  {shown_path(report.artifacts_dir)}",
    ]
    if report.mlflow_run_id:
        parts.append(f"MLflow     run {report.mlflow_run_id} (mmm ui shows it)")
    return "\n".join(part for part in parts if part)


def _notes_on_data(report: RefitReport) -> list[str]:
    """Notes of a refit that ended before its fit was diagnosed."""
    return [f"{f.rule}: {f.message}" for f in report.findings if f.is_note]


def render_standing(report: RefitReport) -> str:
    """Say who stays champion after a refit that was not promoted, and how old that one is."""
    if report.champion is None:
        return "there is still no champion"
    name = f"{report.champion} stays champion"
    return format_champion(name, report.champion_last_period, report.champion_age_days)


def _plan_line(report: RefitReport) -> str:
    """Say what to do with the budget; nothing where the fit was rejected."""
    if not report.plan_note:
        return ""
    advice = (report.advice or "none").upper()
    against = describe_against(report.verdict, report.reasons)
    return f"plan       {advice}: {report.plan_note} {against}".rstrip()


def shown_path(path: str) -> str:
    """Return a path as a person would type it: relative where it is below the working folder."""
    here, there = Path.cwd(), Path(path)
    return str(there.relative_to(here)) if there.is_relative_to(here) else path


def render_validation(checked: CheckedFile, data: Path) -> str:
    """Render the verdict on a file and its findings."""
    facts = checked.model_dump(mode="json", exclude={"verdict", "findings"})
    known = "  ".join(f"{name} {value}" for name, value in facts.items())
    lines = [f"{checked.verdict}  {data.name}  {known}"]
    lines += [f"- {finding.line()}" for finding in checked.findings]
    return "\n".join(lines) + "\n"


def render_returns(returns: Mapping[str, ChannelReturns]) -> str:
    """Render the table of returns, the largest contribution first."""
    if not returns:
        return ""
    by_size = sorted(returns.items(), key=lambda item: -item[1].contribution_mean)
    has_cost = any(row.cost_per_unit_mean is not None for row in returns.values())
    header = ["channel", "spend", "contribution", "ROAS", "94 % interval"]
    header += ["cost per unit", "94 % interval"] if has_cost else []
    rows = []
    for name, row in by_size:
        cells = [
            name,
            format_number(row.spend),
            format_number(row.contribution_mean),
            *_interval(row.roas_mean, row.roas_low, row.roas_high),
        ]
        if has_cost:
            cost = (row.cost_per_unit_mean, row.cost_per_unit_low, row.cost_per_unit_high)
            cells += _interval(*cost)
        rows.append([*cells, "prior-driven" if row.prior_driven else ""])
    return render_table([*header, ""], rows)


def render_runs(runs: Sequence[ListedRun]) -> str:
    """Render a list of runs."""
    if not runs:
        return "No runs yet; start one with `mmm refit --spec FILE`."
    rows = [
        [
            r.run_id, r.dataset_id, r.status.value, r.verdict.value if r.verdict else "–",
            str(r.model_version) if r.model_version is not None else "–",
            r.created_at.strftime("%Y-%m-%d %H:%M"), _note(r),
        ]
        for r in runs
    ]  # fmt: skip
    return render_table(
        ["run", "dataset", "status", "verdict", "version", "created (UTC)", "reason"], rows
    )


def _note(run: ListedRun) -> str:
    is_pass = run.verdict is Verdict.PASS
    reason = _shortened(run.reason or ("" if is_pass else run.verdict_reason) or "")
    if run.is_interrupted:
        reason = "interrupted: the next refit of this dataset takes it up, or ends it"
    gone = f"files removed on {run.files_removed_on}" if run.files_removed_on else ""
    return "; ".join(part for part in (gone, reason) if part)


def _shortened(text: str) -> str:
    """First line of a text, cut between words where it is long; `mmm show` has all of it."""
    line = text.partition("\n")[0]
    return line if len(line) <= MAX_REASON else textwrap.shorten(line, MAX_REASON, placeholder=" …")


def render_run(summary: RunSummary) -> str:
    """Render all that is known of one run."""
    written = summary.model_dump(mode="json")
    keys = ("run_id", "dataset_id", "status", "reason", "verdict", "snapshot_id", "model_version",
            "champion", "mlflow_run_id", "created_at", "updated_at", "artifacts_dir")  # fmt: skip
    facts = [[key, str(written[key])] for key in keys if written[key] is not None]
    numbers = {**written["diagnostics"], **written["fit"]}
    gates = [
        [g.battery, g.gate, g.verdict, format_number(g.observed), g.detail or ""]
        for g in summary.gates
    ]
    parts = [
        render_table(["", ""], facts),
        _pruned_line(summary.pruned),
        "\n".join(f"- {reason}" for reason in summary.reasons),
        "\n".join(f"note: {note}" for note in summary.notes),
        render_returns(summary.roas),
        render_table(["diagnostic", "value"], [[k, format_number(v)] for k, v in numbers.items()])
        if numbers
        else "",
        render_table(["battery", "gate", "verdict", "observed", "detail"], gates) if gates else "",
    ]
    return "\n\n".join(part for part in parts if part)


def _pruned_line(pruning: Pruning | None) -> str:
    if pruning is None:
        return ""
    return (
        f"The files of this run were removed on {pruning.decided_at:%Y-%m-%d} by the retention "
        f"policy ({pruning.reason}); this is what the warehouse and the run's trail say."
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
        table.add_row(*(Text(visible(cell)) for cell in row))
    # Wide enough that nothing is cut or wrapped: a table that is piped must stay one row per line.
    console = Console(file=io.StringIO(), width=400, color_system=None)
    console.print(table)
    page = console.file.getvalue()  # type: ignore[attr-defined]
    return "\n".join(line.rstrip() for line in page.splitlines() if line.strip())


def visible(text: str) -> str:
    """Write text of a file or spec for a terminal, control characters made visible."""
    # A terminal breaks no cell, so the space that must not break a line is a plain one here.
    text = text.replace("\N{NO-BREAK SPACE}", " ")
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def _interval(mean: float | None, low: float | None, high: float | None) -> list[str]:
    if mean is None:
        return ["–", "–"]
    return [format_number(mean), f"{format_number(low)} to {format_number(high)}"]


def _champion_line(report: RefitReport) -> str:
    champion, version = report.champion, report.model_version
    if not champion:
        return "champion   none yet"
    if report.verdict is not Verdict.FAIL and champion == f"{report.dataset_id}@{version}":
        return f"champion   {champion}"
    name, period = f"{champion} (unchanged)", report.champion_last_period
    registered = f"; {report.dataset_id}@{version} is challenger" if version else ""
    return f"champion   {format_champion(name, period, report.champion_age_days)}{registered}"


def _least(*values: float | None) -> float | None:
    return min((v for v in values if v is not None), default=None)


def _total(timings: Mapping[str, float]) -> float:
    """Wall seconds of all stages; ``fit_*`` are parts of ``fit``."""
    return sum(seconds for stage, seconds in timings.items() if not stage.startswith("fit_"))


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.1f} %"
