"""A model kind that is one folder goes through the whole refit, and nothing else knows of it."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from support.toy_kind import TOY

from schemas.documents.results import RunStatus
from schemas.names import Artifact
from schemas.outcomes import Verdict
from schemas.spec.refit_request import RefitRequest
from schemas.spec.run_spec import RunSpec
from tasks.models.registry import registered

pytestmark = pytest.mark.orchestration

DEMO = Path(__file__).resolve().parents[2] / "data" / "demo" / "panel.csv"
SPEC = {"dataset_id": "acme", "model": {"kind": "toy"}, "gates": {"promote_on_review": True}}


@pytest.fixture(scope="module")
def run(prefect_env, tmp_path_factory):
    from flows.refit_weekly import refit_weekly

    root = tmp_path_factory.mktemp("toy")
    with pytest.MonkeyPatch.context() as patch, registered(TOY):
        patch.setenv("MMM_HOME", str(root))
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        spec = RunSpec.model_validate(SPEC)
        yield refit_weekly(RefitRequest(spec=spec, data=str(DEMO)))


@pytest.fixture(scope="module")
def document(run):
    return lambda name: json.loads((Path(run.artifacts_dir) / name).read_text(encoding="utf-8"))


def test_it_is_fitted_judged_and_published(run, document):
    assert run.status is RunStatus.OUTPUTS_READY
    assert run.verdict is not Verdict.FAIL, run.reasons
    assert document(Artifact.MODEL_METADATA)["model_kind"] == "toy"
    assert document(Artifact.MODEL_METADATA)["sampler"]["backend_used"] == "bootstrap"
    optional = {Artifact.PYMC_MARKETING, Artifact.ESCALATION, Artifact.CHANGE}
    optional |= {Artifact.CAUSAL_GRAPH, Artifact.CAUSAL_GRAPH_PICTURE}  # of one kind alone
    missing = [
        a for a in Artifact if a not in optional and not (Path(run.artifacts_dir) / a).is_file()
    ]
    assert not missing


def test_no_sampling_gate_applies_and_none_of_them_passes(document):
    diagnostics = document(Artifact.DIAGNOSTICS)
    gates = {row["gate"] for row in diagnostics["gates"]}
    assert not gates & {"r_hat_max", "ess_bulk_min", "ess_tail_min", "divergence_share"}
    assert "prior_driven_share" in gates
    for fact in ("r_hat_max", "ess_bulk_min", "ess_tail_min", "divergences", "ebfmi_min"):
        assert diagnostics[fact] is None


def test_its_contributions_add_up_and_its_returns_are_those_of_least_squares(run, document):
    folder = Path(run.artifacts_dir)
    parts = pd.read_parquet(folder / Artifact.CONTRIBUTIONS)
    fitted = pd.read_parquet(folder / Artifact.FITTED)
    total = parts.groupby("period_start")["contribution_mean"].sum()
    np.testing.assert_allclose(total, fitted["fitted_mean"], rtol=1e-9)
    spend = pd.read_csv(DEMO)["spend_tv"].sum()
    assert document(Artifact.ROI_METRICS)["tv"]["spend"] == pytest.approx(spend)


def test_it_is_planned_with_and_forecast(document, run):
    assert document(Artifact.PLAN)["channels"]
    assert len(pd.read_parquet(Path(run.artifacts_dir) / Artifact.FORECAST))
