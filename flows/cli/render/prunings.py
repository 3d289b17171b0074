"""How pruning looks on a terminal."""

from flows.cli.render.terminal import render_table
from schemas.answers.pruning import DatasetPruning, PruneReport
from schemas.words import format_bytes

_HEADER = ("kind", "id", "age, days", "size", "reason")


def render_pruning(report: PruneReport) -> str:
    """Render what went or would go, what stays, and what was left alone."""
    items = [item for part in report.datasets for item in part.items]
    rows = [
        [item.kind.value, item.item_id, str(item.age_days), format_bytes(item.n_bytes), item.reason]
        for item in items
    ]
    freed = "would be freed; nothing was changed" if report.dry_run else "freed"
    parts = [
        *([render_table(_HEADER, rows)] if rows else ["Nothing to prune."]),
        *(_kept(part) for part in report.datasets if part.kept),
        *(f"- {note}" for part in report.datasets for note in part.notes),
        *([f"{format_bytes(report.n_bytes)} {freed}"] if rows else []),
    ]
    return "\n".join(parts)


def _kept(part: DatasetPruning) -> str:
    reasons = "; ".join(f"{count} {reason}" for reason, count in part.kept.items())
    return f"{part.dataset_id} keeps the files of {sum(part.kept.values())} run(s): {reasons}"
