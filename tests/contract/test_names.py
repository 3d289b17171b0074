"""Published words. A change here is a change of contract: say so in the commit, and why."""

from schemas import names
from schemas.documents.results import RefitReport, RunStatus
from schemas.outcomes import Verdict


def test_dimensions():
    assert (names.ENTITY_DIM, names.DATE_DIM, names.CHANNEL_DIM, names.CONTROL_DIM) == (
        "entity",
        "date",
        "channel",
        "control",
    )
    assert (names.FOURIER_DIM, names.SAMPLE_DIM) == ("fourier_mode", "sample")


def test_input_columns():
    assert (names.ENTITY_COLUMN, names.PERIOD_COLUMN, names.DEFAULT_KPI_COLUMN) == (
        "entity_id",
        "period_start",
        "sales",
    )
    assert (names.ACTIVITY_PREFIX, names.SPEND_PREFIX, names.CONTROL_PREFIX) == (
        "act_",
        "spend_",
        "ctrl_",
    )
    assert names.TOTAL_ENTITY == "total"


def test_columns_of_published_tables():
    assert names.CONTRIBUTION_COLUMNS == (
        "entity_id",
        "period_start",
        "component",
        "kind",
        "contribution_mean",
        "contribution_low",
        "contribution_high",
    )
    assert names.FITTED_COLUMNS == (
        "entity_id",
        "period_start",
        "actual",
        "fitted_mean",
        "fitted_low",
        "fitted_high",
    )
    assert names.HDI_PROB == 0.94


def test_columns_of_forecasts():
    summary = ("kpi_mean", "kpi_p05", "kpi_p25", "kpi_p50", "kpi_p75", "kpi_p95")
    key = ("scope", "entity_id", "period_start", "periods_ahead")
    assert (*key, "expected_mean", *summary) == names.FORECAST_COLUMNS
    assert ("forecast_run_id", *key, "actual", *summary) == names.FORECAST_ACTUALS_COLUMNS
    assert ({str(s) for s in names.ForecastScope}, names.ALL_ENTITIES) == ({"entity", "all"}, "all")


def test_component_kinds():
    assert {str(kind) for kind in names.ComponentKind} == {
        "channel",
        "control",
        "seasonality",
        "trend",
        "baseline",
        "event",
    }


def test_files_of_a_run():
    """Files that other systems read are never renamed or dropped; new ones may be added."""
    assert {
        "validation_summary.json",
        "canonical_data.parquet",
        "column_info.json",
        "features.parquet",
        "feature_metadata.json",
        "feature_scaler.json",
        "prior_predictive.json",
        "posterior.nc",
        "posterior_summary.json",
        "model_metadata.json",
        "diagnostics.json",
        "contributions.parquet",
        "contribution_summary.json",
        "fitted.parquet",
        "fit_metrics.json",
        "roi_metrics.json",
        "channel_quantiles.json",
        "response_curves.json",
        "forecast.parquet",
        "forecast_actuals.parquet",
    } <= {str(a) for a in names.Artifact}


def test_states_of_a_run_in_order():
    assert [str(s) for s in RunStatus] == [
        "CREATED",
        "VALIDATED",
        "FEATURES_BUILT",
        "TRAINING",
        "TRAINED",
        "OUTPUTS_READY",
        "ERROR",
    ]


def test_verdicts():
    assert {str(v) for v in Verdict} == {"PASS", "REVIEW", "FAIL", "NOT_EVALUATED"}


def test_json_of_a_refit():
    """Automation reads these keys of ``mmm refit --json``."""
    assert {
        "run_id",
        "dataset_id",
        "snapshot_id",
        "status",
        "verdict",
        "reasons",
        "champion",
        "artifacts_dir",
        "mlflow_run_id",
        "timings",
    } <= set(RefitReport.model_fields)
