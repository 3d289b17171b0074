"""Kind ``ridge`` goes through the whole refit on a small panel; nothing of a prior is made up."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from support.worlds import CHANNELS, make_rows

from schemas.documents.results import RunStatus
from schemas.names import Artifact
from schemas.outcomes import Verdict
from schemas.spec.refit_request import RefitRequest
from schemas.spec.run_spec import RunSpec

pytestmark = pytest.mark.orchestration

SPEC = {
    "dataset_id": "acme",
    "target_col": "sales",
    "channels": CHANNELS,
    "model": {"kind": "ridge", "ridge": {"refit_share": 0.05}},
    "draws": 100,
    "gates": {"promote_on_review": True},
    "optimizer": {"n_draws": 100},
}


@pytest.fixture(scope="module")
def run(prefect_env, tmp_path_factory):
    from flows.refit_weekly import refit_weekly

    root = tmp_path_factory.mktemp("ridge")
    make_rows(2, 104).to_csv(root / "panel.csv", index=False)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MMM_HOME", str(root))
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        spec = RunSpec.model_validate(SPEC)
        yield refit_weekly(RefitRequest(spec=spec, data=str(root / "panel.csv")))


@pytest.fixture(scope="module")
def document(run):
    return lambda name: json.loads((Path(run.artifacts_dir) / name).read_text(encoding="utf-8"))


def test_it_is_fitted_judged_and_published(run, document):
    assert run.status is RunStatus.OUTPUTS_READY
    assert run.verdict is not Verdict.FAIL, run.reasons
    metadata = document(Artifact.MODEL_METADATA)
    assert metadata["model_kind"] == "ridge"
    assert metadata["sampler"]["backend_used"] == "block bootstrap"
    optional = {Artifact.PYMC_MARKETING, Artifact.ESCALATION, Artifact.CHANGE}
    optional |= {Artifact.CAUSAL_GRAPH, Artifact.CAUSAL_GRAPH_PICTURE}  # of one kind alone
    missing = [
        a for a in Artifact if a not in optional and not (Path(run.artifacts_dir) / a).is_file()
    ]
    assert not missing


def test_gates_of_chains_and_priors_do_not_apply(document):
    diagnostics = document(Artifact.DIAGNOSTICS)
    gates = {row["gate"] for row in diagnostics["gates"]}
    not_applying = {"r_hat_max", "ess_bulk_min", "ess_tail_min", "divergence_share"}
    assert not gates & (not_applying | {"prior_driven_share", "pareto_k_bad_share"})
    assert diagnostics["elpd_loo"] is None
    assert diagnostics["contraction"] == {}
    assert diagnostics["prior_driven"] == []


def test_evidence_is_said_in_words_without_numbers_of_a_prior(document):
    for row in document(Artifact.ROI_METRICS).values():
        assert row["evidence"] in ("effect", "unclear")
        assert row["evidence_sentence"]
        assert row.get("log10_likelihood_ratio") is None
        assert row.get("prior_elasticity") is None


def test_contributions_add_up(run):
    folder = Path(run.artifacts_dir)
    keys = ["entity_id", "period_start"]
    parts = pd.read_parquet(folder / Artifact.CONTRIBUTIONS)
    fitted = pd.read_parquet(folder / Artifact.FITTED).set_index(keys)["fitted_mean"]
    total = parts.groupby(keys)["contribution_mean"].sum()
    np.testing.assert_allclose(total, fitted.loc[total.index], rtol=1e-9)


def test_it_is_planned_with_and_forecast(document, run):
    assert document(Artifact.PLAN)["channels"]
    assert len(pd.read_parquet(Path(run.artifacts_dir) / Artifact.FORECAST))
