"""What the forecast ledger of a dataset shows: scores, alarms, every frozen forecast."""

from datetime import date

from schemas.documents.base import Count, Part, Share
from schemas.documents.forecast_scores import Alarm, ScoreSummary


class FrozenForecast(Part):
    """The forecast that one accepted run froze."""

    run_id: str
    """The run."""
    first_period: date
    """First period that it speaks of."""
    last_period: date
    """Last one."""
    n_periods: Count
    """Periods that it speaks of, all entities together."""
    n_scored: Count
    """Those that have happened and were scored as published."""
    coverage_90: Share | None
    """Of the scored ones, inside the band of nine in ten; null where none is scored."""


class ShownLedger(Part):
    """The forecast ledger of a dataset as it is known; nothing is scored."""

    dataset_id: str
    """The dataset."""
    summaries: list[ScoreSummary]
    """Mean scores by basis, scope and periods ahead."""
    alarms: list[Alarm]
    """Every alarm, the newest first; one that is cleared says when."""
    forecasts: list[FrozenForecast]
    """The newest first."""
    is_due: bool
    """Whether a scoring would change something: a period has happened, or a KPI was restated."""
