"""Kind ``ridge`` goes through the whole refit on a small panel; nothing of a prior is made up.

With the fast tests, the toy kind goes the same way, and ``unit/models/test_ridge.py`` has the fit.
"""

import pytest
from support.kind_runs import assert_contributions_add_up, missing_files, refitted
from support.worlds import CHANNELS, make_rows

from schemas.documents.results import RunStatus
from schemas.names import Artifact
from schemas.outcomes import Verdict

pytestmark = [pytest.mark.orchestration, pytest.mark.slow]

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
    root = tmp_path_factory.mktemp("ridge")
    make_rows(2, 104).to_csv(root / "panel.csv", index=False)
    with refitted(root, SPEC, root / "panel.csv") as run:
        yield run


def test_it_is_fitted_judged_and_published(run):
    assert run.report.status is RunStatus.OUTPUTS_READY
    assert run.report.verdict is not Verdict.FAIL, run.report.reasons
    metadata = run.document(Artifact.MODEL_METADATA)
    assert metadata["model_kind"] == "ridge"
    assert metadata["sampler"]["backend_used"] == "block bootstrap"
    assert missing_files(run) == []


def test_gates_of_chains_and_priors_do_not_apply(run):
    diagnostics = run.document(Artifact.DIAGNOSTICS)
    gates = {row["gate"] for row in diagnostics["gates"]}
    not_applying = {"r_hat_max", "ess_bulk_min", "ess_tail_min", "divergence_share"}
    assert not gates & (not_applying | {"prior_driven_share", "pareto_k_bad_share"})
    assert diagnostics["elpd_loo"] is None
    assert diagnostics["contraction"] == {}
    assert diagnostics["prior_driven"] == []


def test_evidence_is_said_in_words_without_numbers_of_a_prior(run):
    for row in run.document(Artifact.ROI_METRICS).values():
        assert row["evidence"] in ("effect", "unclear")
        assert row["evidence_sentence"]
        assert row.get("log10_likelihood_ratio") is None
        assert row.get("prior_elasticity") is None


def test_contributions_add_up(run):
    assert_contributions_add_up(run)


def test_it_is_planned_with_and_forecast(run):
    assert run.document(Artifact.PLAN)["channels"]
    assert len(run.table(Artifact.FORECAST))
