"""A finished run whose files are tiny and made by hand; no sampling, no Prefect server."""

import json
import logging
import shutil
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from support.documents import empty_scaler, make_metadata
from support.plan_documents import forged_plan
from support.publishing import publish_run

from schemas.documents.forecast_scores import ASSUMPTION_COLUMNS
from schemas.documents.results import RunStatus
from schemas.names import FORECAST_ACTUALS_COLUMNS, FORECAST_COLUMNS, Artifact
from schemas.outcomes import Verdict
from schemas.refs import (
    AttributionRef,
    DiagnosticsRef,
    FeaturesRef,
    FileRef,
    FittedRun,
    ForecastRef,
    PlanRef,
    PosteriorRef,
    SnapshotRef,
    WeeklyPlan,
)
from schemas.spec.run_spec import Grain, RunSpec
from tasks.publish import task
from tasks.store.files.artifacts import write_document, write_json, write_netcdf, write_parquet
from tasks.store.home import Home
from tasks.store.runs.status import advance_run, start_run

DEMO_RUN = Path(__file__).resolve().parents[1] / "contract" / "demo_run"
"""Documents of a real run, as it published them."""
HOSTILE = "x'); DROP TABLE kpi;--"
PARENT = "../../etc/passwd"
DOLLAR = "$pend_{"


@pytest.fixture(scope="session")
def migrated_store(tmp_path_factory):
    """An empty MLflow store; making its tables anew for each home would take a second."""
    import mlflow

    file = tmp_path_factory.mktemp("store") / "mlflow.db"
    mlflow.MlflowClient(f"sqlite:///{file}").search_experiments(max_results=1)
    return file


@pytest.fixture
def finished(home, migrated_store):
    """Make a TRAINED run with all its files, in a home whose MLflow store is there."""
    home.mlruns.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(migrated_store, home.mlruns / "mlflow.db")

    def make(
        run_id="run-1", verdict=Verdict.PASS, dataset_id="demo", *, weeks=4, as_of=None, **spec
    ) -> FittedRun:
        run_spec = RunSpec(dataset_id=dataset_id, **spec)
        return _make(home, run_id, verdict, run_spec, weeks, as_of or date(2024, 2, 1))

    return make


@pytest.fixture(scope="session")
def published_template(tmp_path_factory, migrated_store):
    """A home with the run ``run-1`` of dataset ``demo``, champion; tests copy it."""
    root = tmp_path_factory.mktemp("published").resolve()
    home = Home(root)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MMM_HOME", str(root))
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        patch.setattr(task, "get_run_logger", lambda: logging.getLogger("tests"))
        home.mlruns.mkdir(parents=True)
        shutil.copyfile(migrated_store, home.mlruns / "mlflow.db")
        spec = RunSpec(dataset_id="demo")
        publish_run(_make(home, "run-1", Verdict.PASS, spec, 4, date(2024, 2, 1)))
    return root


@pytest.fixture
def published(home, published_template):
    """The run ``run-1`` of dataset ``demo``, champion, in a home of this test's own."""
    shutil.copytree(published_template, home.root, dirs_exist_ok=True)
    return home


def _make(home, run_id, verdict, spec, weeks, as_of):
    start_run(home, run_id, spec.dataset_id)
    for status in (
        RunStatus.VALIDATED,
        RunStatus.FEATURES_BUILT,
        RunStatus.TRAINING,
        RunStatus.TRAINED,
    ):
        advance_run(home, run_id, status)
    folder = home.run_dir(run_id)
    channels = [HOSTILE, PARENT, DOLLAR]
    dates = pd.date_range("2024-01-01", periods=weeks, freq="7D")
    contributions = pd.DataFrame(
        [
            (PARENT, day, name, kind, 10.0 + i, 5.0, 20.0)
            for i, day in enumerate(dates)
            for name, kind in [*((c, "channel") for c in channels), ("baseline", "baseline")]
        ],
        columns=[
            "entity_id", "period_start", "component", "kind",
            "contribution_mean", "contribution_low", "contribution_high",
        ],
    )  # fmt: skip
    fitted = pd.DataFrame(
        {
            "entity_id": PARENT, "period_start": dates, "actual": 46.0,
            "fitted_mean": 45.0, "fitted_low": 40.0, "fitted_high": 50.0,
        }
    )  # fmt: skip
    roas = {
        name: {
            "spend": 20.0 if name != DOLLAR else None,
            "contribution_mean": 46.0, "contribution_low": 20.0, "contribution_high": 80.0,
            "roas_mean": 2.3 if name != DOLLAR else None,
            "roas_low": 1.0 if name != DOLLAR else None,
            "roas_high": 4.0 if name != DOLLAR else None,
            "mroas_mean": 1.1 if name != DOLLAR else None,
            "prior_driven": name == PARENT,
        }
        for name in channels
    }  # fmt: skip
    reasons = [] if verdict is Verdict.PASS else ["R-hat is too high. Sample longer."]
    gates = [
        {"gate": "r_hat_max", "verdict": verdict.value, "observed": 1.004, "pass_limit": 1.01,
         "review_limit": 1.05, "where": "beta", "reason": "; ".join(reasons)},
        {"gate": "ppc_p", "verdict": "PASS", "observed": 0.4, "pass_limit": 0.05,
         "where": "", "reason": ""},
    ]  # fmt: skip
    metrics = {"r_hat_max": 1.004, "ess_bulk_min": 812.0, "divergences": 0.0}
    diagnostics = write_json(
        home,
        folder / Artifact.DIAGNOSTICS,
        {"verdict": verdict, "reasons": reasons, "gates": gates, **metrics,
         "parameters": {"beta": {"r_hat": 1.004, "ess_bulk": 812.0, "ess_tail": 700.0}}},
    )  # fmt: skip
    write_json(home, folder / Artifact.RUN_SPEC, spec.model_dump(mode="json"))
    write_json(
        home,
        folder / Artifact.POSTERIOR_SUMMARY,
        {"beta": {"mean": 1.0, "sd": 0.3, "hdi_3%": 0.5, "hdi_97%": 1.5}},
    )
    metrics_file = write_json(
        home,
        folder / Artifact.FIT_METRICS,
        {"mape": 0.02, "rmse": 1.5, "r2": 0.9, "n_observations": 6},
    )
    roi = write_json(home, folder / Artifact.ROI_METRICS, roas)
    ends = {"median": 2.0, "low_50": 1.5, "high_50": 2.5, "low_90": 1.0, "high_90": 4.0}
    quantiles = write_json(
        home,
        folder / Artifact.CHANNEL_QUANTILES,
        {
            name: {
                **{f"share_{end}": value / 10 for end, value in ends.items()},
                **{f"roas_{end}": None if name == DOLLAR else v for end, v in ends.items()},
            }
            for name in channels
        },
    )
    curve = {
        "unit": "spend", "x": [0.0, 5.0, 10.0], "median": [0.0, 4.0, 6.0],
        "low_90": [0.0, 2.0, 3.0], "high_90": [0.0, 6.0, 9.0],
        "current": 4.0, "observed_low": 1.0, "observed_high": 8.0,
    }  # fmt: skip
    curves = write_json(home, folder / Artifact.RESPONSE_CURVES, dict.fromkeys(channels, curve))
    prior = write_json(
        home,
        folder / Artifact.PRIOR_PREDICTIVE,
        {"channels": {PARENT: {f"share_{end}": value / 5 for end, value in ends.items()}}},
    )
    tree = xr.DataTree.from_dict(
        {"posterior": xr.Dataset({"beta": (("chain", "draw"), np.ones((2, 3)))})}
    )
    posterior = write_netcdf(home, folder / Artifact.POSTERIOR, tree)
    described = make_metadata(input_columns=["entity_id", "period_start", f"act_{HOSTILE}"])
    metadata = write_document(home, folder / Artifact.FEATURE_METADATA, described)
    scaler = write_document(home, folder / Artifact.FEATURE_SCALER, empty_scaler())
    model_metadata = _of_demo(home, folder, Artifact.MODEL_METADATA)
    rows = fitted.assign(sales=fitted["actual"])
    wide = write_parquet(home, folder / Artifact.CANONICAL_DATA, rows)
    info = _of_demo(home, folder, Artifact.COLUMN_INFO)
    return FittedRun(
        run_id=run_id,
        spec=spec,
        snapshot=SnapshotRef(
            dataset_id=spec.dataset_id, snapshot_id="s" * 16, wide=wide, column_info=info,
            grain=Grain.WEEK, as_of=as_of,
        ),
        features=FeaturesRef(snapshot_id="s" * 16, features=wide, metadata=metadata, scaler=scaler),
        posterior=PosteriorRef(
            kind="mmm", posterior=posterior, metadata=model_metadata, sampler="nutpie",
            wall_seconds={"sample": 1.0}, prior_predictive=prior,
        ),
        diagnostics=DiagnosticsRef(
            verdict=verdict, reasons=reasons, file=diagnostics, metrics=metrics
        ),
        attribution=AttributionRef(
            contributions=write_parquet(home, folder / Artifact.CONTRIBUTIONS, contributions),
            fitted=write_parquet(home, folder / Artifact.FITTED, fitted),
            files=[roi, metrics_file, quantiles, curves],
            metrics={"mape": 0.02, "r2": 0.9},
        ),
        forecast=None if verdict is Verdict.FAIL else _forecast(home, folder, dates[-1]),
        week=None if verdict is Verdict.FAIL else _week(home, folder, run_id, spec.dataset_id),
    )  # fmt: skip


def _week(home, folder, run_id, dataset_id):
    plan = forged_plan(run_id, dataset_ids=[dataset_id], channels=[HOSTILE, PARENT])
    ref = PlanRef(
        scenario_id=run_id,
        advice=plan.advice,
        file=write_json(home, folder / Artifact.PLAN, plan.model_dump(mode="json")),
        metrics={"plan_gain_mean": plan.gain_mean, "plan_prob_gain": float("nan")},
    )
    return WeeklyPlan(plan=ref, note=plan.reason)


def _of_demo(home: Home, folder: Path, name: Artifact) -> FileRef:
    """Write the document of that name as the demo run published it."""
    return write_json(home, folder / name, json.loads((DEMO_RUN / name).read_text("utf-8")))


def _forecast(home, folder, last):
    """One period ahead of one entity and of all."""
    ahead = [last + pd.Timedelta(days=7), 1, 45.0, 45.0, 40.0, 43.0, 45.0, 47.0, 50.0]
    rows = [["entity", PARENT, *ahead], ["all", "all", *ahead]]
    frame = pd.DataFrame(rows, columns=list(FORECAST_COLUMNS))
    known = frame.assign(forecast_run_id="run-0", actual=44.0)[list(FORECAST_ACTUALS_COLUMNS)]
    supposed = pd.DataFrame([[PARENT, ahead[0], "spend", HOSTILE, 9.5]], columns=ASSUMPTION_COLUMNS)
    return ForecastRef(
        forecast=write_parquet(home, folder / Artifact.FORECAST, frame),
        assumptions=write_parquet(home, folder / Artifact.FORECAST_ASSUMPTIONS, supposed),
        actuals=write_parquet(home, folder / Artifact.FORECAST_ACTUALS, known),
    )


def read(home, run_id, name):
    """Read one JSON artifact of a run."""
    return json.loads((home.run_dir(run_id) / name).read_text())
