"""A week whose first fit has too few effective draws: sampled for real, through the whole flow."""

import json
from pathlib import Path

import mlflow
import pytest

from schemas.names import Artifact
from schemas.outcomes import Verdict
from schemas.spec.refit_request import RefitRequest
from schemas.spec.run_spec import RunSpec
from tasks.store.tracking.retries import PARENT_TAG

pytestmark = [pytest.mark.orchestration, pytest.mark.slow]

DEMO = Path(__file__).resolve().parents[2] / "data" / "demo" / "panel.csv"
SPEC = {
    "dataset_id": "acme",
    # 400 draws have an ESS of about 130 in the worst parameter, 800 of about 270.
    "sampler": {"draws": 100, "tune": 400, "chains": 4, "target_accept": 0.9},
    "gates": {
        "sampling": {
            "ess_pass": 190, "ess_review": 190, "r_hat_pass": 1.1, "r_hat_review": 1.2,
            "divergence_share_review": 0.05,
        },
        "promote_on_review": True,
    },
}  # fmt: skip


def test_too_few_effective_draws_lead_to_more_draws_and_the_longer_fit_is_published(
    prefect_env, home
):
    from flows.refit_weekly import refit_weekly

    spec = RunSpec.model_validate(SPEC)
    report = refit_weekly(RefitRequest(spec=spec, data=str(DEMO)))
    folder = Path(report.artifacts_dir)
    story = json.loads((folder / Artifact.ESCALATION).read_text())
    first, *later = story["rungs"]
    assert first["sampling_failures"]
    assert later[0]["kind"] == "longer"
    assert story["sampled_well"]
    assert story["chosen"] == later[-1]["number"]

    assert report.verdict is not Verdict.FAIL
    assert report.champion == "acme@1"
    assert report.metrics["ess_bulk_min"] >= 190
    published = json.loads((folder / Artifact.MODEL_METADATA).read_text())
    assert published["sampler"]["draws"] == 200
    assert json.loads((folder / Artifact.DIAGNOSTICS).read_text())["causes"] == []
    assert not (home.steps / report.run_id).exists()

    client = mlflow.MlflowClient(home.tracking_uri)
    experiment = client.get_experiment_by_name("acme").experiment_id
    nested = client.search_runs([experiment], f"tags.`{PARENT_TAG}` = '{report.mlflow_run_id}'")
    assert len(nested) == len(story["rungs"])
