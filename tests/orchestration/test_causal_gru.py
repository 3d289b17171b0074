"""Kind ``causal_gru`` goes through the whole refit on a small panel: ``make test-causal``.

Of the fast tests, the toy kind goes the same way (``test_toy_kind``).
"""

import pytest
from support.kind_runs import assert_contributions_add_up, refitted
from support.worlds import CHANNELS, make_rows

from schemas.documents.results import RunStatus
from schemas.names import Artifact
from schemas.outcomes import Verdict

pytest.importorskip("equinox", reason="the extra `causal` is not installed: make test-causal")
pytestmark = [pytest.mark.orchestration, pytest.mark.slow]

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
    root = tmp_path_factory.mktemp("causal")
    make_rows(2, 104).to_csv(root / "panel.csv", index=False)
    with refitted(root, SPEC, root / "panel.csv") as run:
        yield run


def test_it_is_fitted_judged_and_published_but_no_champion(run):
    assert run.report.status is RunStatus.OUTPUTS_READY
    assert run.report.verdict is not Verdict.FAIL, run.report.reasons
    assert run.report.champion is None
    assert "may_be_champion" in run.report.promotion
    metadata = run.document(Artifact.MODEL_METADATA)
    assert metadata["sampler"]["backend_used"] == "ensemble"
    assert {"jax", "equinox", "optax"} <= set(metadata["versions"])


def test_where_it_abstains_no_plan_is_followed(run):
    gates = {row["gate"]: row for row in run.document(Artifact.DIAGNOSTICS)["gates"]}
    judged = gates["error_against_simpler_forecasts"]
    assert judged["observed"] > 0
    if judged["verdict"] != Verdict.PASS:
        assert "abstains" in judged["reason"]
        assert run.document(Artifact.PLAN)["advice"] == "withheld"


def test_contributions_add_up(run):
    assert_contributions_add_up(run)


def test_it_is_forecast(run):
    assert len(run.table(Artifact.FORECAST))
