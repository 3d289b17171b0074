"""How explanations of a change and the trend of refits look on a terminal."""

from flows.cli.render.terminal import render_table
from schemas.answers.stability import Floor, StabilityReport, TrendRow
from schemas.documents.changes import ChannelChange, Explanation, Factor, Part
from schemas.words import format_number, format_share

SHOWN_RUNS = 13
"""Refits of a quarter; ``--json`` has all."""
_HEADER = ("channel", "then", "now", "change", "noise", "new periods", "restated", "spec or code")
_CAUSE = {
    Factor.NOISE.value: "noise",
    Factor.NEW_PERIODS.value: "new periods",
    Factor.RESTATED.value: "restated history",
    Factor.SPEC_OR_CODE.value: "spec or code",
    "unsplit": "several together",
}


def render_explanation(reported: Explanation) -> str:
    """Render what changed, the parts of every channel, and one sentence each."""
    header = [*_HEADER, *(["together"] if _has_unsplit(reported) else []), "main cause"]
    changed = [f"{_CAUSE[name]}: {fact}" for name, fact in reported.facts.items()]
    parts = [
        f"{reported.dataset_id}  from {reported.run_a} to {reported.run_b}",
        *(f"- {line}" for line in changed or ["nothing changed but the sampler's chance"]),
        render_table(header, [_cells(row, reported) for row in reported.channels]),
        "Parts add up to the change; ± is one Monte Carlo standard error.",
        *(row.sentence for row in reported.channels),
        *(f"note: {note}" for note in reported.notes),
        _effort(reported),
    ]
    return "\n".join(part for part in parts if part)


def _effort(reported: Explanation) -> str:
    n_fits = sum(not f.error for f in reported.fits)
    if reported.is_on_record:
        return f"This was explained before and is answered from record ({n_fits} auxiliary fit(s))."
    return f"{n_fits} auxiliary fit(s), {reported.seconds:.1f} s"


def render_stability(report: StabilityReport) -> str:
    """Render one line per refit, one row per refit and channel, and the noise floor."""
    floor = {row.channel: row for row in report.floor}
    runs = report.runs[-SHOWN_RUNS:]
    shown = {run.run_id for run in runs}
    rows = [row for row in report.rows if row.run_id in shown]
    left_out = len(report.runs) - len(runs)
    parts = [
        f"{report.dataset_id}  refits compared with a champion: {len(report.runs)}{_limit(report)}",
        _runs_table(report, shown) if runs else "No accepted refit has met a champion yet.",
        _trend_table(rows, floor) if rows else "",
        _floor_lines(report),
        *(f"note: {note}" for note in report.notes),
        f"{left_out} older refit(s) are left out here; --json has them." if left_out else "",
    ]
    return "\n".join(part for part in parts if part)


def _limit(report: StabilityReport) -> str:
    limit = report.min_overlap_review
    if limit is None:
        return ""
    return f"; an overlap below {limit:g} is a REVIEW where a quarter of the data is new"


def _runs_table(report: StabilityReport, shown: set[str]) -> str:
    rows = [
        [
            run.run_id, str(run.last_period or "–"), run.verdict,
            f"{run.min_overlap:.2f} ({run.min_overlap_channel})",
            format_share(run.allocation_churn), run.champion_run_id,
        ]
        for run in report.runs
        if run.run_id in shown
    ]  # fmt: skip
    return render_table(
        ["refit", "data to", "verdict", "lowest overlap", "churn", "champion then"], rows
    )


def _trend_table(rows: list[TrendRow], floor: dict[str, Floor]) -> str:
    cells = [
        [
            row.run_id, row.channel, row.quantity, f"{row.overlap:.2f}",
            *(_floor_cells(floor.get(row.channel), row) if floor else []),
            _signed(row.change_sd), _points(row.planned_share_change),
        ]
        for row in rows
    ]  # fmt: skip
    beside = ["by chance"] if floor else []
    return render_table(
        ["refit", "channel", "of", "overlap", *beside, "change in sd", "planned share"], cells
    )


def _floor_cells(floor: Floor | None, row: TrendRow) -> list[str]:
    same = floor is not None and floor.quantity == row.quantity
    return [f"{floor.min_overlap:.2f}" if floor is not None and same else "–"]


def _floor_lines(report: StabilityReport) -> str:
    if not report.floor:
        return "No noise floor on record; --noise-seeds N measures one."
    first = report.floor[0]
    rows = [
        [
            row.channel, row.quantity, str(row.n_seeds), f"{row.min_overlap:.2f}",
            f"{row.mean_overlap:.2f}", _signed(row.max_change_sd),
        ]
        for row in report.floor
    ]  # fmt: skip
    header = ["channel", "of", "seeds", "lowest overlap", "mean overlap", "largest change in sd"]
    return f"noise floor of {first.run_id}\n{render_table(header, rows)}"


def _has_unsplit(reported: Explanation) -> bool:
    return any(row.unsplit is not None for row in reported.channels)


def _cells(row: ChannelChange, reported: Explanation) -> list[str]:
    parts = [row.parts.get(factor) for factor in Factor]
    parts += [row.unsplit] if _has_unsplit(reported) else []
    is_share = row.quantity == "share"
    return [
        f"{row.channel} (share)" if is_share else row.channel,
        _number(row.before, is_share=is_share), _number(row.after, is_share=is_share),
        _moved(row.change, is_share=is_share),
        *(_part(part, is_share=is_share) for part in parts), _CAUSE[row.main_cause],
    ]  # fmt: skip


def _part(part: Part | None, *, is_share: bool) -> str:
    if part is None:
        return "–"
    if part.value == 0 and part.mcse == 0:
        return "0"
    scale = 100 if is_share else 1
    return f"{_moved(part.value, is_share=is_share)} ±{format_number(scale * part.mcse)}"


def _number(value: float, *, is_share: bool) -> str:
    return format_share(value) if is_share else f"{value:.3f}"


def _moved(value: float, *, is_share: bool) -> str:
    # No minus before a zero.
    return f"{round(100 * value, 2) + 0.0:+.2f} pt" if is_share else f"{round(value, 3) + 0.0:+.3f}"


def _signed(value: float | None) -> str:
    return "–" if value is None else f"{value:+.2f}"


def _points(value: float | None) -> str:
    # No minus before a zero.
    return "–" if value is None else f"{round(100 * value, 1) + 0.0:+.1f} pt"
