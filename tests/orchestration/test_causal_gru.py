"""Kind ``causal_gru`` goes through the whole refit on a small panel: ``make test-causal``."""

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

pytest.importorskip("equinox", reason="the extra `causal` is not installed: make test-causal")
pytestmark = pytest.mark.orchestration

SPEC = {
    "dataset_id": "acme",
    "target_col": "sales",
    "channels": CHANNELS,
    "model": {
        "kind": "causal_gru",
        "causal_gru": {"max_steps": 50, "origins": 2, "hidden_units": 4, "memory_periods": 3},
    },
    "gates": {"promote_on_review": True},
}


@pytest.fixture(scope="module")
def run(prefect_env, tmp_path_factory):
    from flows.refit_weekly import refit_weekly

    root = tmp_path_factory.mktemp("causal")
    make_rows(2, 104).to_csv(root / "panel.csv", index=False)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MMM_HOME", str(root))
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        spec = RunSpec.model_validate(SPEC)
        yield refit_weekly(RefitRequest(spec=spec, data=str(root / "panel.csv")))


@pytest.fixture(scope="module")
def document(run):
    return lambda name: json.loads((Path(run.artifacts_dir) / name).read_text(encoding="utf-8"))


def test_it_is_fitted_judged_and_published_but_no_champion(run, document):
    assert run.status is RunStatus.OUTPUTS_READY
    assert run.verdict is not Verdict.FAIL, run.reasons
    assert run.champion is None
    assert "may_be_champion" in run.promotion
    metadata = document(Artifact.MODEL_METADATA)
    assert metadata["sampler"]["backend_used"] == "ensemble"
    assert {"jax", "equinox", "optax"} <= set(metadata["versions"])


def test_where_it_abstains_no_plan_is_followed(document):
    gates = {row["gate"]: row for row in document(Artifact.DIAGNOSTICS)["gates"]}
    judged = gates["error_against_simpler_forecasts"]
    assert judged["observed"] > 0
    if judged["verdict"] != Verdict.PASS:
        assert "abstains" in judged["reason"]
        assert document(Artifact.PLAN)["advice"] == "withheld"


def test_contributions_add_up(run):
    folder = Path(run.artifacts_dir)
    keys = ["entity_id", "period_start"]
    parts = pd.read_parquet(folder / Artifact.CONTRIBUTIONS)
    fitted = pd.read_parquet(folder / Artifact.FITTED).set_index(keys)["fitted_mean"]
    total = parts.groupby(keys)["contribution_mean"].sum()
    np.testing.assert_allclose(total, fitted.loc[total.index], rtol=1e-9)


def test_it_is_forecast(run):
    assert len(pd.read_parquet(Path(run.artifacts_dir) / Artifact.FORECAST))
