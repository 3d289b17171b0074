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
TERM_DIM = "term"
"""Controls, trend, Fourier and event columns of the linear design."""
SAMPLE_DIM = "sample"
"""Chains and draws stacked, chain by chain."""

ENTITY_COLUMN = "entity_id"
PERIOD_COLUMN = "period_start"
DEFAULT_KPI_COLUMN = "sales"
ACTIVITY_PREFIX = "act_"
SPEND_PREFIX = "spend_"
CONTROL_PREFIX = "ctrl_"
TEXT_SUFFIXES = (".csv", ".tsv", ".txt")
"""Files of text, whose numbers are written with the spec's decimal mark; others are typed."""
PARQUET_SUFFIXES = (".parquet", ".pq")
EXCEL_SUFFIXES = (".xlsx", ".xlsm", ".xls", ".xlsb", ".ods")
LINE_COLUMN = "_line"
"""Line of the file that a row began on; the header is line 1. No input column has this name."""
TOTAL_ENTITY = "total"
"""The one entity of a file without an entity column, or of a panel summed to brand level."""

ALL_ENTITIES = "all"
"""All entities together, in a forecast of scope ``all``."""

BASELINE_COMPONENT = "baseline"
SEASONALITY_COMPONENT = "seasonality"
TREND_COMPONENT = "trend"

MARGINAL_STEP = 0.01
"""mROAS is what the next percent of a channel's spend brings, spread as it was spent."""
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


class Alias(StrEnum):
    """Aliases of a registered model."""

    CHAMPION = "champion"
    CHALLENGER = "challenger"


class ForecastScope(StrEnum):
    """What a forecast speaks of: one entity, or the sum over all of them."""

    ENTITY = "entity"
    ALL = "all"


class Artifact(StrEnum):
    """Files of one run, all in ``data/runs/<run_id>/``."""

    RUN_SPEC = "run_spec.json"
    """What was asked: the run spec, lift tests from files included."""
    RUN_STATUS = "run_status.json"
    """How far it got: CREATED, VALIDATED, FEATURES_BUILT, TRAINING, TRAINED, OUTPUTS_READY or
    ERROR, with the reason."""
    VALIDATION_SUMMARY = "validation_summary.json"
    """Every finding of the data checks, per layer, with missing rates and grain."""
    CANONICAL_LONG = "canonical_long.parquet"
    """Canonical rows as the model saw them: one value per row."""
    CANONICAL_PANEL = "canonical_panel.parquet"
    """The same rows as a panel of entities and periods, before filling and summing."""
    CANONICAL_DATA = "canonical_data.parquet"
    """The panel that is fitted, summed to one brand where the spec says so."""
    COLUMN_INFO = "column_info.json"
    """The role of each column, and what the newest file changes of history."""
    FEATURES = "features.parquet"
    """What entered the model, one row per entity and period."""
    FEATURE_METADATA = "feature_metadata.json"
    """What a model needs beside its draws: kind, channels, controls, windows, priors."""
    FEATURE_SCALER = "feature_scaler.json"
    """How it was scaled: scale per entity and channel, KPI scale, mean and standard deviation
    of controls."""
    PRIOR_PREDICTIVE = "prior_predictive.json"
    """Written before sampling: spend and input per channel; for kind ``mmm`` also what the
    priors say of share, ROAS and KPI."""
    POSTERIOR = "posterior.nc"
    """The draws, parameters only."""
    PYMC_MARKETING = "pymc_marketing_mmm.nc"
    """For kind ``mmm`` the fit as pymc-marketing's ``MMM.load`` reads it. Absent where a stock
    ``MMM`` cannot hold the fit: channels that differ in adstock or saturation (one without either
    fits in), or ``time_varying_media``; the log says which."""
    CAUSAL_GRAPH = "causal_graph.json"
    """For kind ``causal_gru`` the learned graph: every edge that may be, how it does against its
    placebos, direct and total interventions, forecasts beside simpler ones. Absent otherwise."""
    CAUSAL_GRAPH_PICTURE = "causal_graph.svg"
    """The edges of that graph that were found, as a picture."""
    POSTERIOR_SUMMARY = "posterior_summary.json"
    """Mean, standard deviation and 94 % interval of every parameter."""
    MODEL_METADATA = "model_metadata.json"
    """The model, sampler settings, versions of libraries and the fingerprint of the code."""
    DIAGNOSTICS = "diagnostics.json"
    """The verdict, its reasons, and the numbers behind it: ``r_hat_max``, ``ess_bulk_min``,
    ``ess_tail_min``, ``divergences``, ``ebfmi_min``, ``max_tree_depth_share``, then per gate and
    parameter; each lift test against the model with and without it. Where a sampling gate failed,
    ``causes``: the worst parameters, what each is, its likely cause with the evidence, and a
    remedy."""
    ESCALATION = "escalation.json"
    """Only where the first fit failed a sampling gate: every fit that was tried, with its
    settings, seconds and diagnostics, which one was selected, and why no other was tried."""
    CONTRIBUTIONS = "contributions.parquet"
    """What each component contributed, per entity and period of the estimation window."""
    CONTRIBUTION_SUMMARY = "contribution_summary.json"
    """The same in total: contribution, share of the KPI and incremental KPI, each with its
    94 % interval."""
    FITTED = "fitted.parquet"
    """Actual and fitted KPI, per entity and period."""
    FIT_METRICS = "fit_metrics.json"
    """``mape``, ``rmse`` (KPI units), ``r2``, ``n_observations``."""
    ROI_METRICS = "roi_metrics.json"
    """Per channel ``spend``, ``contribution_{mean,low,high}``, ``roas_{mean,low,high}``,
    ``mroas_mean``, ``prior_driven``; for a count ``cost_per_unit_{mean,low,high}``."""
    CHANNEL_QUANTILES = "channel_quantiles.json"
    """Share of the KPI and ROAS per channel: median, 50 % and 90 % intervals, as
    ``prior_predictive.json`` has them from the priors."""
    RESPONSE_CURVES = "response_curves.json"
    """What a channel adds per period in the long run, against its spend (or input), with 90 % and
    94 % bands; for spend also marginal ROAS at current spend, the spend at which it falls to
    ``optimizer.target_return``, and the headroom until there. Per entity, too."""
    CHANNEL_EFFECTS = "channel_effects.json"
    """Spend, contribution and ROAS per channel and horizon, counted back from the last period, with
    94 % intervals; how much of an effect comes at once."""
    ROAS_BY_ENTITY = "roas_by_entity.parquet"
    """Spend, contribution and ROAS per entity and channel, with 94 % intervals."""
    PLAN = "plan.json"
    """The budget plan: current and planned spend per channel, the gain with its interval, and
    whether to follow it."""
    STABILITY = "stability.json"
    """The champion that the run was compared with, and its age; per channel the overlap of the
    50 % intervals of ROAS (share of the KPI where there is none), and the change in standard
    deviations of the champion's posterior; the share of the planned budget that moved. No channels
    for a first run or after a FAIL."""
    CHANGE = "change.json"
    """Why returns are others than the champion's: per channel four parts that add up, their Monte
    Carlo errors, the main cause in a sentence; what changed, and the auxiliary fits it took. Absent
    without a champion, after a FAIL, or with ``explain.in_refit: false``."""
    FORECAST = "forecast.parquet"
    """The KPI of the coming periods if things go on as they are, per entity and for all together:
    what is expected, and with noise the quantiles at 5, 25, 50, 75 and 95 % and the mean of the
    middle 90 %. Absent after a FAIL."""
    FORECAST_ASSUMPTIONS = "forecast_assumptions.parquet"
    """What the forecast supposes: activity, spend, controls and value per unit, per entity and
    coming period."""
    FORECAST_ACTUALS = "forecast_actuals.parquet"
    """What earlier accepted runs had forecast for periods whose KPI is known now, beside that
    KPI. Absent after a FAIL."""
    REPORT = "report.html"
    """One page for a marketer; opens from disk, needs no network."""
    DIGESTS = "digests.json"
    """SHA-256 of the other files, as they were published. A plan, a score, an export and the
    comparison of a refit with its champion check what they read; a file that was changed ends with
    exit code 1, or is reported where there is another way."""


CONTRIBUTION_COLUMNS = (
    ENTITY_COLUMN,
    PERIOD_COLUMN,
    "component",
    "kind",
    "contribution_mean",
    "contribution_low",
    "contribution_high",
)
ROAS_BY_ENTITY_COLUMNS = (
    ENTITY_COLUMN,
    CHANNEL_DIM,
    "spend",
    "contribution_mean",
    "contribution_low",
    "contribution_high",
    "roas_mean",
    "roas_low",
    "roas_high",
)
ROAS_COLUMNS = (
    "spend",
    "contribution_mean",
    "contribution_low",
    "contribution_high",
    "roas_mean",
    "roas_low",
    "roas_high",
    "mroas_mean",
    "cost_per_unit_mean",
    "cost_per_unit_low",
    "cost_per_unit_high",
    "prior_driven",
)
"""Per channel, in the order of ``roi_metrics.json`` and ``mart.roas``."""
FITTED_COLUMNS = (
    ENTITY_COLUMN,
    PERIOD_COLUMN,
    "actual",
    "fitted_mean",
    "fitted_low",
    "fitted_high",
)
QUANTILES = {"kpi_p05": 0.05, "kpi_p25": 0.25, "kpi_p50": 0.5, "kpi_p75": 0.75, "kpi_p95": 0.95}
"""Published quantiles of the KPI; the outer ones are the 90 % interval, the inner the 50 %."""
_KPI_SUMMARY = ("kpi_mean", *QUANTILES)
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
