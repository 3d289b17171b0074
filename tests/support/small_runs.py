"""Finished runs on a small panel: really sampled, with the few files that a comparison opens."""

from datetime import date

import pandas as pd
from support.worlds import make_rows, make_spec

from schemas.documents.changes import ExplainRequest, Explanation, TriedFit
from schemas.documents.features import FeatureMetadata, FeatureScaler
from schemas.documents.results import RunStatus
from schemas.names import Artifact
from schemas.outcomes import Verdict
from schemas.refs import SnapshotRef, StepKey
from schemas.spec.roles import resolve_roles
from schemas.spec.run_spec import Grain, RunSpec
from tasks.canonicalize.describe import describe_columns, describe_panel
from tasks.canonicalize.panel_rules import ModelPanel
from tasks.explain.task import answer_explanation, choose_fit, compare_runs
from tasks.features.task import build_features
from tasks.fit.task import describe_fit, fit_returns
from tasks.mathematics.panel import build_panel
from tasks.mathematics.scaling import scales_from_json
from tasks.models.contract import ModelInputs
from tasks.models.mmm.kind import MMM
from tasks.models.opening import open_fitted
from tasks.models.returns import measure_returns
from tasks.models.sampling import sample_posterior
from tasks.store.files.artifacts import (
    read_document,
    read_json,
    read_parquet,
    write_document,
    write_json,
    write_netcdf,
    write_parquet,
)
from tasks.store.home import Home
from tasks.store.runs.status import advance_run, start_run

SAMPLER = {"draws": 300, "tune": 300, "chains": 4}


def small_rows(n_periods: int = 80) -> pd.DataFrame:
    return make_rows(n_periods=n_periods)


def small_spec(**settings) -> RunSpec:
    return make_spec(**{"sampler": SAMPLER, **settings})


def make_run(home: Home, run_id: str, rows: pd.DataFrame, spec: RunSpec, as_of: date) -> str:
    """Sample one fit and leave what an accepted refit leaves of it."""
    snapshot = _snapshot(home, run_id, rows, spec, as_of)
    features = build_features.fn(StepKey(run_id=run_id), snapshot, spec)
    metadata = read_document(home, features.metadata, FeatureMetadata)
    scaler = read_document(home, features.scaler, FeatureScaler)
    panel = build_panel(read_parquet(home, features.features), metadata)
    inputs = ModelInputs(metadata, scales_from_json(scaler))
    sampled = sample_posterior(MMM.load_posterior(panel, inputs), spec.sampler, cores=2)
    folder = home.run_dir(run_id)
    write_netcdf(home, folder / Artifact.POSTERIOR, sampled.tree)
    model = open_fitted(sampled.tree, metadata, scaler)
    returns = measure_returns(model, panel, metadata)
    write_json(home, folder / Artifact.ROI_METRICS, returns)
    write_json(home, folder / Artifact.RUN_SPEC, spec.model_dump(mode="json"))
    described = describe_fit(spec, metadata, sampled.backend)
    write_document(home, folder / Artifact.MODEL_METADATA, described)
    start_run(home, run_id, spec.dataset_id)
    for status in list(RunStatus)[1:-1]:
        advance_run(home, run_id, status, verdict=Verdict.PASS, snapshot_id=snapshot.snapshot_id)
    return run_id


def explain(home: Home, run_a: str, run_b: str) -> Explanation:
    """Explain a change as the flow does, without Prefect."""
    request = ExplainRequest(run_a=run_a, run_b=run_b)
    steps = f"steps-{run_b}"
    comparison = compare_runs.fn(request, steps)
    tried = []
    while (step := choose_fit(comparison, tried)) is not None:
        fit = step.fit
        key = StepKey(run_id=steps, retry=fit.name)
        features = fit.features or build_features.fn(key, fit.snapshot, fit.spec)
        returns = fit_returns.fn(key, features, fit.spec)
        tried.append(TriedFit(name=fit.name, seconds=returns.seconds, returns=returns))
    reported = answer_explanation.fn(comparison, tried, str(home.explanation_dir(run_a, run_b)))
    return Explanation.model_validate(read_json(home, reported.file))


def _snapshot(
    home: Home, run_id: str, rows: pd.DataFrame, spec: RunSpec, as_of: date
) -> SnapshotRef:
    folder = home.run_dir(run_id)
    roles = resolve_roles(spec, list(rows.columns))
    shaped = ModelPanel(rows, rows, Grain.WEEK, Grain.WEEK, 0, ())
    source = {"file": "small.csv", "batch_id": None, "as_of": as_of.isoformat(), "history": {}}
    info = source | describe_panel(shaped, roles, spec)
    info["columns"] = describe_columns(rows, None, roles)
    return SnapshotRef(
        dataset_id=spec.dataset_id, snapshot_id=f"s-{run_id}",
        wide=write_parquet(home, folder / Artifact.CANONICAL_DATA, rows),
        column_info=write_json(home, folder / Artifact.COLUMN_INFO, info),
        grain=Grain.WEEK, as_of=as_of,
    )  # fmt: skip
