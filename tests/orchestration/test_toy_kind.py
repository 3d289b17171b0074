"""A model kind that is one folder goes through the whole refit, and nothing else knows of it."""

from pathlib import Path

import pandas as pd
import pytest
from support.kind_runs import assert_contributions_add_up, missing_files, refitted
from support.toy_kind import TOY

from schemas.documents.results import RunStatus
from schemas.errors import DataContractError
from schemas.names import Artifact
from schemas.outcomes import Verdict
from schemas.spec.refit_request import RefitRequest
from schemas.spec.run_spec import RunSpec
from tasks.models.registry import registered
from tasks.store.home import current_home
from tasks.store.runs.champions import find_champion
from tasks.store.warehouse.connection import reading

pytestmark = pytest.mark.orchestration

DEMO = Path(__file__).resolve().parents[2] / "data" / "demo" / "panel.csv"
SPEC = {"dataset_id": "acme", "model": {"kind": "toy"}, "gates": {"promote_on_review": True}}


@pytest.fixture(scope="module")
def run(prefect_env, tmp_path_factory):
    with registered(TOY), refitted(tmp_path_factory.mktemp("toy"), SPEC, DEMO) as run:
        yield run


def test_it_is_fitted_judged_and_published(run):
    assert run.report.status is RunStatus.OUTPUTS_READY
    assert run.report.verdict is not Verdict.FAIL, run.report.reasons
    assert run.document(Artifact.MODEL_METADATA)["model_kind"] == "toy"
    assert run.document(Artifact.MODEL_METADATA)["sampler"]["backend_used"] == "bootstrap"
    assert missing_files(run) == []


def test_no_sampling_gate_applies_and_none_of_them_passes(run):
    diagnostics = run.document(Artifact.DIAGNOSTICS)
    gates = {row["gate"] for row in diagnostics["gates"]}
    assert not gates & {"r_hat_max", "ess_bulk_min", "ess_tail_min", "divergence_share"}
    assert "prior_driven_share" in gates
    for fact in ("r_hat_max", "ess_bulk_min", "ess_tail_min", "divergences", "ebfmi_min"):
        assert diagnostics[fact] is None


def test_its_contributions_add_up_and_its_returns_are_those_of_least_squares(run):
    assert_contributions_add_up(run)
    spend = pd.read_csv(DEMO)["spend_tv"].sum()
    assert run.document(Artifact.ROI_METRICS)["tv"]["spend"] == pytest.approx(spend)


def test_it_is_planned_with_and_forecast(run):
    assert run.document(Artifact.PLAN)["channels"]
    assert len(run.table(Artifact.FORECAST))


def test_a_bad_week_after_it_is_refused_whole_and_leaves_the_champion(run, tmp_path):
    from flows.refit_weekly import refit_weekly

    panel = pd.read_csv(DEMO, dtype=str)
    panel.assign(sales=["-", *panel["sales"][1:]]).to_csv(tmp_path / "bad.csv", index=False)
    spec = RunSpec.model_validate(SPEC)
    with pytest.raises(DataContractError, match="line 2"):
        refit_weekly(RefitRequest(spec=spec, data=str(tmp_path / "bad.csv")))
    with reading(current_home(), "acme") as con:
        statuses = con.execute("select status from ops.batches order by 1").fetchall()
        n_known = con.execute("select count(*) from canonical.kpi").fetchone()
    assert (statuses, n_known) == ([("ACCEPTED",), ("REFUSED",)], (len(panel),))
    assert find_champion(current_home(), "acme").run_id == run.report.run_id
