"""What the forecast ledger says: scores of frozen forecasts, their summary, alarms."""

from datetime import date, datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from schemas.names import ENTITY_COLUMN, PERIOD_COLUMN, ForecastScope


class Basis(StrEnum):
    """Which question a score answers."""

    PUBLISHED = "published"
    """Was the forecast right, with the media that it supposed?"""
    DEPLOYED = "deployed"
    """Is the model right, given the media and controls that really happened?"""


class Measure(StrEnum):
    """What an assumption is about; names and units are those of ``canonical``."""

    ACTIVITY = "activity"
    SPEND = "spend"
    CONTROL = "control"
    UNIT_VALUE = "unit_value"


class AlarmKind(StrEnum):
    """What an alarm says."""

    KPI_ABOVE_FORECAST = "kpi_above_forecast"
    KPI_BELOW_FORECAST = "kpi_below_forecast"


ASSUMPTION_COLUMNS = (ENTITY_COLUMN, PERIOD_COLUMN, "measure", "name", "value")
"""``forecast_assumptions.parquet``, one row per number that a forecast supposed."""

SCORE_KEY = ("forecast_run_id", "basis", "scope", ENTITY_COLUMN, PERIOD_COLUMN)
SCORE_COLUMNS = (
    *SCORE_KEY,
    "periods_ahead",
    "actual",
    "kpi_p50",
    "crps",
    "in_50",
    "in_90",
    "ape",
    "abs_error",
    "naive_error",
    "z",
)
"""One forecast of one period beside its KPI.

``kpi_p50`` is the median of the forecast, and ``abs_error`` and ``ape`` are its error and that over
the KPI (none where the KPI is zero). ``crps`` is in KPI units. ``in_50`` and ``in_90`` say whether
the KPI was between the quartiles, and between ``kpi_p05`` and ``kpi_p95``. ``naive_error`` is the
error of the KPI of a year before, and none without history. ``z`` is the KPI less the median, over
the standard deviation that a normal distribution with the same 90 % interval has.
"""

AHEAD = {"1": (1, 1), "2-4": (2, 4), "5-13": (5, 13), "14+": (14, 10**6)}
"""Groups of periods ahead by their first and last."""
ANY_AHEAD = "any"


class ScoreSummary(BaseModel):
    """Mean scores of one basis, scope and group of periods ahead, over all runs."""

    model_config = ConfigDict(frozen=True)

    basis: Basis
    scope: ForecastScope
    periods_ahead: str
    """A key of ``AHEAD``, or ``any``."""
    n: int
    crps: float | None
    """Mean, in KPI units; None where it is not finite."""
    coverage_50: float
    coverage_90: float
    mape: float | None
    skill: float | None
    """1 - mean absolute error over that of the naive forecast, where both are known."""


class Alarm(BaseModel):
    """One excursion of the residuals, raised once."""

    model_config = ConfigDict(frozen=True)

    dataset_id: str
    kind: AlarmKind
    first_period: date
    """Where the drift began: the first period of the sum that crossed the limit."""
    raised_period: date
    """The period that crossed it."""
    raised_at: datetime
    detail: str
    cleared_at: datetime | None = None


class Scored(BaseModel):
    """What one scoring did to the ledger of a dataset."""

    model_config = ConfigDict(frozen=True)

    dataset_id: str
    n_runs: int
    """Accepted runs that have a forecast."""
    n_new: int
    """Scores that were not known before."""
    n_changed: int
    """Scores that changed, because a KPI or an input was restated or the code is another one."""
    notes: list[str]
    """What could not be scored, and why."""


class LedgerReport(Scored):
    """What one scoring did and what the ledger says now."""

    summaries: list[ScoreSummary]
    alarms: list[Alarm]
    """Alarms of the dataset that are not cleared."""
    new_alarms: list[Alarm]
    """Those that this scoring raised."""


class ScoringReport(BaseModel):
    """``mmm score --json``: scores and alarms, dataset by dataset."""

    model_config = ConfigDict(frozen=True)

    datasets: list[LedgerReport]
