"""The flow of a plan under Prefect: what it is asked, what it leaves behind, what it refuses."""

import json
from pathlib import Path

import mlflow
import pytest
from support.forged_runs import forge_run
from support.worlds import mmm_world

from schemas.answers.scenarios import MadeBy
from schemas.documents.plan import Plan
from schemas.errors import SpecError
from schemas.spec.optimizer import OptimizerSpec
from schemas.spec.plan_request import PlannedModel, PlanRequest
from tasks.store.home import Home
from tasks.store.warehouse.plans import list_scenarios, read_plan

pytestmark = pytest.mark.orchestration

SETTINGS = OptimizerSpec(n_starts=2, horizon=4, n_draws=50)


def ask(**facts) -> PlanRequest:
    model = PlannedModel(dataset_id="world", run_id="world-1")
    return PlanRequest(models=[model], settings=SETTINGS, **facts)


@pytest.fixture(scope="module")
def planned(prefect_env, tmp_path_factory):
    """A home with a forged run, after one plan and one that was refused."""
    from flows.plan_budget import plan_budget

    home = Home(tmp_path_factory.mktemp("plans").resolve())
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MMM_HOME", str(home.root))
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        forge_run(home, "world-1", mmm_world())
        report = plan_budget(ask(name="spring"))
        with pytest.raises(SpecError) as refusal:
            plan_budget(ask(what_if=[{"channel": "tx", "spend": 5}]))
        yield home, report, refusal.value


def test_a_plan_is_on_disk_in_the_mart_and_in_mlflow(planned):
    home, report, _ = planned
    on_disk = Plan.model_validate(json.loads(Path(report.plan_file).read_text()))
    assert Path(report.plan_file).is_relative_to(home.plans)
    assert on_disk == read_plan(home, report.scenario_id)
    mlflow.set_tracking_uri(home.tracking_uri)
    run = mlflow.get_run(report.mlflow_run_id)
    assert run.data.tags["scenario_id"] == report.scenario_id
    assert run.data.metrics["prob_gain"] == on_disk.prob_gain


def test_a_refused_plan_leaves_nothing(planned):
    home, report, refusal = planned
    assert "did you mean 'tv'" in str(refusal)
    assert [(s.name, s.made_by) for s in list_scenarios(home)] == [("spring", MadeBy.PLAN)]
    assert [path.name for path in home.plans.iterdir()] == [report.scenario_id]


def test_the_request_is_a_form_that_a_browser_can_show(prefect_env):
    from flows.plan_budget import plan_budget

    schema = plan_budget.parameters.model_dump()
    asked = schema["definitions"]["PlanRequest"]["properties"]
    assert {"models", "budget", "settings", "bounds", "what_if"} <= set(asked)
    assert plan_budget.validate_parameters({"request": {"models": [{"dataset_id": "demo"}]}})
