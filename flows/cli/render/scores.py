"""How the forecast ledger looks on a terminal."""

from collections.abc import Sequence

from flows.cli.render.terminal import render_table
from schemas.documents.forecast_scores import LedgerReport, ScoreSummary, ScoringReport
from schemas.names import ForecastScope
from schemas.words import format_number, format_share

MIN_FOR_SHARE = 10
"""Scored periods from which a coverage is a percentage; errors have one from two."""
_HEADER = (
    "forecast", "periods ahead", "scored", "CRPS", "in 50 %", "in 90 %", "MAPE", "skill",
)  # fmt: skip


def render_scoring(report: ScoringReport) -> str:
    """Render every ledger: mean scores of all entities together, open alarms, what was skipped."""
    if not report.datasets:
        return "No forecasts yet; an accepted refit makes one (`mmm refit --spec FILE`)."
    return "\n\n".join(_render_ledger(ledger) for ledger in report.datasets)


def _render_ledger(ledger: LedgerReport) -> str:
    together = [s for s in ledger.summaries if s.scope is ForecastScope.ALL]
    news = f"{ledger.n_new} new, {ledger.n_changed} changed"
    parts = [
        f"{ledger.dataset_id}  forecasts of {ledger.n_runs} accepted run(s)  scores: {news}",
        _scores(together) if together else "Nothing that was forecast has happened yet.",
        *(
            f"ALARM ({'new' if alarm in ledger.new_alarms else 'open'}): {alarm.detail}"
            for alarm in ledger.alarms
        ),
        *([] if ledger.alarms or not together else ["no alarm"]),
        *(f"- {note}" for note in ledger.notes),
    ]
    return "\n".join(parts)


def _covered(share: float, n: int) -> str:
    """Write how often an interval held: in numbers where a percentage would sound like more."""
    return format_share(share) if n >= MIN_FOR_SHARE else f"{round(share * n)} of {n}"


def _scores(summaries: Sequence[ScoreSummary]) -> str:
    rows = [
        [
            s.basis.value, s.periods_ahead, str(s.n), format_number(s.crps),
            _covered(s.coverage_50, s.n), _covered(s.coverage_90, s.n),
            *(format_share(share) if s.n > 1 else "–" for share in (s.mape, s.skill)),
        ]
        for s in summaries
    ]  # fmt: skip
    return render_table(_HEADER, rows)
