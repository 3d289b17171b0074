"""Every dimension, column, component kind and file name, written once.

These words are public: they appear in Parquet files, DuckDB tables, MLflow and reports. A change
here is a change of contract (``tests/contract/test_names.py`` holds the published list).
"""

from enum import StrEnum

ENTITY_DIM = "entity"
"""Markets, stores or brands, in alphabetical order."""
DATE_DIM = "date"
"""Period starts, oldest first."""
CHANNEL_DIM = "channel"
"""Channels in the order of the run spec; found by prefix, in alphabetical order."""
CONTROL_DIM = "control"
"""Controls in the order of the run spec; found by prefix, in alphabetical order."""
FOURIER_DIM = "fourier_mode"
"""``sin_1..sin_K, cos_1..cos_K`` of the yearly seasonality."""
SAMPLE_DIM = "sample"
"""Chains and draws stacked, chain by chain."""

ENTITY_COLUMN = "entity_id"
PERIOD_COLUMN = "period_start"
DEFAULT_KPI_COLUMN = "sales"
ACTIVITY_PREFIX = "act_"
SPEND_PREFIX = "spend_"
CONTROL_PREFIX = "ctrl_"
TOTAL_ENTITY = "total"
"""The one entity of a file without an entity column, or of a panel summed to brand level."""

ALL_ENTITIES = "all"
"""All entities together, in a forecast of scope ``all``."""

BASELINE_COMPONENT = "baseline"
SEASONALITY_COMPONENT = "seasonality"
TREND_COMPONENT = "trend"

HDI_PROB = 0.94
"""Every published interval is the 94 % highest-density interval (3 % and 97 % ends)."""


class ComponentKind(StrEnum):
    """What a part of the expected KPI is due to."""

    CHANNEL = "channel"
    CONTROL = "control"
    SEASONALITY = "seasonality"
    TREND = "trend"
    BASELINE = "baseline"
    EVENT = "event"


class ForecastScope(StrEnum):
    """What a forecast speaks of: one entity, or the sum over all of them."""

    ENTITY = "entity"
    ALL = "all"


class Artifact(StrEnum):
    """Files of one run, all in ``data/runs/<run_id>/``."""

    RUN_SPEC = "run_spec.json"
    RUN_STATUS = "run_status.json"
    VALIDATION_SUMMARY = "validation_summary.json"
    CANONICAL_LONG = "canonical_long.parquet"
    CANONICAL_PANEL = "canonical_panel.parquet"
    CANONICAL_DATA = "canonical_data.parquet"
    COLUMN_INFO = "column_info.json"
    FEATURES = "features.parquet"
    FEATURE_METADATA = "feature_metadata.json"
    FEATURE_SCALER = "feature_scaler.json"
    PRIOR_PREDICTIVE = "prior_predictive.json"
    POSTERIOR = "posterior.nc"
    PYMC_MARKETING = "pymc_marketing_mmm.nc"
    POSTERIOR_SUMMARY = "posterior_summary.json"
    MODEL_METADATA = "model_metadata.json"
    DIAGNOSTICS = "diagnostics.json"
    ESCALATION = "escalation.json"
    CONTRIBUTIONS = "contributions.parquet"
    CONTRIBUTION_SUMMARY = "contribution_summary.json"
    FITTED = "fitted.parquet"
    FIT_METRICS = "fit_metrics.json"
    ROI_METRICS = "roi_metrics.json"
    CHANNEL_QUANTILES = "channel_quantiles.json"
    RESPONSE_CURVES = "response_curves.json"
    ROAS_BY_ENTITY = "roas_by_entity.parquet"
    PLAN = "plan.json"
    STABILITY = "stability.json"
    CHANGE = "change.json"
    FORECAST = "forecast.parquet"
    FORECAST_ASSUMPTIONS = "forecast_assumptions.parquet"
    FORECAST_ACTUALS = "forecast_actuals.parquet"
    REPORT = "report.html"
    DIGESTS = "digests.json"


CONTRIBUTION_COLUMNS = (
    ENTITY_COLUMN,
    PERIOD_COLUMN,
    "component",
    "kind",
    "contribution_mean",
    "contribution_low",
    "contribution_high",
)
FITTED_COLUMNS = (
    ENTITY_COLUMN,
    PERIOD_COLUMN,
    "actual",
    "fitted_mean",
    "fitted_low",
    "fitted_high",
)
_KPI_SUMMARY = ("kpi_mean", "kpi_p05", "kpi_p25", "kpi_p50", "kpi_p75", "kpi_p95")
FORECAST_COLUMNS = (
    "scope",
    ENTITY_COLUMN,
    PERIOD_COLUMN,
    "periods_ahead",
    "expected_mean",
    *_KPI_SUMMARY,
)
FORECAST_ACTUALS_COLUMNS = (
    "forecast_run_id",
    "scope",
    ENTITY_COLUMN,
    PERIOD_COLUMN,
    "periods_ahead",
    "actual",
    *_KPI_SUMMARY,
)
