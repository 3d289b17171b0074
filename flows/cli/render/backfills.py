"""How a backfill looks on a terminal: one row per as-of date, then why what is missing is."""

from flows.cli.render.terminal import render_table
from schemas.answers.backfill import BackfillReport, ReplayedPeriod, ReplayOutcome
from schemas.words import format_number

_SILENT = (ReplayOutcome.DONE, ReplayOutcome.UNCHANGED)
_HEADER = ["as of", "outcome", "verdict", "champion", "worst R-hat", "seconds", "run"]


def render_backfill(report: BackfillReport) -> str:
    """Render the table of a backfill and the reasons for what was not promoted."""
    reasons = [
        f"- {period.as_of}: {period.reason}"
        for period in report.periods
        if period.reason and not period.became_champion and period.outcome not in _SILENT
    ]
    champion = [f"champion   {report.champion}"] if report.champion else []
    parts = [
        f"{report.dataset_id}  {report.summary}",
        render_table(_HEADER, [_row(period) for period in report.periods]),
        *champion,
        *reasons,
    ]
    return "\n".join(parts)


def _row(period: ReplayedPeriod) -> list[str]:
    return [
        f"{period.as_of}",
        period.outcome.value,
        period.verdict.value if period.verdict else "–",
        "yes" if period.became_champion else "no",
        format_number(period.r_hat_max),
        format_number(period.seconds) if period.seconds else "–",
        period.run_id or "–",
    ]
