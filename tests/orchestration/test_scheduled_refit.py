"""How a refit of a deployment ends, and who is notified of it; the refit itself is stood in for."""

import pytest
from support.receivers import receiving

from flows import scheduled_refit as module
from schemas.documents.results import RefitReport, RunStatus
from schemas.errors import DataContractError
from schemas.outcomes import Verdict
from schemas.spec.refit_request import RefitRequest
from schemas.spec.run_spec import RunSpec
from schemas.spec.scheduled import ScheduledRefit
from tasks.store.webhook import VARIABLE

pytestmark = pytest.mark.orchestration


def report(verdict, reasons):
    return RefitReport(
        run_id="acme-1", dataset_id="acme", snapshot_id="s", status=RunStatus.OUTPUTS_READY,
        verdict=verdict, reasons=reasons, champion="acme@3", model_version=None,
        artifacts_dir="runs/acme-1", mlflow_run_id=None, metrics={}, findings=[], timings={},
    )  # fmt: skip


@pytest.fixture
def receiver(monkeypatch, home):
    with receiving() as running:
        monkeypatch.setenv(VARIABLE, running.url)
        yield running


@pytest.fixture
def ends(prefect_env, home, monkeypatch, receiver):
    """Run the flow on ``acme.yaml`` with a refit that ends as it is reported."""
    (home.root / "acme.yaml").write_text("dataset_id: acme\ndata: panel.csv\n")
    (home.root / "panel.csv").write_text("period_start,sales\n")
    asked = []

    def run(outcome, **changes):
        def refit(request):
            asked.append(request)
            if isinstance(outcome, Exception):
                raise outcome
            return outcome

        monkeypatch.setattr(module, "refit_dataset", refit)
        request = ScheduledRefit(**{"spec_file": "acme.yaml", **changes})
        return module.scheduled_refit(request, return_state=True), asked

    return run


def test_an_accepted_fit_ends_completed_with_its_verdict_and_reports_nobody(ends, receiver):
    state, _ = ends(report(Verdict.PASS, []))
    assert (state.type.value, state.name) == ("COMPLETED", "Completed")
    assert state.message == "PASS acme-1, champion acme@3"
    assert not receiver.bodies


def test_a_fit_that_someone_has_to_look_at_is_not_called_completed(ends, receiver):
    state, _ = ends(report(Verdict.REVIEW, ["r_hat_max is 1.02"]))
    assert (state.type.value, state.name) == ("COMPLETED", "Review")
    assert state.message == "REVIEW acme-1, champion acme@3: r_hat_max is 1.02"
    assert state.result().run_id == "acme-1"
    assert not receiver.bodies


def test_a_run_is_named_by_its_dataset_and_day(ends):
    from prefect.client.orchestration import get_client

    state, _ = ends(report(Verdict.PASS, []), as_of="2026-11-16")
    with get_client(sync_client=True) as client:
        run = client.read_flow_run(state.state_details.flow_run_id)
    assert run.name == "refit acme 2026-11-16"


def test_a_rejected_fit_ends_as_rejected_and_is_reported_once(ends, receiver):
    state, _ = ends(report(Verdict.FAIL, ["r_hat_max is 1.2"]))
    assert (state.type.value, state.name) == ("COMPLETED", "Rejected")
    assert "r_hat_max is 1.2" in state.message
    (reported,) = receiver.bodies
    assert (reported["kind"], reported["run_id"]) == ("rejection", "acme-1")


def test_a_refit_that_raises_ends_failed_and_is_reported_once(ends, receiver):
    state, _ = ends(DataContractError("panel.csv: column sales is empty"))
    assert state.type.value == "FAILED"
    (reported,) = receiver.bodies
    assert (reported["kind"], reported["dataset_id"]) == ("failure", "acme")
    assert reported["reasons"] == ["DataContractError: panel.csv: column sales is empty"]


def test_a_webhook_that_fails_changes_nothing(ends, monkeypatch):
    monkeypatch.setenv(VARIABLE, "http://127.0.0.1:1/")
    monkeypatch.setattr("tasks.store.webhook.RETRY_AFTER_SECONDS", 0.01)
    state, _ = ends(report(Verdict.FAIL, ["too short"]))
    assert state.name == "Rejected"


def test_the_spec_is_the_file_as_it_is_when_the_run_begins(ends, home):
    ends(report(Verdict.PASS, []))
    (home.root / "acme.yaml").write_text("dataset_id: acme\nsampler: {draws: 77}\n")
    _, asked = ends(report(Verdict.PASS, []))
    assert [request.spec.sampler.draws for request in asked] == [1000, 77]
    assert [request.data for request in asked] == [str(home.root / "panel.csv"), None]


def test_a_file_that_is_named_overrides_the_spec_and_may_be_relative_to_the_home(ends, home):
    (home.root / "late.csv").write_text("period_start,sales\n")
    changes = {"data": "late.csv", "as_of": "2026-11-16", "accept_restatement": True}
    _, asked = ends(report(Verdict.PASS, []), **changes)
    assert asked[0].data == str(home.root / "late.csv")
    assert asked[0].accept_restatement
    assert asked[0].as_of.isoformat() == "2026-11-16"


def test_a_spec_file_that_is_not_there_fails_and_is_reported(ends, receiver, home):
    state, asked = ends(report(Verdict.PASS, []), spec_file="nowhere.yaml")
    assert state.type.value == "FAILED"
    assert f"nowhere.yaml is not a file in {home.root}" in state.message
    assert not asked
    assert receiver.bodies[0]["dataset_id"] is None


def test_a_refit_from_the_command_line_that_raises_is_reported_once(prefect_env, home, receiver):
    from flows.cli.refit import _open_flow

    (home.root / "panel.csv").write_text("period_start,sales,spend_tv\n2026-11-16,x,1\n")
    request = RefitRequest(spec=RunSpec(dataset_id="acme"), data=str(home.root / "panel.csv"))
    with pytest.raises(DataContractError):
        _open_flow()(request)
    (reported,) = receiver.bodies
    assert (reported["kind"], reported["job"], reported["dataset_id"]) == (
        "failure",
        "refit-weekly",
        "acme",
    )
    assert reported["run_id"].startswith("acme-")
